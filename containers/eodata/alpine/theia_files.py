"""How THEIA's products lie in their ZIPs: GeoTIFF, metadata, and archives that are equal whenever they are made."""

import zipfile
from pathlib import Path
from typing import Any, Final, NamedTuple
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.transform import from_origin

from containers.base.contract.grid import Grid
from containers.eodata.acquisitions import Acquisition

_TIMELESS: Final = (2000, 1, 1, 0, 0, 0)


class Raster(NamedTuple):
    """Values on square cells of a tile."""

    values: npt.NDArray[Any]
    cell_m: int
    nodata: int | None


def raster_bytes(raster: Raster, grid: Grid) -> bytes:
    """A GeoTIFF on the tile's grid."""
    values = raster.values
    profile = {
        "driver": "GTiff", "width": values.shape[1], "height": values.shape[0], "count": 1, "dtype": values.dtype,
        "crs": grid.epsg, "transform": from_origin(grid.west_m, grid.north_m, raster.cell_m, raster.cell_m),
        "nodata": raster.nodata, "compress": "deflate", "predictor": 2 if values.dtype == np.int16 else 1,
    }  # fmt: skip
    with rasterio.MemoryFile() as memory:
        with memory.open(**profile) as target:
            target.write(values, 1)
        content: bytes = memory.read()
    return content


def write_zip(path: Path, folder: str, members: dict[str, bytes]) -> None:
    """Members below a folder of the product's name; GeoTIFFs are compressed already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            entry = zipfile.ZipInfo(f"{folder}/{name}", _TIMELESS)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, members[name])


def metadata(acquisition: Acquisition, name: str) -> bytes:
    """The elements of MTD_ALL.xml that name the product, its orbit, its scale and its special values."""
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- Simulated by Clearground: no satellite has seen this. -->
<Muscate_Metadata_Document>
  <Dataset_Identification>
    <IDENTIFIER>{escape(name)}</IDENTIFIER>
    <GEOGRAPHICAL_ZONE type="Tile">T{acquisition.tile.id}</GEOGRAPHICAL_ZONE>
  </Dataset_Identification>
  <Product_Characteristics>
    <PRODUCT_ID>{escape(name)}</PRODUCT_ID>
    <ACQUISITION_DATE>{acquisition.strip_start:%Y-%m-%dT%H:%M:%S.%f}Z</ACQUISITION_DATE>
    <PRODUCT_LEVEL>L2A</PRODUCT_LEVEL>
    <PRODUCT_VERSION>1.4</PRODUCT_VERSION>
    <PLATFORM>{acquisition.platform.replace("S", "SENTINEL", 1)}</PLATFORM>
    <ORBIT_NUMBER>{acquisition.orbit}</ORBIT_NUMBER>
  </Product_Characteristics>
  <Radiometric_Informations>
    <REFLECTANCE_QUANTIFICATION_VALUE>10000</REFLECTANCE_QUANTIFICATION_VALUE>
    <Special_Values_List>
      <SPECIAL_VALUE name="nodata">-10000</SPECIAL_VALUE>
    </Special_Values_List>
  </Radiometric_Informations>
</Muscate_Metadata_Document>
"""
    return text.encode()
