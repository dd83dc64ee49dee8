"""A Sentinel-2 product on disk: the SAFE folder with its metadata and JPEG 2000 bands."""

import hashlib
from pathlib import Path
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.transform import from_origin

from containers.base.sentinel2 import band_of_number
from containers.eodata.acquisitions import Acquisition
from containers.eodata.contract.simulate import ArchiveParams

BAND_IDS: Final = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
_CHUNK_BYTES: Final = 1 << 20


class StoredFile(NamedTuple):
    """One object: its asset key, its path below the bucket, its size and SHA-256."""

    asset: str
    path: str
    size: int
    sha256: str


def band_assets(acquisition: Acquisition, params: ArchiveParams) -> tuple[str, ...]:
    """Band files of a product: `B04_20m` in L2A, `B04` in L1C, whose bands have one resolution each."""
    return BAND_IDS if acquisition.level == "L1C" else params.bands


def cell_m(asset: str) -> int:
    """Edge of an image's cells in metres."""
    if asset.endswith("m"):
        return int(asset[-3:-1])
    band = band_of_number(asset)
    if band is None:
        raise ValueError(f"there is no band {asset}")
    return band.resolution_m


def product_type(acquisition: Acquisition) -> str:
    """As ESA writes it."""
    return "S2MSI1C" if acquisition.level == "L1C" else "S2MSI2A"


def image_path(acquisition: Acquisition, asset: str) -> str:
    """Path of a band below the bucket, such as `…/R20m/T33UTP_20200511T101031_B04_20m.jp2`; L1C has no such folder."""
    name = f"T{acquisition.tile.id}_{acquisition.start:%Y%m%dT%H%M%S}_{asset}.jp2"
    folder = f"{acquisition.folder}/GRANULE/{acquisition.granule}/IMG_DATA"
    return f"{folder}/{name}" if acquisition.level == "L1C" else f"{folder}/R{asset.rsplit('_', 1)[1]}/{name}"


def metadata_paths(acquisition: Acquisition) -> dict[str, str]:
    """STAC asset key to the path of each metadata file below the bucket."""
    return {
        "product_metadata": f"{acquisition.folder}/MTD_MSI{acquisition.level}.xml",
        "granule_metadata": f"{acquisition.folder}/GRANULE/{acquisition.granule}/MTD_TL.xml",
    }


def write_image(root: Path, acquisition: Acquisition, asset: str, values: npt.NDArray[np.generic]) -> StoredFile:
    """Write a band without loss. As in real products, nothing declares that 0 is no data."""
    path = root / image_path(acquisition, asset)
    path.parent.mkdir(parents=True, exist_ok=True)
    edge_m = cell_m(asset)
    profile = {
        "driver": "JP2OpenJPEG", "width": values.shape[1], "height": values.shape[0], "count": 1, "dtype": values.dtype,
        "crs": acquisition.grid.epsg,
        "transform": from_origin(acquisition.grid.west_m, acquisition.grid.north_m, edge_m, edge_m),
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
    level = acquisition.level[1:]
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- Simulated by Clearground: no satellite has seen this. -->
<n1:Level-{level}_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-{level}.xsd">
  <n1:General_Info>
{_product_info(acquisition, assets)}{_image_characteristics(acquisition)}  </n1:General_Info>
</n1:Level-{level}_User_Product>
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
      <PROCESSING_LEVEL>Level-{acquisition.level[1:]}</PROCESSING_LEVEL>
      <PRODUCT_TYPE>{product_type(acquisition)}</PRODUCT_TYPE>
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


_OFFSETS_OF_L2A: Final = ("BOA_ADD_OFFSET", "BOA_ADD_OFFSET_VALUES_LIST")
_QUANTIFICATION_OF_L1C: Final = """      <QUANTIFICATION_VALUE unit="none">10000</QUANTIFICATION_VALUE>
"""
_QUANTIFICATION_OF_L2A: Final = """      <QUANTIFICATION_VALUES_LIST>
        <BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>
      </QUANTIFICATION_VALUES_LIST>
"""


def _image_characteristics(acquisition: Acquisition) -> str:
    is_l1c = acquisition.level == "L1C"
    tag, group = ("RADIO_ADD_OFFSET", "Radiometric_Offset_List") if is_l1c else _OFFSETS_OF_L2A
    offsets = "\n".join(
        f'        <{tag} band_id="{index}">{acquisition.offset_dn}</{tag}>' for index in range(len(BAND_IDS))
    )
    offset_list = f"      <{group}>\n{offsets}\n      </{group}>\n"
    quantification = _QUANTIFICATION_OF_L1C if is_l1c else _QUANTIFICATION_OF_L2A
    return f"""    <Product_Image_Characteristics>
      <Special_Values>
        <SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT>
        <SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX>
      </Special_Values>
      <Special_Values>
        <SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT>
        <SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX>
      </Special_Values>
{quantification}{offset_list if acquisition.offset_dn else ""}    </Product_Image_Characteristics>
"""


def _tile_id(acquisition: Acquisition) -> str:
    return (
        f"{acquisition.platform}_OPER_MSI_{acquisition.level}_TL_SIML_{acquisition.processed:%Y%m%dT%H%M%S}"
        f"_A{acquisition.absolute_orbit:06d}_T{acquisition.tile.id}_N{acquisition.baseline}"
    )


def _sun_angles(acquisition: Acquisition) -> str:
    """Where the sun stood over the tile's centre; left out of the L2A products, whose light is not simulated."""
    if acquisition.level == "L2A":
        return ""
    sun = acquisition.sun()
    return f"""    <Tile_Angles metadataLevel="Standard">
      <Mean_Sun_Angle>
        <ZENITH_ANGLE unit="deg">{sun.zenith_deg:.9f}</ZENITH_ANGLE>
        <AZIMUTH_ANGLE unit="deg">{sun.azimuth_deg:.9f}</AZIMUTH_ANGLE>
      </Mean_Sun_Angle>
    </Tile_Angles>
"""


def _granule_xml(acquisition: Acquisition) -> str:
    grid, level = acquisition.grid, acquisition.level[1:]
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
<n1:Level-{level}_Tile_ID xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-{level}_Tile_Metadata.xsd">
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
{_sun_angles(acquisition)}  </n1:Geometric_Info>
</n1:Level-{level}_Tile_ID>
"""
