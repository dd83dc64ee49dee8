"""The DEM as SNAP reads it, and the area that gpt works on."""

from pathlib import Path
from typing import Final

import numpy as np
import rasterio
import shapely
from rasterio.crs import CRS
from rasterio.warp import transform_bounds, transform_geom
from shapely.geometry.base import BaseGeometry

from containers.base.contract.files import File
from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.radar import RadarProduct
from containers.base.contract.step import StepError
from containers.base.grid import crs_of
from containers.base.raster import open_raster, row_windows
from containers.base.step import local_path
from containers.snap.backscatter_graph import DEM_NODATA

_WGS84: Final = CRS.from_epsg(4326)
_UTM: Final = (*range(32601, 32661), *range(32701, 32761))
_FARTHEST_DEG: Final = 6.0
"""From a zone's central meridian, twice its half width: the tiles of Sentinel-2 reach a little beyond."""
_STRIP_M: Final = 1_000
_SHIFT: Final = 2.0
"""Ground range by which the image of a point moves per metre of its height, at most: cot 29° is 1.8 (near range)."""


def prepared_dem(dem: File, grid: Grid, path: Path) -> float:
    """Write the DEM without compression, since SNAP's reader knows no ZSTD; the range of its heights in metres.

    Raises `bad_grid` where it is not in EPSG:4326 or does not cover the grid.
    """
    with open_raster(local_path(dem)) as source:
        _require_cover(source, grid)
        profile = {
            "driver": "GTiff",
            "width": source.width,
            "height": source.height,
            "count": 1,
            "dtype": "float32",
            "crs": _WGS84,
            "transform": source.transform,
            "bigtiff": "if_safer",
        }
        lowest, highest = np.inf, -np.inf
        with rasterio.open(path, "w", **profile) as sink:
            for window in row_windows(source.shape):
                heights = source.read(1, window=window).astype(np.float32)
                known = np.isfinite(heights)
                lowest = min(lowest, heights.min(initial=np.inf, where=known))
                highest = max(highest, heights.max(initial=-np.inf, where=known))
                sink.write(np.where(known, heights, np.float32(DEM_NODATA)), 1, window=window)
    return float(max(0.0, highest - lowest))


def region_around(grid: Grid, relief_m: float) -> str:
    """The grid and a strip around it as WKT in EPSG:4326, wide enough for what relief shifts into or out of it."""
    strip_m = _STRIP_M + _SHIFT * relief_m
    west, south, east, north = grid.bounds
    box = shapely.box(west - strip_m, south - strip_m, east + strip_m, north + strip_m)
    return shapely.to_wkt(_in_degrees(box, grid), rounding_precision=6)


def require_zone(grid: Grid) -> None:
    """Raises `bad_grid` unless the grid is in a UTM zone, and in a zone that its area belongs to."""
    if grid.epsg not in _UTM:
        raise StepError(
            "bad_grid", f"EPSG:{grid.epsg} is no UTM zone of WGS 84.", "Choose EPSG:326xx (north) or 327xx (south)."
        )
    meridian = (grid.epsg % 100) * 6 - 183
    west, _, east, _ = transform_bounds(crs_of(grid), _WGS84, *grid.bounds)
    if not max(abs(west - meridian), abs(east - meridian)) <= _FARTHEST_DEG:
        raise StepError(
            "bad_grid",
            f"The grid reaches from {west:.2f}° to {east:.2f}°, the zone of EPSG:{grid.epsg} has its middle at "
            f"{meridian}°.",
            "Choose the zone of the area's centre.",
        )


def require_overlap(grid: Grid, slices: tuple[RadarProduct, ...]) -> None:
    """Raises `bad_aoi` where no slice covers a part of the grid."""
    area = _in_degrees(shapely.box(*grid.bounds), grid)
    if not any(area.intersects(shapely.from_wkt(product.footprint)) for product in slices):
        raise StepError(
            "bad_aoi",
            f"The footprints of {[product.id for product in slices]} miss the grid {tuple(grid.bounds)} "
            f"(EPSG:{grid.epsg}).",
            "Choose products over the area.",
        )


def _in_degrees(box: shapely.Polygon, grid: Grid) -> BaseGeometry:
    """A box of the grid's CRS in EPSG:4326, its edges with points between the corners."""
    dense = shapely.segmentize(box, max(box.length / 32, grid.resolution_m))
    return shapely.geometry.shape(transform_geom(crs_of(grid), _WGS84, shapely.geometry.mapping(dense)))


def _require_cover(source: rasterio.DatasetReader, grid: Grid) -> None:
    area = Bounds(*transform_bounds(crs_of(grid), _WGS84, *grid.bounds, densify_pts=21))
    has = Bounds(*source.bounds)
    inside = has.west <= area.west and has.south <= area.south and area.east <= has.east and area.north <= has.north
    if source.crs is None or source.crs.to_epsg() != 4326 or not inside:
        raise StepError(
            "bad_grid",
            f"The DEM covers {tuple(has)} in {source.crs}, the grid {tuple(area)} in EPSG:4326.",
            "Make the DEM for this grid with gdal.dem.",
        )
