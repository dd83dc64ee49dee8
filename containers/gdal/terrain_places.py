"""Height, slope and aspect at places, from rasters in any CRS."""

import numpy as np
import rasterio.transform
import rasterio.warp
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.windows import Window

from containers.base.contract.files import File
from containers.base.raster import open_raster
from containers.base.step import local_path
from containers.gdal.contract.type_features import Terrain

Places = NDArray[np.floating]


def terrain_at(terrain: Terrain, x_m: Places, y_m: Places, epsg: int) -> NDArray[np.float32]:
    """(n, 3): height in metres, slope and aspect in degrees of the pixel that holds each place; NaN where none does."""
    return np.stack([_at(file, x_m, y_m, epsg) for file in (terrain.height, terrain.slope, terrain.aspect)], axis=1)


def _at(file: File, x_m: Places, y_m: Places, epsg: int) -> NDArray[np.float32]:
    with open_raster(local_path(file)) as raster:
        x, y = rasterio.warp.transform(CRS.from_epsg(epsg), raster.crs, x_m, y_m)
        row, column = (np.array(places, int) for places in rasterio.transform.rowcol(raster.transform, x, y))
        inside = (row >= 0) & (row < raster.height) & (column >= 0) & (column < raster.width)
        found = np.full(len(x), np.nan, np.float32)
        if inside.any():
            top, left = row[inside].min(), column[inside].min()
            window = Window(left, top, column[inside].max() - left + 1, row[inside].max() - top + 1)
            values = raster.read(1, window=window, masked=True).astype(np.float32).filled(np.nan)
            found[inside] = values[row[inside] - top, column[inside] - left]
    return found
