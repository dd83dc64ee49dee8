"""Where a flow looks scenes up: a part of every form."""

from typing import Literal

from pydantic import Field

from containers.base.contract.model import Contract


class Source(Contract):
    """Where scenes are looked up."""

    provider: Literal["stac", "odata", "items", "hub"] = Field(
        default="stac",
        description="stac: CDSE or Creodias; odata: their OData; items: an item collection file; hub: a DHuS mirror",
    )
    endpoint: str = Field(
        default="https://stac.dataspace.copernicus.eu/v1",
        description="Address of the catalogue, or the path of the item collection",
    )
    collection: str = Field(default="sentinel-2-l2a", description="Collection in that catalogue")
    level: Literal["L1C", "L2A"] = Field(default="L2A", description="Processing level of the products")
    check_objects: bool = Field(
        default=True, description="Ask the archive whether each object is there and has its size"
    )
