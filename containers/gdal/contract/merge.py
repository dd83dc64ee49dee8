"""Windows of one grid joined to one raster."""

from typing import ClassVar

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult


class Piece(Contract):
    grid: Grid
    raster: File


class MergeResult(StepResult):
    rasters: dict[str, File] = Field(description="Name to COG over the whole grid")


class MergeParams(StepParams):
    """Copy rasters of windows, which do not overlap, into one COG per name, band for band."""

    step: ClassVar[str] = "gdal.merge"
    result: ClassVar[type[StepResult]] = MergeResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)

    pieces: dict[str, tuple[Piece, ...]] = Field(min_length=1, description="Name to its pieces")
    grid: Grid = Field(description="The whole grid")
