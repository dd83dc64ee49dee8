"""Every acquisition that a series is made of."""

from collections.abc import Iterator

import shapely
from prefect import task
from shapely.geometry.base import BaseGeometry

from containers.base.contract.scene import BandName, Scene
from containers.base.contract.step import StepError
from containers.base.sentinel2 import BANDS
from containers.gdal.contract.series import INDEX_BANDS
from tasks import ledger
from tasks.catalogue.answer import Refusal, refusal
from tasks.catalogue.by_month import search_by_month
from tasks.catalogue.request import SearchRequest
from tasks.catalogue.rules import Acquisition, footprint_of
from tasks.masks.bands import mask_bands as bands_of_masks
from tasks.parameters.vegetation_productivity import VegetationProductivityParams
from tasks.runner import SEARCH_TASK
from tasks.scene_ledger import SceneRecord
from tasks.scene_memory import remember_off_land, scene_ledger, split_by_memory
from tasks.vegetation.intake import SeriesInputs


def index_bands(params: VegetationProductivityParams) -> tuple[BandName, ...]:
    names: dict[str, BandName] = {band.name: band.name for band in BANDS}
    return tuple(names[name] for name in INDEX_BANDS[params.index])


def mask_bands(params: VegetationProductivityParams) -> tuple[BandName, ...]:
    """What the masks of this run look at."""
    return bands_of_masks(params.source.level, params.visibility.rules.engine)


# Not persisted: thousands of scenes, and a run that goes on searches again.
@task(**SEARCH_TASK, name="find acquisitions", persist_result=False)
def find_acquisitions(params: VegetationProductivityParams, inputs: SeriesInputs) -> tuple[Acquisition, ...]:
    """Every usable acquisition in the order of tile and time. Each scene left out is a row. Raises `no_scenes`."""
    found: list[Acquisition] = []
    memory = scene_ledger(inputs)
    known = memory.acquisitions()
    for acquired, rows in search_series(params, inputs, known, keep_answers=True):
        found += acquired
        remember_off_land(memory, rows, known)
        for row in rows:
            ledger.skip(row.scene_id, row.code, row.reason, row.hint)
    return require_acquisitions(found, params, inputs)


def search_series(
    params: VegetationProductivityParams, inputs: SeriesInputs, known: dict[str, SceneRecord], *, keep_answers: bool
) -> Iterator[tuple[tuple[Acquisition, ...], tuple[Refusal, ...]]]:
    """Month by month the acquisitions on land, and what was refused; `known` is the scene ledger by acquisition."""
    land = shapely.from_wkt(inputs.land_outline) if inputs.land_outline else None
    if land is not None:
        shapely.prepare(land)

    def on_land(scenes: tuple[Scene, ...]) -> tuple[tuple[Scene, ...], tuple[Refusal, ...]]:
        unknown, known_off_land = split_by_memory(scenes, known)
        shown, off_land = split_by_land(unknown, land)
        return shown, (*known_off_land, *off_land)

    return search_by_month(_request(params, inputs), on_land, keep_answers=keep_answers)


def split_by_land(
    scenes: tuple[Scene, ...], land: BaseGeometry | None
) -> tuple[tuple[Scene, ...], tuple[Refusal, ...]]:
    """Scenes that show land, and rows for those that do not: their pixels are never read."""
    if land is None:
        return scenes, ()
    shows = [bool(land.intersects(footprint_of(scene))) for scene in scenes]
    rows = [
        refusal(scene.id, "off_land", "Its data lie off the land.")
        for scene, is_shown in zip(scenes, shows, strict=True)
        if not is_shown
    ]
    return tuple(scene for scene, is_shown in zip(scenes, shows, strict=True) if is_shown), tuple(rows)


def require_acquisitions(
    found: list[Acquisition], params: VegetationProductivityParams, inputs: SeriesInputs
) -> tuple[Acquisition, ...]:
    """In the order of tile and time. Raises `no_scenes`, and `bad_dates` where there is one date only."""
    span = f"{inputs.searched.start} to {inputs.searched.end}"
    if not found:
        raise StepError(
            "no_scenes",
            f"No usable {params.source.level} scene of {params.source.collection} at {params.source.endpoint}, {span}.",
            "See the ledger for what was refused; check area, dates, collection and endpoint, or raise "
            "visibility.max_cloud.",
        )
    dates = {parts[0].datetime.date() for parts in found}
    if len(dates) < 2:
        raise StepError(
            "bad_dates",
            f"There is one date only, {dates.pop()}, in {span}: that makes no series.",
            "Widen time.years, days_before or days_after, or raise visibility.max_cloud.",
        )
    return tuple(sorted(found, key=lambda parts: (parts[0].tile, parts[0].datetime, parts[0].id)))


def _request(params: VegetationProductivityParams, inputs: SeriesInputs) -> SearchRequest:
    return SearchRequest(
        **dict(params.source),
        aoi=inputs.aoi,
        periods=(inputs.searched,),
        bands=tuple(dict.fromkeys((*index_bands(params), *mask_bands(params)))),
        resolution_m=params.area.resolution_m,
        max_cloud=params.visibility.max_cloud,
        min_valid_share=params.visibility.min_valid_share,
    )
