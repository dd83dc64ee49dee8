"""What the archive tells of the relief: a Copernicus DEM above the geoid, and the geoid above the ellipsoid."""

import math
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
import rasterio.shutil
from pyproj import Transformer
from rasterio.transform import from_origin

from containers.base.contract.grid import Bounds
from containers.eodata.alpine.mountains import Mountains
from containers.eodata.hills import Hills
from containers.eodata.noise import Axis, FloatArray, Noise
from containers.eodata.place import EPSG
from containers.eodata.sky import field_at

GEOID_PATH: Final = "auxdata/geoid/simulated_geoid_1min.tif"
_DEM_FOLDER: Final = "auxdata/CopDEM_COG/copernicus-dem-30m"
_SECOND_DEG, _MINUTE_DEG = 1 / 3600, 1 / 60
_MARGIN_DEG: Final = 0.1
"""How far DEM and geoid reach beyond the landscape."""
_NODE_M: Final = 25.0
_ERROR_M: Final = 0.5
"""Standard deviation of the DEM's error, in patches of some pixels."""
_UNDULATION_M, _SWING_M = 46.0, 1.2


def undulation(noise: Noise, y_m: Axis, x_m: Axis) -> FloatArray:
    """Metres of the geoid above the WGS 84 ellipsoid on the grid of two axes in EPSG:3035."""
    return np.float32(_UNDULATION_M) + np.float32(_SWING_M) * noise.smooth(y_m, x_m, 60_000, "geoid")


def dem_path(lat_deg: int, lon_deg: int) -> str:
    """Key of the Copernicus DEM tile whose south-western corner this is.

    >>> dem_path(48, -3).rsplit("/", 1)[1]
    'Copernicus_DSM_COG_10_N48_00_W003_00_DEM.tif'
    """
    north, east = "N" if lat_deg >= 0 else "S", "E" if lon_deg >= 0 else "W"
    name = f"Copernicus_DSM_COG_10_{north}{abs(lat_deg):02d}_00_{east}{abs(lon_deg):03d}_00_DEM"
    return f"{_DEM_FOLDER}/{name}/{name}.tif"


def write_elevation(hills: Hills | Mountains, bounds: Bounds, bucket: Path) -> tuple[list[Path], list[Path]]:
    """DEM tiles of one degree, of which only the surroundings of `bounds` (EPSG:3035) are kept, and the geoid."""
    west, south, east, north = Transformer.from_crs(EPSG, 4326, always_xy=True).transform_bounds(*bounds)
    wanted = Bounds(west - _MARGIN_DEG, south - _MARGIN_DEG, east + _MARGIN_DEG, north + _MARGIN_DEG)
    dems = []
    for lat in range(math.floor(wanted.south), math.ceil(wanted.north)):
        for lon in range(math.floor(wanted.west), math.ceil(wanted.east)):
            dems.append(bucket / dem_path(lat, lon))
            _write_dem(hills, _common(wanted, lat, lon), dems[-1])
    geoid = bucket / GEOID_PATH
    x, y, place = _centres(wanted, _MINUTE_DEG, 0.0)
    _write(geoid, _at(lambda y_m, x_m: undulation(hills.noise, y_m, x_m), x, y, 1000.0), place)
    return dems, [geoid]


def _common(wanted: Bounds, lat: int, lon: int) -> Bounds:
    """The part of a tile of one degree that is wanted."""
    return Bounds(max(wanted.west, lon), max(wanted.south, lat), min(wanted.east, lon + 1), min(wanted.north, lat + 1))


def _write_dem(hills: Hills | Mountains, part: Bounds, path: Path) -> None:
    """Pixel centres lie on whole arc seconds, as in the Copernicus DEM south of 50° N."""
    x, y, place = _centres(part, _SECOND_DEG, 0.5)
    heights = _at(hills.heights, x, y, _NODE_M)
    error = _at(lambda y_m, x_m: hills.noise.smooth(y_m, x_m, 90, "DEM", 2), x, y, _NODE_M)
    _write(path, heights + np.float32(_ERROR_M) * error, place)


def _centres(part: Bounds, step_deg: float, shift: float) -> tuple[Axis, Axis, Any]:
    """Longitudes, latitudes and transform of cells whose edges lie on multiples of the step less `shift` cells."""
    first, last = math.floor(part.west / step_deg + 1e-6), math.ceil(part.east / step_deg - 1e-6)
    top, bottom = math.ceil(part.north / step_deg - 1e-6), math.floor(part.south / step_deg + 1e-6)
    columns = np.arange(first, last, dtype=np.float64)
    rows = np.arange(top, bottom, -1, dtype=np.float64)
    place = from_origin((first - shift) * step_deg, (top + shift) * step_deg, step_deg, step_deg)
    return (columns - shift + 0.5) * step_deg, (rows + shift - 0.5) * step_deg, place


def _at(field: Any, lon_deg: Axis, lat_deg: Axis, node_m: float) -> FloatArray:
    """A field of EPSG:3035 at the nodes of a geographic grid."""
    x_m, y_m = Transformer.from_crs(4326, EPSG, always_xy=True).transform(*np.meshgrid(lon_deg, lat_deg))
    return field_at(y_m, x_m, node_m, field)


def _write(path: Path, values: FloatArray, place: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tags = {"TIFFTAG_IMAGEDESCRIPTION": "Simulated by Clearground: no satellite has seen this."}
    profile = {
        "driver": "GTiff", "width": values.shape[1], "height": values.shape[0], "count": 1, "dtype": "float32",
        "crs": 4326, "transform": place,
    }  # fmt: skip
    with rasterio.MemoryFile() as memory:
        with memory.open(**profile) as target:
            target.write(values.astype(np.float32), 1)
            target.update_tags(**tags)
        with memory.open() as source:
            rasterio.shutil.copy(source, path, driver="COG", compress="DEFLATE", predictor="YES", blocksize=512)
