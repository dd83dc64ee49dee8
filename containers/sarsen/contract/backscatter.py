"""Backscatter by the open engine: sarsen on xarray."""

from typing import ClassVar

from pydantic import Field

from containers.base.contract.radar import Backscatter, BackscatterResult
from containers.base.contract.step import Resources, StepResult


class SarsenBackscatterParams(Backscatter):
    """Calibrate, remove noise, flatten the terrain, filter speckle and geocode, in bounded memory."""

    step: ClassVar[str] = "sarsen.backscatter"
    result: ClassVar[type[StepResult]] = BackscatterResult
    resources: ClassVar[Resources] = Resources(memory_mb=6144, timeout_s=14_400)

    chunk_px: int = Field(default=512, ge=128, le=4096, description="The grid is worked on in blocks of this size")
