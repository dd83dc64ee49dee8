"""Sentinel-2 bands resampled to one cell size by SNAP: what the reference did, for comparison with gdal.observe."""

from typing import ClassVar, Literal

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.radar import SafeFolder
from containers.base.contract.scene import BandName
from containers.base.contract.step import Resources, StepParams, StepResult


class ResampleResult(StepResult):
    grid: Grid = Field(description="In the product's own UTM zone")
    bands: dict[str, File] = Field(description="Band name to reflectance COG, int16 × 1e-4, nodata −32768")
    engine_version: str


class ResampleParams(StepParams):
    """Read, resample and select bands of one L2A product."""

    step: ClassVar[str] = "snap.resample"
    result: ClassVar[type[StepResult]] = ResampleResult
    resources: ClassVar[Resources] = Resources(memory_mb=16_384, timeout_s=7_200)
    data_files: ClassVar[tuple[str, ...]] = ("operators.json",)

    product: SafeFolder
    bands: tuple[BandName, ...] = Field(min_length=1, description="Bands to keep")
    resolution_m: Literal[10, 20, 60] = Field(default=10, description="Cell size in metres")
    aoi: str = Field(default="", description="Part to keep as WKT, EPSG:4326; empty: the whole product")
    upsampling: Literal["Nearest", "Bilinear", "Bicubic"] = "Bilinear"
    downsampling: Literal["First", "Min", "Max", "Mean", "Median"] = "Mean"
