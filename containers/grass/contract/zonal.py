"""Sums of rasters per region."""

from typing import ClassVar, Literal

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult


class ZonalLayer(Contract):
    """One indicator raster: 1 counted, 0 not, 255 unknown."""

    indicator: str = Field(pattern=r"^[a-z_]+$")
    period: str
    raster: File


class ZonalResult(StepResult):
    counts: File = Field(
        description="CSV: region_id, region_name, period, indicator, cells, unknown_cells, total_cells"
    )
    regions: File = Field(description="The regions that meet the grid, in its CRS, as GeoPackage")


class ZonalParams(StepParams):
    """`v.rast.stats` (a cell belongs to the region that holds its centre) or exact fractional cover."""

    step: ClassVar[str] = "grass.zonal"
    result: ClassVar[type[StepResult]] = ZonalResult
    resources: ClassVar[Resources] = Resources(memory_mb=1536)

    layers: tuple[ZonalLayer, ...] = Field(min_length=1)
    regions: File = Field(description="Polygon file, any CRS")
    region_id_field: str = "nuts_id"
    region_name_field: str = "region_name"
    engine: Literal["grass", "exactextract"] = "grass"
