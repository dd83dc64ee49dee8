"""One warp per source geometry: nearest neighbour by a look-up table that its layers share, else GDAL's kernels."""

from concurrent.futures import Executor, Future
from typing import Any, NamedTuple

import numpy as np
import rasterio.windows
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.warp import reproject
from rasterio.windows import Window

from containers.base.contract.grid import Grid
from containers.base.grid import crs_of, transform_of
from containers.base.raster import row_windows
from containers.gdal.control_grid import ControlGrid, Geometry, control_grid

_TIE_PX = 1e-6
"""Positions this close below a pixel edge belong to the next pixel, so that rounding noise cannot split a row."""
_BLOCK_ROWS = 64


class Warp(NamedTuple):
    """From one source geometry to the target: shared by every layer that lies on it."""

    target: Grid
    geometry: Geometry
    window: Window
    """The part of the source that the target needs."""
    lookup: Future[NDArray[np.int32]]

    def inside(self) -> NDArray[np.bool_]:
        """Target cells whose centre lies in the source, with data or without; (y, x)."""
        return self.lookup.result() < int(self.window.width) * int(self.window.height)


def plan_warp(target: Grid, geometry: Geometry, pool: Executor, *, whole: bool = False) -> Warp | None:
    """Start to look up the source pixel of every target cell; None where source and target do not meet.

    With `whole`, all of the source is the window, because it is decoded anyway.
    """
    control = control_grid(target, geometry)
    window = source_window(control, geometry.shape)
    if window is None:
        return None
    if whole:
        window = Window(0, 0, geometry.shape[1], geometry.shape[0])
    return Warp(target, geometry, window, pool.submit(nearest_index, control, window, target.shape))


def resampled(flat: NDArray[Any], warp: Warp, *, method: str, nodata: int) -> NDArray[Any]:
    """A layer on the target grid, (y, x), resampled once.

    `flat` is the source window, flattened, with one nodata value behind its last pixel.
    """
    array = np.empty(warp.target.shape, dtype=flat.dtype)
    if method == "nearest":
        lookup = warp.lookup.result()
        for rows in row_windows(array.shape, _BLOCK_ROWS):
            part = rows.toslices()
            np.take(flat, lookup[part], out=array[part], mode="clip")
        return array
    reproject(
        flat[:-1].reshape(int(warp.window.height), int(warp.window.width)),
        array,
        src_transform=rasterio.windows.transform(warp.window, warp.geometry.transform),
        src_crs=warp.geometry.crs,
        src_nodata=nodata,
        dst_transform=transform_of(warp.target),
        dst_crs=crs_of(warp.target),
        dst_nodata=nodata,
        resampling=Resampling[method],
    )
    return array


def source_window(control: ControlGrid, shape: tuple[int, int]) -> Window | None:
    """The part of a source raster that resampling to the target can touch; None where they do not meet."""
    spans = []
    for axis, (positions, size) in enumerate(zip((control.rows, control.cols), shape, strict=True)):
        pixels_per_cell = np.abs(np.diff(positions, axis=axis)).max() / control.step
        # Kernels reach two pixels, or two cells where pixels are finer.
        margin = 2 + int(np.ceil(2 * pixels_per_cell))
        first = max(0, int(np.floor(positions.min())) - margin)
        spans.append((first, min(size, int(np.ceil(positions.max())) + margin)))
    (top, bottom), (left, right) = spans
    return None if bottom <= top or right <= left else Window(left, top, right - left, bottom - top)


def nearest_index(control: ControlGrid, window: Window, shape: tuple[int, int]) -> NDArray[np.int32]:
    """The nearest source pixel of each target cell, as index into the flattened source window; (y, x) of `shape`.

    Cells outside the window get the index one past its last pixel, where the caller keeps nodata.
    """
    index = np.empty(shape, dtype=np.int32)
    height, width = int(window.height), int(window.width)
    for first in range(0, shape[0], _BLOCK_ROWS):
        part = index[first : first + _BLOCK_ROWS]
        rows, cols = control.at(first, *part.shape)
        row = np.floor(rows + (_TIE_PX - window.row_off)).astype(np.int32)
        col = np.floor(cols + (_TIE_PX - window.col_off)).astype(np.int32)
        inside = (row >= 0) & (row < height) & (col >= 0) & (col < width)
        part[:] = np.where(inside, row * width + col, height * width)
    return index
