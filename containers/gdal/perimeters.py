"""Burned cells as outlines."""

from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize, shapes, sieve
from shapely.geometry import shape

from containers.base.contract.grid import Bounds, Grid
from containers.base.grid import part_of, transform_of
from containers.base.raster import open_raster, row_windows

_LAYER = "perimeters"
_NEIGHBOURS = 4
"""Cells that touch at a corner only are two perimeters: one would be no valid polygon."""


class Perimeters(NamedTuple):
    """Polygons, largest first, of equal ones the northernmost, then the westernmost first."""

    polygons: list[Any]
    grid: Grid


def outlines(burned: NDArray[np.uint8], grid: Grid, min_area_ha: float) -> Perimeters:
    """Polygons along the edges of burned cells, which are 1 in (y, x) uint8; their holes are kept.

    An area is that of the cells without the holes; smaller ones than `min_area_ha` are left out.
    """
    mask = (burned == 1).astype(np.uint8)
    if (least := int(np.ceil(min_area_ha / grid.cell_area_ha))) > 1:
        # Speckle is taken out before it becomes geometry. A sieve fills small holes as well, hence the product.
        mask *= sieve(mask, least, connectivity=_NEIGHBOURS)
    found = shapes(mask, mask=mask, connectivity=_NEIGHBOURS, transform=transform_of(grid))
    polygons = [shape(geometry) for geometry, _ in found]
    kept = [polygon for polygon in polygons if _area_ha(polygon) >= min_area_ha - 1e-9]
    return Perimeters(sorted(kept, key=_largest_first), grid)


def means_of(perimeters: Perimeters, index: Path) -> NDArray[np.float64]:
    """The mean of an index raster over the cells of each perimeter, NaN where it has none; (polygon,)."""
    grid, polygons = perimeters.grid, perimeters.polygons
    sums, counts = np.zeros(len(polygons) + 1), np.zeros(len(polygons) + 1)
    tree = shapely.STRtree(polygons)
    with open_raster(index) as raster:
        for window in row_windows(grid.shape):
            part = part_of(grid, window)
            near = np.sort(tree.query(shapely.box(*part.bounds)))
            if not near.size:
                continue
            numbered = [(polygons[number], number + 1) for number in near]
            zones = rasterize(numbered, out_shape=part.shape, transform=transform_of(part), dtype="int32")
            values = raster.read(1, window=window)
            inside = (zones > 0) & ~np.isnan(values)
            sums += np.bincount(zones[inside], values[inside], len(sums))
            counts += np.bincount(zones[inside], minlength=len(counts))
    with np.errstate(invalid="ignore"):
        means: NDArray[np.float64] = sums[1:] / counts[1:]
    return means


def write_perimeters(perimeters: Perimeters, means: NDArray[np.float64], index: str, path: Path) -> Path:
    """A GeoPackage with id, area_ha and mean_<index>, also where nothing burned."""
    areas = [_area_ha(polygon) for polygon in perimeters.polygons]
    columns = {"id": np.arange(1, len(areas) + 1), "area_ha": np.round(areas, 4), f"mean_{index}": np.round(means, 4)}
    frame = gpd.GeoDataFrame(columns, geometry=perimeters.polygons, crs=perimeters.grid.epsg)
    # A GeoPackage holds the time of its last change: fixed, so that equal perimeters are equal files.
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "1970-01-01T00:00:00.000Z"})
    frame.to_file(path, driver="GPKG", layer=_LAYER, geometry_type="Polygon", VERSION="1.2")
    return path


def _area_ha(polygon: Any) -> float:
    return float(polygon.area) / 10_000


def _largest_first(polygon: Any) -> tuple[float, float, float]:
    bounds = Bounds(*polygon.bounds)
    return -polygon.area, -bounds.north, bounds.west
