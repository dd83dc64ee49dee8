"""A Sentinel-2 Level-2A product on disk: the SAFE folder with its metadata and JPEG 2000 bands."""

import hashlib
from pathlib import Path
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.transform import from_origin

from containers.eodata.acquisitions import Acquisition

_BAND_IDS: Final = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
_CHUNK_BYTES: Final = 1 << 20


class StoredFile(NamedTuple):
    """One object: its asset key, its path below the bucket, its size and SHA-256."""

    asset: str
    path: str
    size: int
    sha256: str


def image_path(acquisition: Acquisition, asset: str) -> str:
    """Path of a band below the bucket, such as `…/R20m/T33UTP_20200511T101031_B04_20m.jp2`."""
    name = f"T{acquisition.tile.id}_{acquisition.start:%Y%m%dT%H%M%S}_{asset}.jp2"
    return f"{acquisition.folder}/GRANULE/{acquisition.granule}/IMG_DATA/R{asset.rsplit('_', 1)[1]}/{name}"


def metadata_paths(acquisition: Acquisition) -> dict[str, str]:
    """STAC asset key to the path of each metadata file below the bucket."""
    return {
        "product_metadata": f"{acquisition.folder}/MTD_MSIL2A.xml",
        "granule_metadata": f"{acquisition.folder}/GRANULE/{acquisition.granule}/MTD_TL.xml",
    }


def write_image(root: Path, acquisition: Acquisition, asset: str, values: npt.NDArray[np.generic]) -> StoredFile:
    """Write a band without loss. As in real products, nothing declares that 0 is no data."""
    path = root / image_path(acquisition, asset)
    path.parent.mkdir(parents=True, exist_ok=True)
    cell_m = int(asset[-3:-1])
    profile = {
        "driver": "JP2OpenJPEG", "width": values.shape[1], "height": values.shape[0], "count": 1, "dtype": values.dtype,
        "crs": acquisition.grid.epsg,
        "transform": from_origin(acquisition.grid.west_m, acquisition.grid.north_m, cell_m, cell_m),
        "QUALITY": "100", "REVERSIBLE": "YES", "YCBCR420": "NO", "BLOCKXSIZE": 1024, "BLOCKYSIZE": 1024,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(values, 1)
    path.with_suffix(".jp2.aux.xml").unlink(missing_ok=True)
    return stored(root, image_path(acquisition, asset), asset)


def write_metadata(root: Path, acquisition: Acquisition, assets: list[str]) -> list[StoredFile]:
    """Write the product's and the granule's metadata."""
    texts = {"product_metadata": _product_xml(acquisition, assets), "granule_metadata": _granule_xml(acquisition)}
    files = []
    for asset, path in metadata_paths(acquisition).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(texts[asset], encoding="utf-8")
        files.append(stored(root, path, asset))
    return files


def stored(root: Path, path: str, asset: str) -> StoredFile:
    """Describe a file of the archive as it lies on disk."""
    digest = hashlib.sha256()
    with (root / path).open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return StoredFile(asset, path, (root / path).stat().st_size, digest.hexdigest())


def _product_xml(acquisition: Acquisition, assets: list[str]) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- Simulated by Clearground: no satellite has seen this. -->
<n1:Level-2A_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-2A.xsd">
  <n1:General_Info>
{_product_info(acquisition, assets)}{_image_characteristics(acquisition)}  </n1:General_Info>
</n1:Level-2A_User_Product>
"""


def _product_info(acquisition: Acquisition, assets: list[str]) -> str:
    paths = [image_path(acquisition, asset).removeprefix(f"{acquisition.folder}/") for asset in assets]
    images = "\n".join(f"            <IMAGE_FILE>{path.removesuffix('.jp2')}</IMAGE_FILE>" for path in paths)
    granule = f'datastripIdentifier="{acquisition.datastrip}" granuleIdentifier="{_tile_id(acquisition)}"'
    start = f"{acquisition.start:%Y-%m-%dT%H:%M:%S}.024Z"
    return f"""    <Product_Info>
      <PRODUCT_START_TIME>{start}</PRODUCT_START_TIME>
      <PRODUCT_STOP_TIME>{start}</PRODUCT_STOP_TIME>
      <PRODUCT_URI>{escape(acquisition.name)}.SAFE</PRODUCT_URI>
      <PROCESSING_LEVEL>Level-2A</PROCESSING_LEVEL>
      <PRODUCT_TYPE>S2MSI2A</PRODUCT_TYPE>
      <PROCESSING_BASELINE>{acquisition.baseline}</PROCESSING_BASELINE>
      <GENERATION_TIME>{acquisition.processed:%Y-%m-%dT%H:%M:%S}.000000Z</GENERATION_TIME>
      <Datatake datatakeIdentifier="{acquisition.datatake}">
        <SPACECRAFT_NAME>Sentinel-{acquisition.platform[1:]}</SPACECRAFT_NAME>
        <DATATAKE_TYPE>INS-NOBS</DATATAKE_TYPE>
        <DATATAKE_SENSING_START>{start}</DATATAKE_SENSING_START>
        <SENSING_ORBIT_NUMBER>{acquisition.orbit}</SENSING_ORBIT_NUMBER>
        <SENSING_ORBIT_DIRECTION>DESCENDING</SENSING_ORBIT_DIRECTION>
      </Datatake>
      <Product_Organisation>
        <Granule_List>
          <Granule {granule} imageFormat="JPEG2000">
{images}
          </Granule>
        </Granule_List>
      </Product_Organisation>
    </Product_Info>
"""


def _image_characteristics(acquisition: Acquisition) -> str:
    offsets = "\n".join(
        f'        <BOA_ADD_OFFSET band_id="{index}">{acquisition.offset_dn}</BOA_ADD_OFFSET>'
        for index in range(len(_BAND_IDS))
    )
    offset_list = f"      <BOA_ADD_OFFSET_VALUES_LIST>\n{offsets}\n      </BOA_ADD_OFFSET_VALUES_LIST>\n"
    return f"""    <Product_Image_Characteristics>
      <Special_Values>
        <SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT>
        <SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX>
      </Special_Values>
      <Special_Values>
        <SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT>
        <SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX>
      </Special_Values>
      <QUANTIFICATION_VALUES_LIST>
        <BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>
      </QUANTIFICATION_VALUES_LIST>
{offset_list if acquisition.offset_dn else ""}    </Product_Image_Characteristics>
"""


def _tile_id(acquisition: Acquisition) -> str:
    return (
        f"{acquisition.platform}_OPER_MSI_L2A_TL_SIML_{acquisition.processed:%Y%m%dT%H%M%S}"
        f"_A{acquisition.absolute_orbit:06d}_T{acquisition.tile.id}_N{acquisition.baseline}"
    )


def _granule_xml(acquisition: Acquisition) -> str:
    grid = acquisition.grid
    edge_m = round(grid.width * grid.resolution_m)
    places = "\n".join(
        f"""      <Size resolution="{cell}">
        <NROWS>{edge_m // cell}</NROWS>
        <NCOLS>{edge_m // cell}</NCOLS>
      </Size>
      <Geoposition resolution="{cell}">
        <ULX>{grid.west_m:.0f}</ULX>
        <ULY>{grid.north_m:.0f}</ULY>
        <XDIM>{cell}</XDIM>
        <YDIM>-{cell}</YDIM>
      </Geoposition>"""
        for cell in (10, 20, 60)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- Simulated by Clearground: no satellite has seen this. -->
<n1:Level-2A_Tile_ID xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-2A_Tile_Metadata.xsd">
  <n1:General_Info>
    <TILE_ID metadataLevel="Brief">{_tile_id(acquisition)}</TILE_ID>
    <DATASTRIP_ID metadataLevel="Standard">{acquisition.datastrip}</DATASTRIP_ID>
    <SENSING_TIME metadataLevel="Standard">{acquisition.strip_start:%Y-%m-%dT%H:%M:%S}.000000Z</SENSING_TIME>
  </n1:General_Info>
  <n1:Geometric_Info>
    <Tile_Geocoding metadataLevel="Brief">
      <HORIZONTAL_CS_NAME>WGS84 / UTM zone {acquisition.tile.id[:2]}N</HORIZONTAL_CS_NAME>
      <HORIZONTAL_CS_CODE>EPSG:{grid.epsg}</HORIZONTAL_CS_CODE>
{places}
    </Tile_Geocoding>
  </n1:Geometric_Info>
</n1:Level-2A_Tile_ID>
"""
