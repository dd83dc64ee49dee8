"""What a year was like on one pasture: free of snow, green, at its peak, dry, and when there was forage."""

from typing import ClassVar

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.step import Resources, StepParams, StepResult
from containers.gdal.contract.cut import Slice
from containers.gdal.contract.fill import Filling
from containers.gdal.contract.productivity import Season

EVENTS = ("snow_free", "greening", "peak", "drying", "forage_days")
"""Days of the year, 1 is 1 January; `forage_days` is a number of days, from greening to drying."""


class CalendarResult(StepResult):
    events: File = Field(
        description="CSV: pasture_id, year, event, day (empty: not told), lower, upper (95 %; of snow_free the "
        "medians of its cells' limits), basis, doubt, usual (median of the other years, from two on), difference (day "
        "less usual)"
    )
    curve: File = Field(
        description="CSV: pasture_id, date, observed (1, 0), ndvi, lower, upper (of the pasture's mean), p10, p90 (of "
        "its cells), clear_share, snow_share"
    )
    trend: File = Field(
        description="CSV: pasture_id, event, years, slope_days_per_year, lower, upper, p_value; empty below 4 years"
    )
    snow_free: dict[str, File] = Field(
        default={}, description="Year to the day of the year from which a cell is free of snow: float32 COG"
    )
    grid: Grid


class CalendarParams(StepParams):
    """Seasons of one pasture, from the slices of its tile."""

    step: ClassVar[str] = "gdal.calendar"
    result: ClassVar[type[StepResult]] = CalendarResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048)

    slices: tuple[Slice, ...] = Field(min_length=1, description="Of one tile, all years")
    outline: File = Field(description="GeoParquet with a row per pasture: pasture_id, geometry in any CRS")
    pasture_id: str
    grid: Grid = Field(description="Window of the tile's 10 m grid around the pasture")
    years: tuple[int, ...] = Field(min_length=1)
    filling: Filling = Field(
        default=Filling(engine="whittaker", smoothness=1_000.0, observed_wins=False),
        description="The mean of a pasture is less noisy than a cell, and its spring is short: a curve near its views",
    )
    season: Season = Season()
    forage_ndvi: float = Field(default=0.4, gt=0, lt=1, description="NDVI from which there is green forage")
