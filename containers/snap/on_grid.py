"""SNAP's output read on the cells of the grid: cut or filled up by whole cells, never resampled."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError

_LATTICE_CELLS: Final = 1e-6
"""How far the origin may lie off the grid's lattice, in cells."""


def offset_on(grid: Grid, dataset: Any) -> tuple[int, int]:
    """(row, column) of the grid's first cell in an open raster; negative where the raster begins inside the grid.

    Raises `grid_mismatch`, with both, where CRS, cell size or lattice differ.
    """
    transform, size = dataset.transform, grid.resolution_m
    epsg = dataset.crs.to_epsg() if dataset.crs else None
    col, row = (grid.west_m - transform.c) / size, (transform.f - grid.north_m) / size
    shape = (transform.a / size - 1, transform.e / size + 1, transform.b, transform.d)
    off = max(abs(col - round(col)), abs(row - round(row)), *(abs(value) for value in shape))
    if epsg != grid.epsg or off > _LATTICE_CELLS:
        raise StepError(
            "grid_mismatch",
            f"SNAP wrote {dataset.crs} with {transform[:6]}; the grid is EPSG:{grid.epsg}, {size} m, origin "
            f"({grid.west_m}, {grid.north_m}).",
            "Report this with the graph: mapProjection, pixelSpacingInMeter and standardGridOrigin decide it.",
        )
    return round(row), round(col)


def read_on(dataset: Any, offset: tuple[int, int], window: Window, margin: int = 0) -> NDArray[np.float32]:
    """All bands in a window of the grid and `margin` cells around it, (band, y, x); NaN where there is no raster."""
    top, left = offset[0] + window.row_off - margin, offset[1] + window.col_off - margin
    height, width = window.height + 2 * margin, window.width + 2 * margin
    cells = np.full((dataset.count, height, width), np.nan, np.float32)
    rows, cols = _common(top, height, dataset.height), _common(left, width, dataset.width)
    if rows and cols:
        part = Window(cols.start, rows.start, len(cols), len(rows))
        inner = np.s_[:, rows.start - top : rows.stop - top, cols.start - left : cols.stop - left]
        cells[inner] = dataset.read(window=part)
    return cells


def _common(first: int, count: int, size: int) -> range:
    """Indices of first … first + count − 1 that lie in 0 … size − 1."""
    return range(max(0, first), min(size, first + count))
