"""From a label map somewhere else to its codes on the analysis grid."""

from typing import ClassVar

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.step import Resources, StepParams, StepResult


class LabelsResult(StepResult):
    codes: File = Field(description="Source codes on the grid, uint8, nodata 0, COG")
    counts: dict[int, int] = Field(description="Source code to cells")


class LabelsParams(StepParams):
    """Clip and bring to the grid: the majority of the source cells in each cell, or polygons burned by cell centre."""

    step: ClassVar[str] = "gdal.labels"
    result: ClassVar[type[StepResult]] = LabelsResult
    resources: ClassVar[Resources] = Resources(memory_mb=1536)

    source: File = Field(description="Label raster (any CRS) or polygon file")
    grid: Grid
    code_field: str = Field(default="code", description="Attribute of a polygon file that holds the code, 1–254")
    nodata_codes: tuple[int, ...] = Field(default=(0, 255), description="Source codes that mean no label")
