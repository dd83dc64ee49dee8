"""Map algebra between periods: what became sealed, what became green."""

from typing import ClassVar

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.step import Resources, StepParams, StepResult


class ChangeResult(StepResult):
    new_impervious: dict[str, File] = Field(
        description="Later period to COG: 1 newly impervious, 0 not, 255 unknown (nodata)"
    )
    new_green: dict[str, File] = Field(description="Later period to COG: 1 newly green, 0 not, 255 unknown (nodata)")
    transitions: File = Field(
        description="CSV: from_period, to_period, from_class, to_class, cells, area_ha; class 0 is unknown"
    )
    project: File = Field(description="GRASS project with every map, as a .tar.gz that a user can open")


class ChangeParams(StepParams):
    """`r.mapcalc` per pair of consecutive periods; unknown where either has no data."""

    step: ClassVar[str] = "grass.change"
    result: ClassVar[type[StepResult]] = ChangeResult
    resources: ClassVar[Resources] = Resources(memory_mb=1536)

    classes: dict[str, File] = Field(min_length=2, description="Period to class raster, legend codes")
