"""Small versions of large rasters: read from overviews, in bounded memory."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.windows import Window

from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.step import StepError
from containers.base.grid import grid_of, require_grid
from containers.base.raster import open_raster, row_windows

Mask = NDArray[np.bool_]

_STRIP_CELLS = 32 << 20


class Preview(NamedTuple):
    """A raster as it is drawn."""

    values: NDArray[Any]
    """(band, y, x); float64 with scale and offset applied, or the file's codes."""
    valid: Mask
    """(y, x): data in every band."""
    bounds: Bounds
    """What the picture covers, in metres."""
    grid: Grid
    """The raster's own grid."""


def preview_shape(shape: tuple[int, int], max_px: int) -> tuple[int, int]:
    """(rows, columns) with the longer side at most `max_px`; never larger than the raster."""
    factor = max(1.0, max(shape) / max_px)
    return max(1, round(shape[0] / factor)), max(1, round(shape[1] / factor))


def read_quantities(paths: Sequence[Path], max_px: int, band: int = 1) -> Preview:
    """One band of each raster, averaged, in physical units.

    Raises `grid_mismatch` where grids differ, `unknown_band` where a raster has fewer bands.
    """
    with open_raster(paths[0]) as first:
        grid = grid_of(first)
    layers = np.ma.stack([_averaged(path, grid, max_px, band) for path in paths])
    valid = np.logical_and.reduce(~np.ma.getmaskarray(layers))
    return Preview(layers.data, valid, grid.bounds, grid)


def read_codes(path: Path, max_px: int) -> Preview:
    """The first band's codes; a picture cell holds the most frequent one."""
    with open_raster(path) as dataset:
        shape = preview_shape(dataset.shape, max_px)
        codes = dataset.read(1, out_shape=shape, resampling=Resampling.mode, masked=True)
        grid = grid_of(dataset)
    return Preview(codes.data[np.newaxis], ~np.ma.getmaskarray(codes), grid.bounds, grid)


def read_highest(path: Path, max_px: int) -> Preview:
    """The first band's codes; a picture cell holds the highest valid one in it, read from every cell.

    Change covers a few cells in ten thousand: overviews, by majority or by nearest neighbour, would hide it.
    """
    with open_raster(path) as dataset:
        factor = -(-max(dataset.shape) // max_px)
        rows = factor * max(1, _STRIP_CELLS // (dataset.width * factor))
        windows = row_windows(dataset.shape, rows)
        strips = [highest_in_blocks(*_read_strip(dataset, window), factor) for window in windows]
        grid = grid_of(dataset)
    codes, valid = (np.concatenate(parts) for parts in zip(*strips, strict=True))
    cell_m = factor * grid.resolution_m
    south, east = grid.north_m - codes.shape[0] * cell_m, grid.west_m + codes.shape[1] * cell_m
    return Preview(codes[np.newaxis], valid, Bounds(grid.west_m, south, east, grid.north_m), grid)


def highest_in_blocks(codes: NDArray[Any], valid: Mask, factor: int) -> tuple[NDArray[Any], Mask]:
    """The highest valid code of every block of `factor` × `factor` cells, and whether it has one.

    Blocks at the lower and right edge may be smaller. A block without a valid code holds the type's lowest value.
    """
    rows, cols = (range(0, size, factor) for size in codes.shape)
    candidates = np.where(valid, codes, np.iinfo(codes.dtype).min)
    highest = np.maximum.reduceat(np.maximum.reduceat(candidates, rows, axis=0), cols, axis=1)
    any_valid = np.logical_or.reduceat(np.logical_or.reduceat(valid, rows, axis=0), cols, axis=1)
    return highest, any_valid


def _read_strip(dataset: Any, window: Window) -> tuple[NDArray[Any], Mask]:
    strip = dataset.read(1, window=window, masked=True)
    return strip.data, ~np.ma.getmaskarray(strip)


def _averaged(path: Path, grid: Grid, max_px: int, band: int) -> np.ma.MaskedArray[Any, Any]:
    with open_raster(path) as dataset:
        require_grid(dataset, grid)
        if band > dataset.count:
            raise StepError(
                "unknown_band", f"{path.name} has {dataset.count} bands, not {band}.", "Name a band that it has."
            )
        shape = preview_shape(dataset.shape, max_px)
        layer = dataset.read(band, out_shape=shape, resampling=Resampling.average, masked=True, out_dtype="float64")
        return np.ma.masked_invalid(layer * dataset.scales[band - 1] + dataset.offsets[band - 1])
