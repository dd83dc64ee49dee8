"""Which radar pass belongs to which optical image: one track for all dates, closest in time, containing the zone."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import product

import shapely
from pydantic import Field, model_validator
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from containers.base.contract.model import Contract
from containers.base.contract.radar import Direction, RadarProduct
from tasks.catalogue.answer import Refusal, refusal
from tasks.cloud_removal.pairing_misses import no_pair
from tasks.cloud_removal.radar_passes import OpticalDate, PairRules, RadarPass, is_partner, passes_of
from tasks.containment import common_area


class PairedPass(Contract):
    """The slices of one datatake that belong to an optical image. They never mix tracks or directions."""

    slices: tuple[RadarProduct, ...] = Field(min_length=1, description="Those that show the zone, in the order of time")
    gap_hours: float = Field(description="Radar minus optical time: negative where radar was earlier")
    direction: Direction
    relative_orbit: int = Field(ge=1, le=175)
    covered_share: float = Field(ge=0, le=1, description="Share of the zone that the slices show together")
    margin_m: float = Field(ge=0, description="From the zone to the nearest edge of what they show")

    @model_validator(mode="after")
    def _one_pass(self) -> "PairedPass":
        passes = {(each.platform, each.datatake, each.direction, each.relative_orbit) for each in self.slices}
        if len(passes) > 1:
            raise ValueError(f"mixed orbits: {sorted(map(str, passes))}")
        return self


class Pairs(Contract):
    """A pass for every image, in their order, and a row for every product that was not used."""

    passes: tuple[PairedPass, ...]
    refused: tuple[Refusal, ...]


def find_pairs(
    images: Sequence[OpticalDate],
    zone: BaseGeometry,
    products: Iterable[RadarProduct],
    rules: PairRules,
    refused: Sequence[Refusal] = (),
) -> Pairs:
    """The passes of the one track on which every image has a partner and the sum of gaps is smallest.

    A partner is at most `max_gap_days` away and contains the zone (EPSG:4326); no pass serves two images. Ties go to
    the better cover, then to the wider margin, then to the smaller id. Raises `no_pair` with the nearest misses of
    every image; `refused` are rows of products that were left out before, to be counted there.
    """
    products = tuple(products)
    passes = passes_of(products, zone)
    best = min(
        (
            chosen
            for track in sorted({each.track for each in passes})
            for chosen in _combinations(images, [each for each in passes if each.track == track], rules)
        ),
        key=lambda chosen: _rank(images, chosen),
        default=None,
    )
    if best is None:
        raise no_pair(images, passes, rules, refused)
    paired = tuple(_paired(image, each) for image, each in zip(images, best, strict=True))
    used = {part.id for each in paired for part in each.slices}
    rows = [
        refusal(each.id, "not_paired", f"Track {each.relative_orbit} {each.direction}, {each.start:%Y-%m-%d %H:%M}.")
        for each in products
        if each.id not in used
    ]
    return Pairs(passes=paired, refused=tuple(rows))


def common_zone(footprints: Iterable[BaseGeometry], passes: Iterable[PairedPass]) -> MultiPolygon:
    """What all optical footprints and all passes show (EPSG:4326). Raises `bad_aoi` where that is nothing."""
    radar = [[shapely.from_wkt(part.footprint) for part in each.slices] for each in passes]
    return common_area([[footprint] for footprint in footprints] + radar)


def _combinations(
    images: Sequence[OpticalDate], passes: Sequence[RadarPass], rules: PairRules
) -> Iterable[tuple[RadarPass, ...]]:
    partners = [[each for each in passes if is_partner(each, image, rules)] for image in images]
    return (chosen for chosen in product(*partners) if len({each.id for each in chosen}) == len(chosen))


def _rank(
    images: Sequence[OpticalDate], chosen: tuple[RadarPass, ...]
) -> tuple[timedelta, float, float, tuple[str, ...]]:
    gaps = (abs(each.gap(image)) for image, each in zip(images, chosen, strict=True))
    covers = [each.coverage for each in chosen]
    return (
        sum(gaps, timedelta()),
        -min(cover.share for cover in covers),
        -min(cover.margin_m for cover in covers),
        tuple(each.id for each in chosen),
    )


def _paired(image: OpticalDate, radar: RadarPass) -> PairedPass:
    track, direction = radar.track
    return PairedPass(
        slices=radar.slices,
        gap_hours=radar.gap(image).total_seconds() / 3600,
        direction=direction,
        relative_orbit=track,
        covered_share=radar.coverage.share,
        margin_m=radar.coverage.margin_m,
    )
