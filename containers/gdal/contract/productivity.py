"""How the vegetation did: per cell and season, against other years, per region, at points."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult

METRICS = (
    "integral", "base_integral", "peak", "peak_day", "amplitude", "base", "start_day", "end_day", "length_days",
    "start_value", "end_value", "quality",
)  # fmt: skip
"""Bands of a season's raster, in this order. Days count from 1 January of the season's year, which is day 1.

`quality` is 10 (best) to 4 by the phases with enough clear observations, 2 without any such phase, 1 without a season
(the other bands are then nodata).
"""

NODATA = -9999.0
"""Of all rasters of metrics, anomalies and trends, which are float32."""

Between = Literal["linear", "pchip"]


class Season(Contract):
    """Definitions after TIMESAT (Jönsson and Eklundh 2004) and HR-VPP: see docs/productivity.md."""

    start_share: float = Field(
        default=0.25, gt=0, lt=1, description="Share of the rise to the peak that starts a season"
    )
    end_share: float = Field(
        default=0.15, gt=0, lt=1, description="Share of the fall from the peak that is left at the end"
    )
    min_amplitude: float = Field(default=0.1, gt=0, le=1, description="Smaller rises and falls are no season")
    own_share: float = Field(
        default=0.5, ge=0, le=1, description="Share of the year's range that a rise and a fall need to be a season"
    )
    between: Between = Field(default="pchip", description="Curve between two dates: straight, or monotone cubic")


class Metrics(Contract):
    """One season on one window of the grid."""

    year: int
    raster: File = Field(description="COG float32, one band per name of METRICS, nodata −9999")


class ProductivityResult(StepResult):
    seasons: tuple[Metrics, ...]
    grid: Grid


class ProductivityParams(StepParams):
    """Season metrics of every year from one filled cube."""

    step: ClassVar[str] = "gdal.productivity"
    result: ClassVar[type[StepResult]] = ProductivityResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048)

    filled: File = Field(description="HDF5 as the step `fill` writes it")
    series: File = Field(description="The observations behind it: quality is judged by their number and position")
    years: tuple[int, ...] = Field(min_length=1, description="The season's year is the one its peak lies in")
    season: Season = Season()


class TrendResult(StepResult):
    anomalies: tuple[Metrics, ...] = Field(
        description="Per year: bands `difference` and `z` of the metric against the reference years"
    )
    trend: File | None = Field(
        description="COG float32: `slope`, `lower`, `upper` per year and `p_value`; None below 4 years"
    )
    grid: Grid


class TrendParams(StepParams):
    """Anomalies against a reference period and the trend over the years, with its uncertainty."""

    step: ClassVar[str] = "gdal.trend"
    result: ClassVar[type[StepResult]] = TrendResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048)

    seasons: tuple[Metrics, ...] = Field(min_length=1, description="Of one window, ascending years")
    grid: Grid
    metric: str = Field(default="integral", description="The band that is compared")
    reference_years: tuple[int, ...] = Field(min_length=1, description="Years that make the mean")
    worst_quality: int = Field(default=4, ge=1, le=10, description="Cells below this quality are left out")


class CurvesResult(StepResult):
    curves: File = Field(
        description="Parquet: region_id, date, mean, p10, p90, cells, observed_share; index values, null where no cell "
        "has one"
    )
    seasons: File = Field(
        description="Parquet: region_id, region_name, year, metric, mean, deviation (between cells), area_ha (of the "
        "region on the grid), valid_share (of it with a season), quality (mean class of its cells)"
    )


class FilledWindow(Contract):
    """What one window of the grid has."""

    grid: Grid
    filled: File
    series: File
    seasons: tuple[Metrics, ...]


class CurvesParams(StepParams):
    """Curves and season metrics per region, by exact fractions of cells."""

    step: ClassVar[str] = "gdal.curves"
    result: ClassVar[type[StepResult]] = CurvesResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048)

    windows: tuple[FilledWindow, ...] = Field(min_length=1)
    regions: File
    region_id_field: str
    region_name_field: str


class Place(Contract):
    """A point that a user asks for."""

    name: str = Field(min_length=1, max_length=100, description="What the plot and the table call it")
    lon_deg: float = Field(ge=-180, le=180, description="Longitude in degrees, WGS 84")
    lat_deg: float = Field(ge=-90, le=90, description="Latitude in degrees, WGS 84")


class PointsResult(StepResult):
    table: File = Field(description="CSV: place, date, observed, value, quality, uncertainty")
    plots: dict[str, File] = Field(description="Place to PNG")


class PointsParams(StepParams):
    """Series of single cells as table and plot."""

    step: ClassVar[str] = "gdal.points"
    result: ClassVar[type[StepResult]] = PointsResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)

    windows: tuple[FilledWindow, ...] = Field(min_length=1)
    places: tuple[Place, ...] = Field(min_length=1)
    simulated: bool = False

    @model_validator(mode="after")
    def _names_differ(self) -> "PointsParams":
        names = [place.name for place in self.places]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"places have the same name: {twice}")
        return self


class AnimationResult(StepResult):
    animation: File = Field(description="GIF")


class AnimationParams(StepParams):
    """The filled series as a moving picture."""

    step: ClassVar[str] = "gdal.animation"
    result: ClassVar[type[StepResult]] = AnimationResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)

    windows: tuple[FilledWindow, ...] = Field(min_length=1)
    max_px: int = Field(default=500, ge=64, le=2000, description="Longest side")
    first: date
    last: date
    simulated: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> "AnimationParams":
        if self.first > self.last:
            raise ValueError(f"first={self.first} is after last={self.last}")
        return self
