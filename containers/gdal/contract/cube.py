"""The HDF5 cube that trainers and predictors read, and its check."""

from typing import ClassVar

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.step import Resources, StepParams, StepResult
from containers.gdal.contract.mosaic import PeriodLayers


class CubeResult(StepResult):
    cube: File = Field(description="HDF5, layout in docs/cube.md")
    grid: Grid
    periods: tuple[str, ...]
    bands: tuple[str, ...]


class CubeParams(StepParams):
    """Write bands, masks and labels of every period into one HDF5 file with 256² chunks."""

    step: ClassVar[str] = "gdal.cube"
    result: ClassVar[type[StepResult]] = CubeResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)

    grid: Grid
    periods: tuple[PeriodLayers, ...] = Field(min_length=1)
    bands: tuple[str, ...] = Field(min_length=1, description="Layers that become the band axis, in this order")
    labels: dict[str, File] = Field(default={}, description="Period to land-cover raster (legend codes, nodata 0)")
    chunk_px: int = Field(default=256, ge=16, le=4096)
    simulated: bool = Field(default=False, description="Whether any source is simulated")


class CheckCubeResult(StepResult):
    nodata_share: dict[str, float] = Field(description="<period>/<band> to the share of nodata cells")
    report: File = Field(description="CSV: dataset, shape, dtype, minimum, maximum, nodata share, checksum")


class CheckCubeParams(StepParams):
    """Read every chunk: structure, ranges, nodata shares, checksums. A corrupt chunk is an error that names it."""

    step: ClassVar[str] = "gdal.check_cube"
    result: ClassVar[type[StepResult]] = CheckCubeResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)

    cube: File
    max_nodata_share: float = Field(default=0.99, ge=0, le=1, description="Refuse a layer with more nodata than this")
