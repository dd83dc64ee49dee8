"""A user's raster on the grid of a run."""

from typing import ClassVar

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.step import Resources, StepParams, StepResult


class FitImageResult(StepResult):
    bands: dict[str, File] = Field(description="Band to COG on the grid, in the raster's own type and nodata")


class FitImageParams(StepParams):
    """Each named band by nearest neighbour, so that codes and stored reflectance stay what they are."""

    step: ClassVar[str] = "gdal.fit_image"
    result: ClassVar[type[StepResult]] = FitImageResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)

    image: File
    bands: tuple[str, ...] = Field(
        min_length=1, description="Descriptions of the bands; a raster of one band needs none, its band takes the name"
    )
    grid: Grid
