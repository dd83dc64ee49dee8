"""One satellite product, as the catalogue knows it and as the steps read it."""

import datetime as dt
from typing import Literal

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.model import Contract

Level = Literal["L1C", "L2A"]
BandName = Literal[
    "coastal", "blue", "green", "red", "rededge071", "rededge075", "rededge078", "nir", "nir08", "nir09",
    "cirrus", "swir16", "swir22",
]  # fmt: skip


class Scene(Contract):
    """One Sentinel-2 product. Two halves of one datatake over one tile are two scenes."""

    id: str = Field(description="Product name without .SAFE")
    platform: str = Field(pattern=r"^S2[A-D]$")
    level: Level
    tile: str = Field(pattern=r"^\d{2}[A-Z]{3}$", description="MGRS tile, such as 33UUP")
    datetime: dt.datetime
    datatake: dt.datetime = Field(description="Sensing start of the datatake: the same for both halves")
    datastrip: dt.datetime | None = Field(
        default=None, description="Sensing start of the datastrip: the halves of one datatake differ in it"
    )
    orbit: int = Field(ge=1, le=143, description="Relative orbit number")
    baseline: str = Field(pattern=r"^\d{2}\.\d{2}$", description="Processing baseline, such as 05.10")
    processed: dt.datetime = Field(description="When this product was made")
    cloud_cover: float | None = Field(default=None, ge=0, le=100, description="Cloud share of valid pixels in percent")
    footprint: str = Field(description="Outline of the valid data as WKT, EPSG:4326")
    valid_share: float = Field(default=1.0, ge=0, le=1, description="Share of the AOI inside the tile with data")
    bands: dict[str, File] = Field(description="Band name to the archive object or GeoTIFF with its digital numbers")
    offsets_dn: dict[str, float] = Field(description="Band name to the offset in digital numbers, such as -1000")
    quantification: float = Field(default=10_000, gt=0, description="Digital numbers per unit of reflectance")
    scl: File | None = Field(default=None, description="Scene classification map, 20 m; None for L1C")
    simulated: bool = False
