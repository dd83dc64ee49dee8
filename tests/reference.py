"""Slow, obvious ways to the same answers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.crs import CRS
from rasterio.transform import Affine

from containers.base.contract.grid import Grid


def exact_source_positions(grid: Grid, crs: CRS, transform: Affine) -> tuple[NDArray[Any], NDArray[Any]]:
    """Fractional source row and column of every cell centre, each transformed on its own."""
    rows, cols = np.mgrid[: grid.height, : grid.width]
    xs = grid.west_m + (cols.ravel() + 0.5) * grid.resolution_m
    ys = grid.north_m - (rows.ravel() + 0.5) * grid.resolution_m
    xs, ys = Transformer.from_crs(grid.epsg, crs.to_wkt(), always_xy=True).transform(xs, ys)
    a, b, c, d, e, f = (~transform)[:6]
    source_cols = a * xs + b * ys + c
    source_rows = d * xs + e * ys + f
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


def disk_dilation(mask: NDArray[np.bool_], radius_px: float) -> NDArray[np.bool_]:
    """Cells with a set cell within the radius, by looking at every pair."""
    grown = np.zeros_like(mask)
    set_cells = np.argwhere(mask)
    for cell in np.ndindex(mask.shape):
        grown[cell] = any(np.hypot(*(set_cell - cell)) <= radius_px for set_cell in set_cells)
    return grown


def composite_of_cell(method: str, observations: list[tuple[int, list[int]]]) -> tuple[list[int] | None, int, int]:
    """Bands, count and date of one cell from its clear observations (day, bands), best first."""
    by_day: dict[int, list[int]] = {}
    for day, bands in observations:
        by_day.setdefault(day, bands)
    if not by_day:
        return None, 0, 0
    if method == "best":
        day, bands = next(iter(by_day.items()))
        return bands, len(by_day), day
    medians = [int(np.rint(np.median(values))) for values in zip(*by_day.values(), strict=True)]
    nearest = min(by_day, key=lambda day: sum(abs(a - b) for a, b in zip(by_day[day], medians, strict=True)))
    return medians, len(by_day), nearest


def majority_codes(
    codes: NDArray[Any], transform: Affine, epsg: int, grid: Grid
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The most frequent code among the source cells whose centres lie in each cell, and its lead over the second."""
    votes = np.zeros((*grid.shape, 256), dtype=np.int64)
    rows, cols = np.mgrid[: codes.shape[0], : codes.shape[1]]
    xs = transform.c + (cols.ravel() + 0.5) * transform.a
    ys = transform.f + (rows.ravel() + 0.5) * transform.e
    xs, ys = Transformer.from_crs(epsg, grid.epsg, always_xy=True).transform(xs, ys)
    for x, y, code in zip(xs, ys, codes.ravel(), strict=True):
        row, col = int((grid.north_m - y) // grid.resolution_m), int((x - grid.west_m) // grid.resolution_m)
        if 0 <= row < grid.height and 0 <= col < grid.width:
            votes[row, col, code] += 1
    ordered = np.sort(votes, axis=-1)
    return votes.argmax(axis=-1), ordered[..., -1] - ordered[..., -2]


def picture_of(source: NDArray[Any], source_grid: Grid, picture: Grid, nodata: int) -> NDArray[np.float64]:
    """The mean of what each cell of the picture sees, point by point on a lattice of 1/6 of the finer cells' edge."""
    step = min(source_grid.resolution_m, picture.resolution_m) / 6
    points = int(picture.resolution_m / step)
    means = np.full(picture.shape, np.nan)
    for row, col in np.ndindex(picture.shape):
        norths = picture.north_m - row * picture.resolution_m - (np.arange(points) + 0.5) * step
        easts = picture.west_m + col * picture.resolution_m + (np.arange(points) + 0.5) * step
        rows = ((source_grid.north_m - norths) // source_grid.resolution_m).astype(int)
        cols = ((easts - source_grid.west_m) // source_grid.resolution_m).astype(int)
        inside = np.ix_((rows >= 0) & (rows < source_grid.height), (cols >= 0) & (cols < source_grid.width))
        seen = source[np.ix_(rows[inside[0].ravel()], cols[inside[1].ravel()])]
        seen = seen[seen != nodata]
        if 2 * seen.size >= points**2:
            means[row, col] = seen.mean()
    return means
