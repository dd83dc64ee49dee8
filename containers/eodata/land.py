"""Where the land is: its precise outline, and a coarse one to search with."""

from pathlib import Path
from typing import Final

import geopandas
import numpy as np
import shapely
from rasterio.features import shapes
from rasterio.transform import from_origin
from scipy.ndimage import label
from shapely import Polygon
from shapely.geometry import shape

from containers.eodata.cover import Cover
from containers.eodata.place import PIXEL_M
from containers.eodata.regions import write_layer
from containers.eodata.world import World

_SMALLEST_HA: Final = 25.0
"""Smaller waters are land to those who outline it."""
_COARSE_M: Final = 300.0


def write_land(world: World, year: int, out: Path) -> tuple[Path, Path]:
    """`land.gpkg`, everything but the sea and large lakes, and `land_coarse.geojson`, both in EPSG:4326."""
    water = np.asarray(world.layer(str(year))[::2, ::2]) == Cover.WATER
    bodies, _ = label(water)
    sizes = np.bincount(bodies.ravel()) * PIXEL_M**2 / 10_000
    sizes[0] = 0
    is_land = ~(sizes >= _SMALLEST_HA)[bodies]
    grid = world.grid
    place = from_origin(grid.west_m, grid.north_m, PIXEL_M, PIXEL_M)
    found = shapes(is_land.astype(np.uint8), mask=is_land, transform=place)
    land = shapely.union_all([shape(polygon) for polygon, _ in found])
    coarse = shapely.union_all([Polygon(part.exterior) for part in shapely.get_parts(land.buffer(2 * _COARSE_M))])
    coarse = coarse.simplify(_COARSE_M)
    precise, rough = (geopandas.GeoSeries([each], crs=grid.epsg).to_crs(4326) for each in (land, coarse))
    frame = geopandas.GeoDataFrame({"name": ["Simulated land"]}, geometry=precise)
    write_layer(frame, out / "land.gpkg", "simulated_land")
    (out / "land_coarse.geojson").write_text(rough.to_json(to_wgs84=True) + "\n", encoding="utf-8")
    return out / "land.gpkg", out / "land_coarse.geojson"
