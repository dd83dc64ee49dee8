"""The radar passes of a run: searched around every optical image, paired, and the zone that they show together."""

import math
from collections.abc import Sequence
from datetime import timedelta

import shapely
from prefect import task
from pydantic import Field
from shapely.geometry.base import BaseGeometry

from containers.base.contract.model import Contract
from tasks import ledger
from tasks.catalogue.answer import Refusal
from tasks.cloud_removal.choice import taken_at
from tasks.cloud_removal.pairing import PairedPass, Pairs, common_zone, find_pairs
from tasks.cloud_removal.radar_passes import OpticalDate, PairRules
from tasks.cloud_removal.scenes import TiledImage, outlines_of
from tasks.containment import common_area
from tasks.parameters.cloud_removal import CloudRemovalParams
from tasks.periods import Period
from tasks.radar_catalogue.request import RadarRequest
from tasks.radar_catalogue.search import RadarAnswer, search_radar
from tasks.runner import SEARCH_TASK


class Passes(Contract):
    """A radar pass for every image, in their order."""

    zone: str = Field(description="WKT, EPSG:4326: the area, or where there is none what images and passes all show")
    passes: tuple[PairedPass, ...]


@task(**SEARCH_TASK, name="find radar passes", persist_result=True)
def find_passes(params: CloudRemovalParams, aoi: str, images: tuple[TiledImage, ...]) -> Passes:
    """The passes of one track that belong to the images. Every product left out is a row.

    `aoi` is WKT, EPSG:4326; empty: the common ground of images and passes. Raises `no_pair`, `bad_aoi`.
    """
    area = area_of(aoi, images)
    answer = search_radar(radar_request(params, area, images))
    ledger.keep_answers(raw._replace(name=f"radar-{raw.name}") for raw in answer.raw)
    _skip(answer.refused)
    pairs = pair(params, area, images, answer, is_given=bool(aoi))
    _skip(pairs.refused)
    zone = aoi or shapely.to_wkt(
        common_zone([shapely.union_all(outlines_of(image)) for image in images], pairs.passes), rounding_precision=7
    )
    return Passes(zone=zone, passes=pairs.passes)


def area_of(aoi: str, images: Sequence[TiledImage]) -> BaseGeometry:
    """The area that is given, or what all images show. Raises `bad_aoi` where they have no ground in common."""
    return shapely.from_wkt(aoi) if aoi else common_area([outlines_of(image) for image in images])


def radar_request(params: CloudRemovalParams, area: BaseGeometry, images: Sequence[TiledImage]) -> RadarRequest:
    """Everything over the area as near to an image as the form allows."""
    apart, pairing = timedelta(days=math.ceil(params.pairing.max_gap_days)), params.pairing
    days = [taken_at(image).date() for image in images]
    return RadarRequest(
        **dict(params.radar_source),
        aoi=shapely.to_wkt(area, rounding_precision=7),
        periods=tuple(Period(label=f"{day}", start=day - apart, end=day + apart) for day in days),
        polarisations=pairing.polarisations,
        direction=pairing.direction,
        relative_orbit=pairing.relative_orbit,
        filters=pairing.filters,
        check_objects=params.source.check_objects,
    )


def pair(
    params: CloudRemovalParams,
    area: BaseGeometry,
    images: Sequence[TiledImage],
    answer: RadarAnswer,
    *,
    is_given: bool,
) -> Pairs:
    """The passes of the answer that belong to the images. Raises `no_pair`."""
    dates = [OpticalDate(name=f"{taken_at(image):%Y-%m-%d}", acquired=taken_at(image)) for image in images]
    rules = PairRules(max_gap_days=params.pairing.max_gap_days, whole_zone=is_given)
    return find_pairs(dates, area, answer.products, rules, answer.refused)


def _skip(refusals: Sequence[Refusal]) -> None:
    for row in refusals:
        ledger.skip(row.scene_id, row.code, row.reason, row.hint)
