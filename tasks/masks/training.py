"""What `cloud_mask_model` reads: labels, the acquisitions that they are of, and those that show the ground behind."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import shapely
from prefect import task
from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.scene import BandName, Scene
from containers.base.contract.step import StepError
from containers.base.sentinel2 import BANDS
from containers.gdal.contract.mask import MaskResult
from containers.gdal.contract.mask_model import LabelledScene, MaskTableParams
from containers.gdal.contract.observe import Observation
from tasks import ledger
from tasks.aoi import analysis_grid, read_aoi
from tasks.catalogue.answer import Refusal
from tasks.catalogue.by_month import search_by_month
from tasks.catalogue.coverage import nominal_tile
from tasks.catalogue.request import SearchRequest
from tasks.catalogue.rules import Acquisition
from tasks.disk import disk_errors
from tasks.masks.tile_batches import MaskBatch, ObserveBatch, by_tile_and_year
from tasks.parameters.cloud_mask_model import CloudMaskModelParams, TrainingScenes
from tasks.periods import Period
from tasks.runner import SEARCH_TASK
from tasks.settings import get_settings
from tasks.store import open_store
from tasks.user_files import take_file

_INDEX_BANDS: Final[tuple[BandName, ...]] = ("red",)
"""An observation needs one at least; none is used here."""
_GLOBAL_EPSG: Final = 6933
"""EASE-Grid 2.0, in metres everywhere: the grid of that band."""
_LABEL_SUFFIX: Final = ".tif"


class TrainingInputs(Contract):
    """Label rasters in the store, and where and when their scenes are looked for."""

    aoi: str = Field(description="WKT, EPSG:4326")
    grid: Grid
    searched: Period
    labels: dict[str, File] = Field(description="Product to its label raster")


@disk_errors()
def take_in_table(params: CloudMaskModelParams) -> File:
    """The finished table, in the store. Raises `missing_file`, `disk_full`."""
    return take_file(open_store(get_settings()), params.labels.table)


@disk_errors()
def take_in_labels(params: CloudMaskModelParams) -> TrainingInputs:
    """Check area, dates and labels. Raises `bad_aoi`, `bad_labels`, `disk_full`."""
    store, folder, where = open_store(get_settings()), Path(params.labels.folder), _where(params)
    paths = sorted(folder.glob(f"*{_LABEL_SUFFIX}"))
    if not paths:
        raise StepError(
            "bad_labels",
            f"{folder} holds no label raster (*{_LABEL_SUFFIX}).",
            "Name each raster as its product, without .SAFE; the folder is read where the flow runs.",
        )
    aoi = read_aoi(where.aoi or _outline_of(where.tiles))
    return TrainingInputs(
        aoi=shapely.to_wkt(aoi, rounding_precision=7),
        grid=analysis_grid(aoi, _GLOBAL_EPSG, params.resolution_m),
        searched=Period(label="search", start=where.first, end=where.last),
        labels={path.stem: store.import_file(path) for path in paths},
    )


@task(**SEARCH_TASK, name="find acquisitions", persist_result=False)
def find_training_scenes(params: CloudMaskModelParams, inputs: TrainingInputs) -> tuple[Acquisition, ...]:
    """Every acquisition of the tiles, cloudy ones too, in the order of tile and time; the rest are ledger rows.

    Raises `no_scenes`, and `bad_labels` where none of them is labelled.
    """
    found: list[Acquisition] = []
    for acquired, rows in search_tiles(params, inputs, keep_answers=True):
        found += acquired
        for row in rows:
            ledger.skip(row.scene_id, row.code, row.reason, row.hint)
    return require_labelled(found, params, inputs)


def search_tiles(
    params: CloudMaskModelParams, inputs: TrainingInputs, *, keep_answers: bool
) -> Iterator[tuple[tuple[Acquisition, ...], tuple[Refusal, ...]]]:
    """Month by month the acquisitions of the tiles, and what was refused."""
    tiles = _where(params).tiles

    def of_the_tiles(scenes: tuple[Scene, ...]) -> tuple[tuple[Scene, ...], tuple[Refusal, ...]]:
        return tuple(scene for scene in scenes if not tiles or scene.tile in tiles), ()

    return search_by_month(_request(params, inputs), of_the_tiles, keep_answers=keep_answers)


def observe_batches(
    params: CloudMaskModelParams, inputs: TrainingInputs, acquisitions: tuple[Acquisition, ...]
) -> Iterator[ObserveBatch]:
    """Every acquisition: those without labels show the ground behind the clouds of the others."""
    for (tile, year), found in by_tile_and_year(acquisitions).items():
        yield ObserveBatch(
            tile=tile,
            year=year,
            acquisitions=found,
            index_bands=_INDEX_BANDS,
            mask_bands=mask_bands(params),
            grid=inputs.grid,
            mask_resolution_m=params.resolution_m,
            background_resolution_m=params.background_resolution_m,
        )


def mask_batches(
    params: CloudMaskModelParams, inputs: TrainingInputs, observations: tuple[Observation, ...]
) -> Iterator[MaskBatch]:
    """Every labelled observation."""
    wanted = [each for each in observations if each.scene_id in inputs.labels]
    for tile, year in sorted({(each.tile, each.acquired.year) for each in wanted}):
        yield MaskBatch(
            tile=tile,
            year=year,
            observations=tuple(each for each in wanted if (each.tile, each.acquired.year) == (tile, year)),
            neighbours=tuple(each for each in observations if each.tile == tile),
            backgrounds=params.backgrounds,
            rules=params.rules,
            model=None,
            weights=None,
            allow_simulated_model=False,
            keep_components=True,
        )


def table_params(
    params: CloudMaskModelParams,
    inputs: TrainingInputs,
    observations: tuple[Observation, ...],
    masks: tuple[MaskResult, ...],
) -> MaskTableParams:
    """The masked scenes with their labels. Raises `no_valid_pixels` where none could be read."""
    if not masks:
        raise StepError(
            "no_valid_pixels",
            f"None of the {len(inputs.labels)} labelled scenes could be read and masked.",
            "The ledger tells for each of them why.",
        )
    observation_of = {each.scene_id: each for each in observations}
    scenes = tuple(
        LabelledScene(
            observation=observation_of[mask.scene_id],
            mask=mask,
            labels=inputs.labels[mask.scene_id],
            codes=params.labels.codes,
        )
        for mask in masks
    )
    return MaskTableParams(scenes=scenes, pixels_per_scene=params.labels.pixels_per_scene, seed=params.training.seed)


def mask_bands(params: CloudMaskModelParams) -> tuple[BandName, ...]:
    """Every band of the level: the change of a scene is clustered over all of them."""
    return tuple(band.name for band in BANDS if params.source.level == "L1C" or band.name != "cirrus")


def _where(params: CloudMaskModelParams) -> TrainingScenes:
    if params.scenes is None:
        raise ValueError("a form with label rasters and without scenes is not valid")
    return params.scenes


def require_labelled(
    found: list[Acquisition], params: CloudMaskModelParams, inputs: TrainingInputs
) -> tuple[Acquisition, ...]:
    """In the order of tile and time. Raises `no_scenes`, and `bad_labels` where none of them is labelled."""
    source, span = params.source, f"{inputs.searched.start} to {inputs.searched.end}"
    if not found:
        raise StepError(
            "no_scenes",
            f"No usable {source.level} scene of {source.collection} at {source.endpoint}, {span}.",
            "See the ledger for what was refused; check area, dates, collection and endpoint.",
        )
    if not any(parts[0].id in inputs.labels for parts in found):
        raise StepError(
            "bad_labels",
            f"None of the {len(inputs.labels)} label rasters is named as one of the {len(found)} acquisitions found, "
            f"such as {found[0][0].id}.",
            "Name each raster as its product, without .SAFE, and check area, dates and level.",
        )
    return tuple(sorted(found, key=lambda parts: (parts[0].tile, parts[0].datetime, parts[0].id)))


def _outline_of(tiles: tuple[str, ...]) -> str:
    outlines = [outline for tile in tiles if (outline := nominal_tile(tile)) is not None]
    return shapely.union_all(outlines).wkt


def _request(params: CloudMaskModelParams, inputs: TrainingInputs) -> SearchRequest:
    return SearchRequest(
        **dict(params.source),
        aoi=inputs.aoi,
        periods=(inputs.searched,),
        bands=mask_bands(params),
        resolution_m=params.resolution_m,
        min_valid_share=_where(params).min_valid_share,
    )
