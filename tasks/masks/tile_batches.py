"""A tile's acquisitions, a year of them per task: each read from the archive once, each masked against its neighbours.

One task per acquisition would be more than a Prefect server bears; here each is a row of the ledger instead, and
still an artifact of its own, so that a new scene costs itself and the masks that it is a background of.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from prefect import task
from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.scene import BandName, Scene
from containers.base.contract.step import StepParams
from containers.gdal.contract.mask import MaskParams, MaskResult, MaskRules
from containers.gdal.contract.observe import Observation, ObserveParams
from containers.gdal.contract.series import Seen
from tasks.catalogue.backgrounds import Backgrounds, backgrounds_of
from tasks.catalogue.rules import Acquisition
from tasks.masks.exchange import import_params, read_folder
from tasks.runner import STEP_TASK
from tasks.scene_ledger import acquisition_of
from tasks.settings import get_settings
from tasks.step_batch import perform_each
from tasks.store import open_store


class ObserveBatch(Contract):
    """A tile and a year, and how its acquisitions are read."""

    tile: str
    year: int
    acquisitions: tuple[Acquisition, ...]
    index_bands: tuple[BandName, ...]
    mask_bands: tuple[BandName, ...]
    grid: Grid
    mask_resolution_m: float
    background_resolution_m: float


class MaskBatch(Contract):
    """A tile and a year, and what its observations are compared with."""

    tile: str
    year: int
    observations: tuple[Observation, ...] = Field(description="Of that year")
    neighbours: tuple[Observation, ...] = Field(description="Every observation of the tile, those of the year included")
    backgrounds: Backgrounds
    rules: MaskRules
    model: File | None
    weights: File | None
    allow_simulated_model: bool
    keep_components: bool = False
    imported_masks: str = Field(default="", description="Folder of masks that take the place of computed ones")


@task(**STEP_TASK, task_run_name="observe {batch.tile} {batch.year}")
def observe_tile(batch: ObserveBatch) -> tuple[Observation, ...]:
    """What could be read, in the order of time."""

    def params(parts: tuple[Scene, ...]) -> ObserveParams:
        return ObserveParams(
            parts=parts,
            index_bands=batch.index_bands,
            mask_bands=batch.mask_bands,
            grid=batch.grid,
            mask_resolution_m=batch.mask_resolution_m,
            background_resolution_m=batch.background_resolution_m,
        )

    return perform_each({f"observe {_name(parts[0])}": partial(params, parts) for parts in batch.acquisitions})


@task(**STEP_TASK, task_run_name="mask {batch.tile} {batch.year}")
def mask_tile(batch: MaskBatch) -> tuple[MaskResult, ...]:
    """A mask per observation, in the order of time: imported where there is one, else computed."""
    folder, store = Path(batch.imported_masks), open_store(get_settings())
    wanted = {acquisition_of(observation.scene_id) for observation in batch.observations}
    entries = read_folder(folder, wanted=wanted) if batch.imported_masks else {}

    def params(observation: Observation) -> StepParams:
        if imported := import_params(observation, entries, folder, store):
            return imported
        backgrounds = backgrounds_of(observation, batch.neighbours, batch.backgrounds)
        return MaskParams(
            observation=observation,
            backgrounds={method: tuple(each.background for each in chosen) for method, chosen in backgrounds.items()},
            rules=batch.rules,
            model=batch.model,
            weights=batch.weights,
            allow_simulated_model=batch.allow_simulated_model,
            keep_components=batch.keep_components,
        )

    return perform_each({f"mask {_seen(each)}": partial(params, each) for each in batch.observations})


def seen_in_time(observations: Iterable[Observation], masks: Iterable[MaskResult]) -> tuple[Seen, ...]:
    """The observations of all tiles with their masks, in the order of time; those without a mask are left out."""
    mask_of = {result.scene_id: result.mask for result in masks}
    seen = [
        Seen(scene_id=each.scene_id, acquired=each.acquired, grid=each.grid, bands=each.bands, mask=mask)
        for each in observations
        if (mask := mask_of.get(each.scene_id))
    ]
    return tuple(sorted(seen, key=lambda each: (each.acquired, each.scene_id)))


def by_tile_and_year(acquisitions: Iterable[Acquisition]) -> dict[tuple[str, int], tuple[Acquisition, ...]]:
    """Acquisitions of each tile and calendar year, in the order of tile and time."""
    batches: dict[tuple[str, int], list[Acquisition]] = defaultdict(list)
    for parts in sorted(acquisitions, key=lambda parts: (parts[0].tile, parts[0].datetime, parts[0].id)):
        batches[parts[0].tile, parts[0].datetime.year].append(parts)
    return {key: tuple(found) for key, found in batches.items()}


def _name(scene: Scene) -> str:
    return f"{scene.tile} {scene.datetime:%Y-%m-%d} {scene.platform}"


def _seen(observation: Observation) -> str:
    return f"{observation.tile} {observation.acquired:%Y-%m-%d} {observation.platform}"
