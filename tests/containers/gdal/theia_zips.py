"""Small ZIPs laid out as THEIA's products are, made of arrays."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine

NODATA_DN = -10_000
METADATA = """<?xml version="1.0" encoding="UTF-8"?>
<Muscate_Metadata_Document>
  <Product_Characteristics><ORBIT_NUMBER type="Orbit">{orbit}</ORBIT_NUMBER></Product_Characteristics>
  <Radiometric_Informations>
    <REFLECTANCE_QUANTIFICATION_VALUE>{quantification}</REFLECTANCE_QUANTIFICATION_VALUE>
    <Special_Values_List><SPECIAL_VALUE name="nodata">-10000</SPECIAL_VALUE></Special_Values_List>
  </Radiometric_Informations>
</Muscate_Metadata_Document>
"""


def tiff(values: NDArray[Any], cell_m: float, corner: tuple[float, float], epsg: int, **options: Any) -> bytes:
    """A GeoTIFF in memory."""
    profile = {"driver": "GTiff", "width": values.shape[1], "height": values.shape[0], "count": 1}
    transform = Affine(cell_m, 0, corner[0], 0, -cell_m, corner[1])
    buffer = io.BytesIO()
    with rasterio.open(
        buffer, "w", crs=f"EPSG:{epsg}", transform=transform, dtype=values.dtype, **(profile | options)
    ) as sink:
        sink.write(values, 1)
    return buffer.getvalue()


def write_zip(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def theia_members(
    name: str,
    bands: Mapping[str, NDArray[Any]],
    masks: Mapping[str, NDArray[np.uint8]],
    *,
    corner: tuple[float, float],
    epsg: int = 32631,
    metadata: str | None = METADATA.format(orbit=108, quantification=10_000),
    edge_m: float | None = None,
) -> dict[str, bytes]:
    """Members by name: `bands` by THEIA's numbers (B2 … B8A), `masks` such as CLM_R1; SRE beside FRE, to be left."""
    edge_m = edge_m or max(len(values) for values in bands.values()) * 10.0
    members: dict[str, bytes] = {}
    for number, values in bands.items():
        cell_m = edge_m / len(values)
        members[f"{name}/{name}_SRE_{number}.tif"] = tiff(np.full_like(values, 7), cell_m, corner, epsg)
        members[f"{name}/{name}_FRE_{number}.tif"] = tiff(values, cell_m, corner, epsg)
    for kind, codes in masks.items():
        folder = "" if kind.startswith("SNW") else "MASKS/"
        members[f"{name}/{folder}{name}_{kind}.tif"] = tiff(codes, edge_m / len(codes), corner, epsg)
    if metadata is not None:
        members[f"{name}/{name}_MTD_ALL.xml"] = metadata.encode()
    return members
