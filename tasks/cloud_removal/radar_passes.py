"""Radar passes over a zone, and what makes one of them a possible partner of an optical image."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import shapely
from pydantic import Field
from shapely.geometry.base import BaseGeometry

from containers.base.contract.model import Contract
from containers.base.contract.radar import Direction, RadarProduct
from tasks.containment import Coverage, coverage

MOST_OF_FOOTPRINT: Final = 0.5
"""Where the area is the products' common footprint, a pass must show at least this share of the optical one."""


class OpticalDate(Contract):
    """An optical image that needs a radar pass."""

    name: str = Field(description="For messages: the date, or the product's name")
    acquired: datetime


class PairRules(Contract):
    """What a pass must be to belong to an image."""

    max_gap_days: float = Field(gt=0, description="Largest time between radar and optical image")
    whole_zone: bool = Field(
        default=True, description="Whether its slices must contain the zone; else they must show half of it"
    )


class RadarPass(NamedTuple):
    """The slices of one datatake on one track that show the zone, before they are paired."""

    slices: tuple[RadarProduct, ...]
    time: datetime
    """The middle of what they were sensed in."""
    coverage: Coverage

    @property
    def track(self) -> tuple[int, Direction]:
        return self.slices[0].relative_orbit, self.slices[0].direction

    @property
    def id(self) -> str:
        return self.slices[0].id

    def gap(self, image: OpticalDate) -> timedelta:
        return self.time - image.acquired


def passes_of(products: Iterable[RadarProduct], zone: BaseGeometry) -> tuple[RadarPass, ...]:
    """Products joined to passes in the order of time, each with those slices alone that show some of the zone."""
    groups: dict[tuple[str, str, str, int], list[RadarProduct]] = defaultdict(list)
    for each in {each.id: each for each in products}.values():
        groups[each.platform, each.datatake, each.direction, each.relative_orbit].append(each)
    found: list[RadarPass] = []
    for group in groups.values():
        # A slice that only touches the zone's edge shows nothing of it.
        shown = [each for each in group if shapely.intersection(shapely.from_wkt(each.footprint), zone).area > 0]
        if shown:
            slices = tuple(sorted(shown, key=lambda each: (each.start, each.id)))
            outlines = [shapely.from_wkt(each.footprint) for each in slices]
            first, last = slices[0].start, max(each.stop for each in slices)
            found.append(RadarPass(slices, first + (last - first) / 2, coverage(outlines, zone)))
    return tuple(sorted(found, key=lambda each: (each.time, each.id)))


def is_partner(radar: RadarPass, image: OpticalDate, rules: PairRules) -> bool:
    """Whether a pass may belong to an image, other images not considered."""
    return is_near(radar, image, rules) and shows_enough(radar, rules)


def is_near(radar: RadarPass, image: OpticalDate, rules: PairRules) -> bool:
    return abs(radar.gap(image)) <= timedelta(days=rules.max_gap_days)


def shows_enough(radar: RadarPass, rules: PairRules) -> bool:
    return radar.coverage.contains or (not rules.whole_zone and radar.coverage.share >= MOST_OF_FOOTPRINT)
