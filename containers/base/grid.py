"""The contract's Grid in rasterio's terms: transform, windows, and the grid of an open raster."""

from typing import Any

import rasterio.warp
from rasterio.crs import CRS
from rasterio.transform import Affine
from rasterio.windows import Window

from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.step import StepError

_ALIGNED_PX = 1e-3
"""Origins that differ by less than this part of a cell are the same: GeoTIFF keeps float64, VRTs print decimals."""


def crs_of(grid: Grid) -> CRS:
    return CRS.from_epsg(grid.epsg)


def transform_of(grid: Grid) -> Affine:
    """(column, row) of a cell corner to (easting, northing) in metres."""
    return Affine(grid.resolution_m, 0, grid.west_m, 0, -grid.resolution_m, grid.north_m)


def grid_of(dataset: Any) -> Grid:
    """The grid of an open raster.

    Raises `corrupt_file` without an EPSG code, `grid_mismatch` where cells are not square, north-up and snapped.
    """
    epsg = dataset.crs.to_epsg() if dataset.crs else None
    if epsg is None:
        raise StepError(
            "corrupt_file",
            f"{dataset.name} has no coordinate reference system with an EPSG code: {dataset.crs}.",
            "Write the CRS into the file, or take the original product.",
        )
    transform = dataset.transform
    try:
        grid = Grid(
            epsg=epsg,
            resolution_m=transform.a,
            west_m=transform.c,
            north_m=transform.f,
            width=dataset.width,
            height=dataset.height,
        )
    except ValueError as error:
        raise _mismatch(f"{dataset.name} is on no snapped grid: {transform[:6]}") from error
    if not transform.almost_equals(transform_of(grid), precision=_ALIGNED_PX):
        raise _mismatch(f"{dataset.name} has rotated or oblong cells: {transform[:6]}")
    return grid


def offset_in(outer: Grid, inner: Grid) -> tuple[int, int]:
    """(row, column) of `inner`'s first cell in `outer`; negative where it starts outside.

    Raises `grid_mismatch` where CRS or resolution differ or the cells do not coincide.
    """
    if (outer.epsg, outer.resolution_m) != (inner.epsg, inner.resolution_m):
        raise _mismatch(
            f"EPSG:{inner.epsg} at {inner.resolution_m} m does not fit EPSG:{outer.epsg} at {outer.resolution_m} m"
        )
    row = (outer.north_m - inner.north_m) / outer.resolution_m
    col = (inner.west_m - outer.west_m) / outer.resolution_m
    if max(abs(row - round(row)), abs(col - round(col))) > _ALIGNED_PX:
        raise _mismatch(
            f"cells are shifted by ({row % 1:.3f}, {col % 1:.3f}) of a cell: origins "
            f"({inner.west_m}, {inner.north_m}) and ({outer.west_m}, {outer.north_m})"
        )
    return round(row), round(col)


def window_of(outer: Grid, inner: Grid) -> Window:
    """Where `inner` lies in `outer`. Raises `grid_mismatch` where it does not lie inside, cell on cell."""
    row, col = offset_in(outer, inner)
    if row < 0 or col < 0 or row + inner.height > outer.height or col + inner.width > outer.width:
        raise _mismatch(f"{tuple(inner.bounds)} reaches beyond {tuple(outer.bounds)}")
    return Window(col, row, inner.width, inner.height)


def part_of(grid: Grid, window: Window) -> Grid:
    """The grid of one window of `grid`."""
    return grid.model_copy(
        update={
            "west_m": grid.west_m + window.col_off * grid.resolution_m,
            "north_m": grid.north_m - window.row_off * grid.resolution_m,
            "width": int(window.width),
            "height": int(window.height),
        }
    )


def require_grid(dataset: Any, grid: Grid) -> None:
    """Raises `grid_mismatch`, with both grids, unless the raster lies exactly on `grid`."""
    found = grid_of(dataset)
    same = (found.epsg, found.resolution_m, found.shape) == (grid.epsg, grid.resolution_m, grid.shape)
    if not same or offset_in(grid, found) != (0, 0):
        raise _mismatch(f"{dataset.name} is on {found!r}, expected {grid!r}")


def bounds_in(dataset: Any, epsg: int) -> Bounds:
    """The outline of an open raster in another CRS, its edges densified.

    Values are infinite where the CRS does not reach.
    """
    return Bounds(*rasterio.warp.transform_bounds(dataset.crs, CRS.from_epsg(epsg), *dataset.bounds, densify_pts=21))


def _mismatch(reason: str) -> StepError:
    return StepError(
        "grid_mismatch", f"{reason}.", "Bring every raster to the run's grid with gdal.align or gdal.labels."
    )
