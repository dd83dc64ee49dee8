"""What a search asks for."""

from typing import Literal

import shapely
from pydantic import Field, field_validator, model_validator
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from containers.base.contract.model import Contract
from containers.base.contract.scene import Level
from containers.base.sentinel2 import band
from tasks.aoi import read_aoi
from tasks.periods import Period

CDSE_STAC = "https://stac.dataspace.copernicus.eu/v1"
CDSE_ODATA = "https://catalogue.dataspace.copernicus.eu/odata/v1"
CREODIAS_ODATA = "https://datahub.creodias.eu/odata/v1"
NOMINAL_SAFE = "s3://eodata/Sentinel-2/MSI/{level}/{date:%Y/%m/%d}/{name}.SAFE"

Provider = Literal["stac", "odata", "items", "hub"]


class CatalogueRequest(Contract):
    """What every catalogue is asked, whatever the mission. Raises `bad_aoi` on construction."""

    endpoint: str = Field(default=CDSE_STAC, description="Address of the catalogue, or path of the item collection")
    collection: str = Field(description="Collection in that catalogue")
    aoi: str = Field(description="Area of interest as WKT, GeoJSON or west,south,east,north in EPSG:4326")
    periods: tuple[Period, ...] = Field(min_length=1, description="When")
    check_objects: bool = Field(default=True, description="Ask the archive whether objects are there, whole")
    connections: int = Field(default=4, ge=1, le=64, description="Connections to the archive at once")

    @field_validator("aoi")
    @classmethod
    def _readable(cls, value: str) -> str:
        return read_aoi(value).wkt

    @property
    def area(self) -> MultiPolygon:
        """The area of interest in EPSG:4326, not crossing the antimeridian."""
        return MultiPolygon(shapely.get_parts(shapely.from_wkt(self.aoi)).tolist())

    @property
    def query_areas(self) -> tuple[BaseGeometry, ...]:
        """Small convex polygons to ask the catalogue for, one on each side of the antimeridian."""
        parts = shapely.get_parts(self.area)
        west, _, east, _ = self.area.bounds
        if east - west <= 180:
            return (self.area.convex_hull,)
        sides = ([part for part in parts if part.bounds[0] < 0], [part for part in parts if part.bounds[0] >= 0])
        return tuple(MultiPolygon(side).convex_hull for side in sides if side)


class SearchRequest(CatalogueRequest):
    """Sentinel-2 products over an area, in periods. Raises `bad_aoi` and `unknown_band` on construction."""

    provider: Provider = Field(default="stac", description="Kind of catalogue; items: a local file")
    collection: str = Field(default="sentinel-2-l2a", description="Collection in that catalogue")
    level: Level = "L2A"
    bands: tuple[str, ...] = Field(min_length=1, description="Bands that the run needs")
    resolution_m: float = Field(default=20.0, gt=0, description="The coarsest files not coarser than this are taken")
    max_cloud: float = Field(default=100.0, ge=0, le=100, description="Largest cloud share in percent")
    min_valid_share: float = Field(
        default=0.05, ge=0, le=1, description="Smallest share of the AOI within the tile that an acquisition must cover"
    )
    safe_path: str = Field(
        default=NOMINAL_SAFE,
        description="Where a hub's products lie on S3, which a hub does not say: {level}, {date}, {name}",
    )

    @model_validator(mode="after")
    def _known_bands(self) -> "SearchRequest":
        for name in self.bands:
            band(name, self.level)
        return self
