"""Sums of rasters per region."""

from typing import ClassVar, Literal

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult


class ZonalLayer(Contract):
    """One indicator: a raster's cells of one value. Its declared nodata is unknown."""

    indicator: str = Field(pattern=r"^[a-z_]+$", description="Such as new_impervious, new_green, impervious, green")
    period: str
    raster: File = Field(description="Change map (1, 0, nodata 255) or class raster (legend codes, nodata 0)")
    counted_value: int = Field(default=1, ge=0, le=255, description="The value whose cells are counted")


class ZonalResult(StepResult):
    counts: File = Field(
        description="CSV: region_id, region_name, period, indicator, cells, unknown_cells, total_cells; "
        "region_id ALL is the whole grid"
    )
    regions: File = Field(
        description="The regions that meet the grid, in its CRS, as GeoPackage: region_id, region_name, inside_share"
    )


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
