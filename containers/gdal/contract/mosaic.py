"""From the tiles of one period to one virtual raster per layer, and the check that periods match."""

from typing import ClassVar

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult


class PeriodLayers(Contract):
    """The rasters of one period by layer name: bands, `observations`, `source_date`."""

    period: str
    layers: dict[str, File]


class MosaicResult(StepResult):
    """One VRT per layer over the common extent; members are relative paths inside the store."""

    grid: Grid
    mosaic: PeriodLayers


class MosaicParams(StepParams):
    """Join tiles that already share the grid: no pixel is resampled. Where tiles overlap, the first wins."""

    step: ClassVar[str] = "gdal.mosaic"
    result: ClassVar[type[StepResult]] = MosaicResult
    resources: ClassVar[Resources] = Resources(memory_mb=512)

    period: str
    grid: Grid = Field(description="Common extent of every period")
    tiles: tuple[dict[str, File], ...] = Field(min_length=1, description="Layer name to raster, per tile")


class PairShift(Contract):
    """How far the second period lies from the first, by phase correlation over textured windows."""

    first: str
    second: str
    shift_px: float = Field(ge=0, description="Median shift in cells")
    n_windows: int = Field(ge=0)


class CheckAlignmentResult(StepResult):
    grid: Grid
    shifts: tuple[PairShift, ...]
    table: File = Field(description="CSV of what was compared per raster")


class CheckAlignmentParams(StepParams):
    """Refuse periods that differ in extent, CRS, resolution, size, type, nodata, block or position."""

    step: ClassVar[str] = "gdal.check_alignment"
    result: ClassVar[type[StepResult]] = CheckAlignmentResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)

    periods: tuple[PeriodLayers, ...] = Field(min_length=1)
    reference_layer: str = Field(default="red", description="Layer whose co-registration is measured")
    max_shift_px: float = Field(default=0.5, gt=0, description="Largest accepted shift between periods in cells")
