"""What a search for radar asks for."""

from typing import Any, Literal

from pydantic import Field

from containers.base.contract.radar import Direction, Polarisation
from tasks.catalogue.request import CatalogueRequest

RadarProvider = Literal["stac", "odata", "items"]


class RadarRequest(CatalogueRequest):
    """Sentinel-1 IW GRDH products over an area, in periods. Raises `bad_aoi` on construction."""

    provider: RadarProvider = Field(default="stac", description="Kind of catalogue; items: a local file")
    collection: str = Field(default="sentinel-1-grd", description="Collection in that catalogue")
    polarisations: tuple[Polarisation, ...] = Field(
        default=("vv", "vh"), min_length=1, description="Polarisations that a product must have"
    )
    direction: Direction | None = Field(default=None, description="Pass of the orbit; None: either")
    relative_orbit: int | None = Field(default=None, ge=1, le=175, description="Track; None: any")
    filters: dict[str, Any] = Field(
        default={},
        description="More properties that a product must have: name in the catalogue to a value or a list of values",
    )
