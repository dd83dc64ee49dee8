"""From one acquisition in the archive to everything that later steps need of it: the archive is read once."""

from datetime import datetime
from typing import ClassVar

from pydantic import Field, model_validator

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.scene import BandName, Level, Scene
from containers.base.contract.step import Resources, StepParams, StepResult


class Image(Contract):
    """A small picture of an acquisition in its own UTM grid: one COG, int16 × 1e-4, nodata −32768."""

    file: File = Field(description="Bands by their descriptions, which are band names")
    grid: Grid = Field(description="The tile's own UTM grid at the picture's resolution")


class Observation(StepResult):
    """One acquisition of one tile, offset and nodata settled."""

    scene_id: str = Field(description="Name of the product, or of the first of its parts")
    tile: str
    acquired: datetime
    platform: str
    orbit: int
    level: Level
    baseline: str
    simulated: bool
    cloud_cover: float | None = Field(description="Cloud share by metadata in percent")
    footprint: str = Field(description="Outline of the valid data as WKT, EPSG:4326")
    grid: Grid = Field(description="The window of the analysis grid that the tile covers")
    bands: dict[str, File] = Field(
        description="Index bands on the analysis grid: reflectance COGs, int16 × 1e-4, nodata −32768"
    )
    features: Image = Field(description="All mask bands, and `scl` for L2A, averaged to the mask's resolution")
    background: Image = Field(description="The same bands, without `scl`, at the background's resolution")
    valid_share: float = Field(ge=0, le=1, description="Share of the tile's cells inside the grid that hold data")


class ObserveParams(StepParams):
    """Read an acquisition once: index bands warped once to the analysis grid, mask bands reduced in the tile's own."""

    step: ClassVar[str] = "gdal.observe"
    result: ClassVar[type[StepResult]] = Observation
    resources: ClassVar[Resources] = Resources(memory_mb=3072, network=True, connections=2)

    parts: tuple[Scene, ...] = Field(
        min_length=1, description="The acquisition: one product, or the halves of one datatake"
    )
    index_bands: tuple[BandName, ...] = Field(min_length=1, description="Bands that the vegetation index needs")
    mask_bands: tuple[BandName, ...] = Field(min_length=1, description="Bands that the mask needs")
    grid: Grid = Field(description="The analysis grid")
    block_px: int = Field(default=256, ge=16, description="Windows of the grid start on multiples of this many cells")
    mask_resolution_m: float = Field(default=60.0, ge=10, le=120, description="Cell size of the mask in metres")
    background_resolution_m: float = Field(
        default=240.0, ge=10, le=960, description="Cell size of background images in metres: a multiple of the mask's"
    )

    @model_validator(mode="after")
    def _one_acquisition(self) -> "ObserveParams":
        if len({(part.tile, part.datatake, part.platform) for part in self.parts}) > 1:
            raise ValueError(f"parts are of different acquisitions: {[part.id for part in self.parts]}")
        if self.background_resolution_m % self.mask_resolution_m:
            raise ValueError(
                f"background_resolution_m={self.background_resolution_m} is no multiple of "
                f"mask_resolution_m={self.mask_resolution_m}"
            )
        for part in self.parts:
            if missing := {*self.index_bands, *self.mask_bands} - set(part.bands):
                raise ValueError(f"scene {part.id} lacks the bands {sorted(missing)}; it has {sorted(part.bands)}")
        return self
