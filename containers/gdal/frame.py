"""The sampling frame: a stratum map made block by block, and cells drawn from it."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.grid import Grid
from containers.base.contract.legend import PROBABILITY_NODATA, PROBABILITY_SCALE
from containers.base.raster import create_cog, grown, open_raster, row_windows
from containers.base.step import progress
from containers.gdal.strata import UNKNOWN, with_doubt


class Stratification(Protocol):
    """How the mapped history of a cell becomes a stratum."""

    @property
    def names(self) -> dict[int, str]:
        """Stratum code to name; 0 is unknown and never sampled."""

    def codes(self, history: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The stratum of every cell, (y, x) uint8, from the class history (time, y, x)."""


class Doubt(NamedTuple):
    """Where omitted change hides: near mapped change, and from this probability of change on."""

    probability: Path | None
    threshold: float
    buffer_px: float


class Points(NamedTuple):
    """Cells drawn: stratum code, and the cell's centre in the grid's CRS; each (n,)."""

    stratum: NDArray[np.uint8]
    x_m: NDArray[np.float64]
    y_m: NDArray[np.float64]


def map_strata(
    classes: Sequence[Path], doubt: Doubt, stratification: Stratification, grid: Grid, path: Path
) -> dict[int, int]:
    """Write the stratum map, uint8, nodata 0 (unknown); the cells of every stratum code."""
    counts = np.zeros(256, int)
    margin = int(np.ceil(doubt.buffer_px))
    tags = {f"STRATUM_{code}": name for code, name in stratification.names.items()}
    with ExitStack() as stack:
        rasters = [stack.enter_context(open_raster(source)) for source in classes]
        probability = stack.enter_context(open_raster(doubt.probability)) if doubt.probability else None
        sink = stack.enter_context(create_cog(path, grid, dtype="uint8", nodata=UNKNOWN, tags=tags, overviews="mode"))
        for window in row_windows(grid.shape):
            outer, inner = grown(window, margin, grid.shape)
            history = np.stack([raster.read(1, window=outer) for raster in rasters])
            codes = with_doubt(
                stratification.codes(history),
                _probability(probability, outer),
                doubt=doubt.threshold,
                buffer_px=doubt.buffer_px,
            )[inner]
            sink.write(codes, 1, window=window)
            counts += np.bincount(codes.ravel(), minlength=256)
            progress(window.row_off + window.height, grid.height, "strata")
    return {code: int(counts[code]) for code in stratification.names}


def ordinals(cells: int, points: int, seed: tuple[int, int]) -> NDArray[np.int64]:
    """Which of a stratum's cells, counted row by row from 0, are drawn: without replacement, in rising order."""
    return np.sort(np.random.default_rng(seed).choice(cells, points, replace=False))


def draw(path: Path, cells: Mapping[int, int], points: Mapping[int, int], grid: Grid, seed: int) -> Points:
    """The cells drawn from a stratum map: simple random samples in each stratum, equal for an equal seed."""
    wanted = {code: ordinals(cells[code], n, (seed, code)) for code, n in points.items()}
    seen = dict.fromkeys(wanted, 0)
    found: list[NDArray[np.int64]] = []
    with open_raster(path) as strata:
        for window in row_windows(grid.shape):
            codes = strata.read(1, window=window).ravel()
            for code in wanted:
                here = np.flatnonzero(codes == code)
                first, last = np.searchsorted(wanted[code], [seen[code], seen[code] + len(here)])
                cell = here[wanted[code][first:last] - seen[code]] + window.row_off * grid.width
                found.append(np.stack([np.full(len(cell), code), cell]))
                seen[code] += len(here)
    stratum, cell = np.concatenate(found, axis=1)
    order = np.lexsort((cell, stratum))
    row, column = np.divmod(cell[order], grid.width)
    x_m, y_m = grid.west_m + (column + 0.5) * grid.resolution_m, grid.north_m - (row + 0.5) * grid.resolution_m
    return Points(stratum[order].astype("uint8"), x_m, y_m)


def _probability(raster: Any, window: Window) -> NDArray[np.float32] | None:
    if raster is None:
        return None
    codes = raster.read(1, window=window)
    return np.where(codes == PROBABILITY_NODATA, np.nan, codes * np.float32(PROBABILITY_SCALE)).astype("float32")
