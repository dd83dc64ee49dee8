"""Where the land is, on the analysis grid."""

from typing import ClassVar

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.step import Resources, StepParams, StepResult


class LandResult(StepResult):
    land: File = Field(description="COG uint8: 1 where the cell's centre is on land, 0 elsewhere")
    land_share: float = Field(ge=0, le=1, description="Share of the grid that is land")


class LandParams(StepParams):
    """Rasterise the precise land geometry. Refuses a null, empty or inverted one, and one beside the grid."""

    step: ClassVar[str] = "gdal.land"
    result: ClassVar[type[StepResult]] = LandResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)

    geometry: File = Field(description="Polygons: GeoPackage, GeoJSON or Shapefile (zipped), any CRS")
    grid: Grid
