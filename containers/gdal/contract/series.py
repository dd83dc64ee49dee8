"""A vegetation index along time: one value per cell and date where the ground was seen."""

from datetime import date, datetime
from typing import ClassVar, Literal

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult

IndexName = Literal["ndvi", "evi", "ndmi", "msavi2", "kndvi"]
INDEX_BANDS: dict[IndexName, tuple[str, ...]] = {
    "ndvi": ("red", "nir"),
    "evi": ("blue", "red", "nir"),
    "ndmi": ("nir", "swir16"),
    "msavi2": ("red", "nir"),
    "kndvi": ("red", "nir"),
}
"""Index to the bands that it needs."""


class Seen(Contract):
    """One acquisition of one tile: its index bands on the analysis grid and its mask on the tile's own."""

    scene_id: str
    acquired: datetime
    grid: Grid = Field(description="Window of the analysis grid")
    bands: dict[str, File]
    mask: File = Field(description="Sky classes on the tile's UTM grid: nearest neighbour is taken")


class SeriesResult(StepResult):
    """`series` is an HDF5 file: `values` (time, y, x) int16 × 1e-4, nodata −32768; `days` (time) int32 since
    1970-01-01; `scale`, `nodata`, `index`, `epsg` and `transform` as attributes. See docs/gap_filling.md.
    """

    series: File
    grid: Grid
    index: IndexName
    dates: tuple[date, ...] = Field(description="One per layer, ascending")
    observations: File = Field(description="Clear observations per cell: COG, uint16")
    clear_share: float = Field(ge=0, le=1, description="Share of all values that are clear")


class SeriesParams(StepParams):
    """Index per clear observation; where tiles overlap on one date, one value."""

    step: ClassVar[str] = "gdal.series"
    result: ClassVar[type[StepResult]] = SeriesResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048)

    seen: tuple[Seen, ...] = Field(min_length=1)
    index: IndexName = "ndvi"
    grid: Grid = Field(description="The window of the analysis grid to work on")
    land: File | None = Field(default=None, description="COG on the analysis grid, 1 on land; elsewhere nothing is")
    usable: tuple[int, ...] = Field(default=(1,), description="Sky classes that are used: 1 clear, 5 snow, …")
