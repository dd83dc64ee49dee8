"""What truly burned, on the tile's grid of 10 m, and how an image would look without clouds."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.transform import from_origin

from containers.base.contract.grid import Grid
from containers.eodata.acquisitions import Acquisition
from containers.eodata.camera import MARGIN
from containers.eodata.place import FINE_M
from containers.eodata.product import cell_m
from containers.eodata.scar import BURNED_FROM
from containers.eodata.world import World

_NAMES: Final = {
    "B02": "blue", "B03": "green", "B04": "red", "B08": "nir", "B8A": "nir08", "B11": "swir16", "B12": "swir22",
}  # fmt: skip
NODATA: Final = -32768


def write_fire(world: World, tile: Grid, folder: Path) -> list[Path]:
    """`fire.tif`, 1 burned and 0 not, and `fire_severity.tif`, 0 to 1: of the landscape's nearest cells."""
    inner = slice(MARGIN, -MARGIN)
    severity = world.severity_under(tile, 0, tile.height)[inner, inner]
    burned = (severity >= BURNED_FROM).astype(np.uint8)
    paths = [folder / "fire.tif", folder / "fire_severity.tif"]
    write_bands(paths[0], tile, {"burned": burned}, nodata=255)
    write_bands(paths[1], tile, {"severity": severity}, nodata=-1)
    return paths


def write_clear(acquisition: Acquisition, images: dict[str, npt.NDArray[np.generic]], path: Path) -> None:
    """Reflectance × 10 000 of the bands that have names, cells of 20 m as four of 10 m."""
    bands = {}
    for asset in sorted(images, reverse=True):
        if name := _NAMES.get(asset[:3]):
            numbers = images[asset].astype(np.int32)
            values = np.where(numbers > 0, numbers + acquisition.offset_dn, NODATA).astype(np.int16)
            scale = cell_m(asset) // FINE_M
            bands[name] = values.repeat(scale, axis=0).repeat(scale, axis=1)
    order = [name for name in _NAMES.values() if name in bands]
    write_bands(path, acquisition.grid, {name: bands[name] for name in order}, nodata=NODATA)


def write_bands(path: Path, tile: Grid, bands: dict[str, npt.NDArray[Any]], nodata: float) -> None:
    """Write named bands on the 10 m grid of a tile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first = next(iter(bands.values()))
    profile = {
        "driver": "GTiff", "width": first.shape[1], "height": first.shape[0], "count": len(bands),
        "dtype": first.dtype, "crs": tile.epsg, "transform": from_origin(tile.west_m, tile.north_m, FINE_M, FINE_M),
        "nodata": nodata, "tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate",
        "predictor": 3 if first.dtype == np.float32 else 2,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.descriptions = tuple(bands)
        for index, values in enumerate(bands.values(), start=1):
            target.write(values, index)
