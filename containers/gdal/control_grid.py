"""Where the cells of a grid lie in a source raster: exact on a coarse grid, interpolated in between.

GDAL transforms every cell, or approximates along each row on its own. Projections are smooth, so positions at every
64th cell, interpolated bilinearly, are within thousandths of a source pixel; the error is measured, never assumed.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import rasterio.warp
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import Affine

from containers.base.contract.grid import Grid
from containers.base.grid import crs_of, transform_of

MAX_ERROR_PX = 0.0625
"""Half of the 0.125 px that GDAL's own approximating transformer allows itself."""
_FIRST_STEP = 64


Rows = NDArray[np.float64]
Positions = Callable[[Rows, Rows], tuple[Rows, Rows]]


class Geometry(NamedTuple):
    """Where a source raster lies."""

    crs: CRS
    transform: Affine
    shape: tuple[int, int]


class ControlGrid(NamedTuple):
    """Source positions (fractional row and column, 0 at the outer edge) of every `step`-th target cell's centre."""

    step: int
    rows: Rows
    cols: Rows

    def at(self, first_row: int, n_rows: int, width: int) -> tuple[Rows, Rows]:
        """Interpolated source rows and columns of some whole target rows, each (n_rows, width)."""
        return tuple(self._along_rows(values, first_row, n_rows)[:, :width] for values in (self.rows, self.cols))  # type: ignore[return-value]

    def _along_rows(self, values: Rows, first_row: int, n_rows: int) -> Rows:
        above, part = np.divmod(np.arange(first_row, first_row + n_rows), self.step)
        weight = (part / self.step)[:, np.newaxis]
        lines = values[above] * (1 - weight) + values[above + 1] * weight
        slopes = np.diff(lines, axis=1) / self.step
        spread = lines[:, :-1, np.newaxis] + slopes[:, :, np.newaxis] * np.arange(self.step)
        positions: Rows = spread.reshape(n_rows, -1)
        return positions


def control_grid(target: Grid, source: Geometry, max_error_px: float = MAX_ERROR_PX) -> ControlGrid:
    """The coarsest control grid that is nowhere more than `max_error_px` source pixels off, measured halfway."""
    positions = _exact_positions(target, source)
    step = _FIRST_STEP
    while True:
        fine_rows, fine_cols = _sampled(positions, target.shape, step)
        coarse = ControlGrid(step, fine_rows[::2, ::2], fine_cols[::2, ::2])
        error_px = max(_largest_error(fine_rows), _largest_error(fine_cols))
        if error_px <= max_error_px or step == 1:
            return coarse
        step //= 2


def _exact_positions(target: Grid, source: Geometry) -> Positions:
    to_metres, to_pixels = transform_of(target), ~source.transform

    def positions(rows: Rows, cols: Rows) -> tuple[Rows, Rows]:
        xs, ys = _applied(to_metres, cols + 0.5, rows + 0.5)
        if source.crs != crs_of(target):
            xs, ys = map(np.asarray, rasterio.warp.transform(crs_of(target), source.crs, xs, ys))
        source_cols, source_rows = _applied(to_pixels, xs, ys)
        return source_rows, source_cols

    return positions


def _applied(transform: Affine, xs: Rows, ys: Rows) -> tuple[Rows, Rows]:
    a, b, c, d, e, f = transform[:6]
    return a * xs + b * ys + c, d * xs + e * ys + f


def _sampled(positions: Positions, shape: tuple[int, int], step: int) -> tuple[Rows, Rows]:
    """Exact positions at every half step, one whole step beyond the last cell."""
    n_rows, n_cols = (2 * (-(-size // step) + 1) - 1 for size in shape)
    rows, cols = np.meshgrid(np.arange(n_rows) * step / 2, np.arange(n_cols) * step / 2, indexing="ij")
    source_rows, source_cols = positions(rows.ravel(), cols.ravel())
    return source_rows.reshape(rows.shape), source_cols.reshape(rows.shape)


def _largest_error(fine: Rows) -> float:
    """How far bilinear interpolation between every second point misses the points in between."""
    even = fine[::2]
    midway_down = (even[:-1] + even[1:]) / 2 - fine[1::2]
    across = fine[:, ::2]
    midway_across = (across[:, :-1] + across[:, 1:]) / 2 - fine[:, 1::2]
    corners = even[:, ::2]
    centre = (corners[:-1, :-1] + corners[:-1, 1:] + corners[1:, :-1] + corners[1:, 1:]) / 4 - fine[1::2, 1::2]
    return float(max(np.abs(errors).max() for errors in (midway_down, midway_across, centre)))
