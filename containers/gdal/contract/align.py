"""From one acquisition in the archive to its bands on the analysis grid."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.scene import BandName, Scene
from containers.base.contract.step import Resources, StepParams, StepResult


class AlignResult(StepResult):
    """Reflectance COGs (int16 × 1e-4, nodata −32768) and the scene classification on one window of the grid."""

    tile: str
    acquired: datetime
    grid: Grid = Field(description="The window of the analysis grid that the tile covers")
    bands: dict[str, File]
    scl: File | None = Field(description="Scene classification, uint8, nodata 0, nearest neighbour")
    valid_share: float = Field(ge=0, le=1, description="Share of the tile's cells inside the grid that hold data")


class AlignParams(StepParams):
    """Settle offset and nodata, then warp once from the original to the snapped grid."""

    step: ClassVar[str] = "gdal.align"
    result: ClassVar[type[StepResult]] = AlignResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048, network=True, connections=2)

    parts: tuple[Scene, ...] = Field(
        min_length=1, description="The acquisition: one product, or the halves of one datatake"
    )
    bands: tuple[BandName, ...] = Field(min_length=1, description="Bands to align")
    grid: Grid = Field(description="The analysis grid")
    block_px: int = Field(default=256, ge=16, description="Windows of the grid start on multiples of this many cells")
    resampling: Literal["nearest", "bilinear", "cubic"] = Field(
        default="nearest", description="How bands are resampled"
    )

    @model_validator(mode="after")
    def _one_acquisition(self) -> "AlignParams":
        seen = {(part.tile, part.datatake, part.platform) for part in self.parts}
        if len(seen) > 1:
            raise ValueError(f"parts are of different acquisitions: {sorted(map(str, seen))}")
        for part in self.parts:
            if missing := set(self.bands) - set(part.bands):
                raise ValueError(f"scene {part.id} lacks the bands {sorted(missing)}; it has {sorted(part.bands)}")
        return self
