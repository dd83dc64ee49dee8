"""Ground cells with their heights: the grid's centres on the ellipsoid, between the posts of a DEM."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.windows import Window
from scipy.ndimage import map_coordinates

from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.step import StepError
from containers.base.raster import row_windows

Values = NDArray[np.float64]
_DEM_EPSG: Final = 4326


class Ground(NamedTuple):
    """Centres of cells; each (y, x), float64. Heights count from the WGS 84 ellipsoid and are NaN outside the DEM."""

    longitude: Values
    latitude: Values
    height_m: Values


def ground_of(dem: Any, part: Grid) -> Ground:
    """The cells of a grid on an open DEM, heights bilinear between the posts.

    Every cell is transformed by itself: GDAL's warp approximates positions by block, and blocks must agree here.
    """
    longitude, latitude = centres(part)
    transform = ~dem.transform
    col, row = transform.a * longitude + transform.c - 0.5, transform.e * latitude + transform.f - 0.5
    window = _window_around(dem.shape, row, col)
    if window is None:
        return Ground(longitude, latitude, np.full(part.shape, np.nan))
    heights = dem.read(1, window=window).astype(np.float64)
    if dem.nodata is not None and not np.isnan(dem.nodata):
        heights[heights == dem.nodata] = np.nan
    at = np.stack([row - window.row_off, col - window.col_off])
    return Ground(longitude, latitude, map_coordinates(heights, at, order=1, mode="constant", cval=np.nan))


def centres(part: Grid) -> tuple[Values, Values]:
    """Longitudes and latitudes of the cells' centres; each (y, x)."""
    x = part.west_m + (np.arange(part.width) + 0.5) * part.resolution_m
    y = part.north_m - (np.arange(part.height) + 0.5) * part.resolution_m
    to_degrees = Transformer.from_crs(part.epsg, _DEM_EPSG, always_xy=True)
    longitude, latitude = to_degrees.transform(*np.meshgrid(x, y))
    return longitude, latitude


def require_heights(dem: Any, grid: Grid) -> None:
    """Raises `bad_parameters` for a DEM in another CRS, `missing_file`, with both bounds, where it ends in the grid."""
    epsg = dem.crs.to_epsg() if dem.crs else None
    if epsg != _DEM_EPSG:
        raise StepError(
            "bad_parameters", f"The DEM's CRS is {dem.crs}, not EPSG:{_DEM_EPSG}.", "Make the DEM with gdal.dem."
        )
    longitude, latitude = (edge(values) for values in centres(grid))
    needed = Bounds(longitude.min(), latitude.min(), longitude.max(), latitude.max())
    held = Bounds(*dem.bounds)
    if needed.west < held.west or needed.south < held.south or needed.east > held.east or needed.north > held.north:
        raise StepError(
            "missing_file",
            f"The DEM covers {_degrees(held)}, the grid with the cells around it needs {_degrees(needed)}.",
            "Make the DEM with gdal.dem for this grid, with a margin.",
        )


def relief_m(dem: Any) -> tuple[float, float]:
    """Lowest and highest height of a DEM in metres. Raises `missing_file` where it holds none."""
    extremes = []
    for window in row_windows(dem.shape):
        heights = dem.read(1, window=window, masked=True).astype(np.float64).filled(np.nan)
        if np.isfinite(heights).any():
            extremes += [float(np.nanmin(heights)), float(np.nanmax(heights))]
    if not extremes:
        raise StepError("missing_file", f"{dem.name} holds no height.", "Make the DEM with gdal.dem for this grid.")
    return min(extremes), max(extremes)


def edge(values: Values) -> Values:
    """The outermost cells of an array, in a row."""
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def _window_around(shape: tuple[int, int], row: Values, col: Values) -> Window | None:
    """The posts around the positions that the DEM has; None where it has none."""
    top, left = max(0, int(np.floor(row.min()))), max(0, int(np.floor(col.min())))
    bottom, right = min(shape[0], int(np.floor(row.max())) + 2), min(shape[1], int(np.floor(col.max())) + 2)
    return Window(left, top, right - left, bottom - top) if bottom > top and right > left else None


def _degrees(bounds: Bounds) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in bounds)
