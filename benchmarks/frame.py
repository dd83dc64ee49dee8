"""The sampling frame of a finished job, with truth and map of every cell in it."""

from collections.abc import Iterator

import geopandas
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.transform import from_origin

from benchmarks.job import FinishedJob, Maps
from benchmarks.redraws import Population
from containers.base.contract.grid import Grid
from containers.base.regions import ALL
from containers.gdal.contract.areas import LAND_COVER
from containers.gdal.reference_sample import UNKNOWN, read_sample


def population(job: FinishedJob) -> Population:
    """The sampling frame of the job's own strata and allocation."""
    if job.sample.stratum_map is None:
        raise LookupError("the sample has no stratum map")
    with rasterio.open(job.path(job.sample.stratum_map)) as source:
        codes, tags = source.read(1), source.tags()
    strata = read_sample(job.path(job.sample.sample), job.path(job.sample.strata), LAND_COVER)
    names = [name for name, cells in strata.strata.items() if name != UNKNOWN and cells > 0]
    index = np.full(256, -1)
    for tag, name in tags.items():
        if tag.startswith("STRATUM_") and name in names:
            index[int(tag.removeprefix("STRATUM_"))] = names.index(name)
    truth, mapped = job.truth(), job.smoothed()
    frame = (index[codes] >= 0) & (np.stack(list(truth.values())) > 0).all(axis=0)
    domains = {ALL: np.ones(frame.sum(), bool)}
    for region_id, inside in _regions(job, job.grid):
        domains[region_id] = inside[frame]
    return Population(
        truth=_cells(truth, frame),
        mapped=_cells(mapped, frame),
        stratum=index[codes][frame],
        points=strata.design.points.astype(int),
        domains=domains,
    )


def _cells(maps: Maps, frame: NDArray[np.bool_]) -> dict[str, NDArray[np.int64]]:
    return {period: layer[frame].astype(np.int64) for period, layer in maps.items()}


def _regions(job: FinishedJob, grid: Grid) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    transform = from_origin(grid.west_m, grid.north_m, grid.resolution_m, grid.resolution_m)
    for region in geopandas.read_file(job.path(job.counts.regions)).itertuples():
        burned = rasterize([(region.geometry, 1)], out_shape=grid.shape, transform=transform, dtype="uint8")
        yield region.region_id, burned.astype(bool)
