"""A whole product from the archive into the store."""

from typing import ClassVar

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.radar import SafeFolder
from containers.base.contract.step import Resources, StepParams, StepResult


class DownloadResult(StepResult):
    folder: SafeFolder


class DownloadParams(StepParams):
    """Fetch every object of a product, large ones in parts side by side; a killed download goes on where it stopped."""

    step: ClassVar[str] = "gdal.download"
    result: ClassVar[type[StepResult]] = DownloadResult
    resources: ClassVar[Resources] = Resources(memory_mb=512, timeout_s=14_400, network=True, connections=4)
    keeps_partials: ClassVar[bool] = True

    product_id: str = Field(description="Product name without .SAFE")
    files: dict[str, File] = Field(min_length=1, description="Path below the .SAFE folder to the archive object")
    part_mb: int = Field(default=32, ge=8, le=512, description="Size of a part of a large object in MiB")
