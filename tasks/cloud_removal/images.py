"""One optical image: every tile of a date read, masked, and joined on the grid."""

from collections.abc import Iterator
from functools import partial

from prefect import task
from pydantic import Field

from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.scene import BandName, Scene
from containers.gdal.contract.mask import MaskParams, MaskResult, MaskRules
from containers.gdal.contract.observe import Observation, ObserveParams
from containers.gdal.contract.optical import OpticalParams, OpticalResult
from containers.gdal.contract.series import Seen
from tasks.catalogue.rules import Acquisition
from tasks.machine import parallel_steps
from tasks.masks.bands import mask_bands
from tasks.runner import STEP_TASK, Done, perform
from tasks.settings import get_settings
from tasks.side_by_side import side_by_side

_MASK_M, _BACKGROUND_M = 20.0, 240.0
"""Cell size of the mask, that of the scene classification, and of pictures that this flow does not use."""


class ImageRequest(Contract):
    """One date over the area."""

    tiles: tuple[Acquisition, ...] = Field(min_length=1, description="An acquisition per tile")
    bands: tuple[BandName, ...]
    grid: Grid
    rules: MaskRules


@task(**STEP_TASK, task_run_name="image of {request.tiles[0][0].datetime:%Y-%m-%d}")
def see_image(request: ImageRequest) -> OpticalResult:
    """The bands on the grid, and what share of them is hidden by cloud and shadow."""
    seen = side_by_side([partial(_seen, tile, request) for tile in request.tiles], parallel_steps(get_settings()))
    done: Done[OpticalResult] = perform(
        OpticalParams(seen=tuple(seen), grid=request.grid), f"image {request.tiles[0][0].datetime:%Y-%m-%d}"
    )
    return done.result


def _seen(parts: tuple[Scene, ...], request: ImageRequest) -> Seen:
    what = f"{parts[0].tile} {parts[0].datetime:%Y-%m-%d}"
    read: Done[Observation] = perform(
        ObserveParams(
            parts=parts,
            index_bands=request.bands,
            mask_bands=mask_bands(parts[0].level, request.rules.engine),
            grid=request.grid,
            mask_resolution_m=_MASK_M,
            background_resolution_m=_BACKGROUND_M,
        ),
        f"observe {what}",
    )
    observation = read.result
    masked: Done[MaskResult] = perform(MaskParams(observation=observation, rules=request.rules), f"mask {what}")
    return Seen(
        scene_id=observation.scene_id,
        acquired=observation.acquired,
        grid=observation.grid,
        bands=observation.bands,
        mask=masked.result.mask,
    )


def bands_read(bands: tuple[BandName, ...], rules: MaskRules) -> Iterator[BandName]:
    """Every band that a search must find: those that are rebuilt, and those that the mask looks at."""
    yield from dict.fromkeys((*bands, *mask_bands("L2A", rules.engine)))
