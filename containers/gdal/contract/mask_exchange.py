"""Masks for other programs, and masks of other programs: cloud against clear, with 255 where there is no data."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.step import Resources, StepParams, StepResult
from containers.gdal.contract.mask import MaskResult

BinaryValue = Literal[0, 1]


class ExportMasksResult(StepResult):
    masks: dict[str, File] = Field(description="Scene to its binary mask: uint8, nodata 255")


class ExportMasksParams(StepParams):
    """Reduce masks to cloud against clear, grids unchanged."""

    step: ClassVar[str] = "gdal.export_masks"
    result: ClassVar[type[StepResult]] = ExportMasksResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)

    masks: dict[str, File] = Field(min_length=1, description="Scene to its mask of Sky classes")
    hidden: tuple[Literal["cloud", "cirrus", "shadow", "snow"], ...] = Field(
        default=("cloud", "cirrus"), min_length=1, description="Classes that are written as cloud"
    )
    cloud_value: BinaryValue = Field(default=1, description="Value of cloud; clear is the other of 0 and 1")


class ImportMaskParams(StepParams):
    """Take a binary mask that was made elsewhere as the mask of a scene."""

    step: ClassVar[str] = "gdal.import_mask"
    result: ClassVar[type[StepResult]] = MaskResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)

    source: File = Field(description="Raster of 0, 1 and 255, on the grid")
    scene_id: str
    tile: str
    acquired: datetime
    footprint: str = Field(description="Outline of the valid data as WKT, EPSG:4326")
    grid: Grid = Field(description="The grid of the scene's mask bands")
    cloud_value: BinaryValue = Field(default=1, description="Value of cloud; clear is the other of 0 and 1")
