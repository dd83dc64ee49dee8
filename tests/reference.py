"""Slow, obvious ways to the same answers."""

from typing import Any

import numpy as np
import rasterio.warp
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import Affine

from containers.base.contract.grid import Grid


def exact_source_positions(grid: Grid, crs: CRS, transform: Affine) -> tuple[NDArray[Any], NDArray[Any]]:
    """Fractional source row and column of every cell centre, each transformed on its own."""
    rows, cols = np.mgrid[: grid.height, : grid.width]
    xs = grid.west_m + (cols.ravel() + 0.5) * grid.resolution_m
    ys = grid.north_m - (rows.ravel() + 0.5) * grid.resolution_m
    xs, ys = rasterio.warp.transform(CRS.from_epsg(grid.epsg), crs, xs, ys)
    a, b, c, d, e, f = (~transform)[:6]
    source_cols = a * np.asarray(xs) + b * np.asarray(ys) + c
    source_rows = d * np.asarray(xs) + e * np.asarray(ys) + f
    return source_rows.reshape(grid.shape), source_cols.reshape(grid.shape)


def nearest_warp(source: NDArray[Any], positions: tuple[NDArray[Any], NDArray[Any]], nodata: int) -> NDArray[Any]:
    """The pixel that each position falls into, one by one."""
    rows, cols = positions
    target = np.full(rows.shape, nodata, dtype=source.dtype)
    for cell in np.ndindex(rows.shape):
        row, col = int(np.floor(rows[cell])), int(np.floor(cols[cell]))
        if 0 <= row < source.shape[0] and 0 <= col < source.shape[1]:
            target[cell] = source[row, col]
    return target


def near_pixel_edge(positions: tuple[NDArray[Any], NDArray[Any]], tolerance_px: float = 0.125) -> NDArray[np.bool_]:
    """Where a position lies so close to the edge of a source pixel that either neighbour is right."""
    near = [np.abs(values - np.round(values)) <= tolerance_px for values in positions]
    return near[0] | near[1]
