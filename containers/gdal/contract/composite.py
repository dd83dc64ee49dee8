"""From the aligned acquisitions of one tile and period to one clear image."""

from typing import ClassVar, Literal

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult
from containers.gdal.contract.align import AlignResult


class MaskRule(Contract):
    """Which scene-classification codes are not clear, and how far around them the doubt reaches."""

    masked: tuple[int, ...] = Field(
        default=(0, 1, 3, 8, 9, 10, 11),
        description="SCL codes that are masked: 1 saturated, 3 shadow, 8–10 cloud and cirrus, 11 snow",
    )
    dilate_m: dict[int, float] = Field(
        default={3: 60.0, 8: 60.0, 9: 60.0}, description="SCL code to the dilation of its mask in metres"
    )


class CompositeResult(StepResult):
    """One clear image of a tile and period, with where each pixel comes from."""

    tile: str
    period: str
    grid: Grid
    bands: dict[str, File]
    observations: File = Field(description="Clear observations per cell, uint8, distinct dates, nodata none")
    source_date: File = Field(
        description="Days since 1970-01-01 of the observation used (median: the nearest), int32, nodata 0"
    )
    clear_share: float = Field(ge=0, le=1, description="Share of the tile's cells with at least one clear observation")


class CompositeParams(StepParams):
    """Apply the mask rule to aligned acquisitions and reduce them over time."""

    step: ClassVar[str] = "gdal.composite"
    result: ClassVar[type[StepResult]] = CompositeResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048)

    tile: str
    period: str = Field(description="Label of the period, such as 2018, 2018-05 or 2018-JJA")
    acquisitions: tuple[AlignResult, ...] = Field(min_length=1, description="All on the same window; best first")
    method: Literal["best", "median"] = Field(
        default="best", description="best: the first clear observation in the given order; median: of all clear ones"
    )
    mask: MaskRule = MaskRule()
