"""From images of two dates to tiles that a network learns from."""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.pair import Pair
from containers.base.contract.radar import Polarisation
from containers.base.contract.scene import BandName
from containers.base.contract.step import Resources, StepParams, StepResult

ScalerMethod = Literal["z_score", "min_max", "plus_minus_one"]
PARTS = ("train", "validation", "test")


class Tiling(Contract):
    """How the grid is cut into tiles, and which of them are used."""

    size_px: int = Field(default=256, ge=32, le=1024, multiple_of=16, description="Edge of a tile in cells")
    overlap_px: int = Field(default=0, ge=0, description="Overlap of neighbouring tiles in cells")
    min_valid_share: float = Field(
        default=0.7, ge=0, le=1, description="Smallest share of a tile's cells with data, in every image"
    )
    max_hidden_t0: float = Field(default=0.05, ge=0, le=1, description="Largest hidden share of a tile at t0")
    max_hidden_t1: float = Field(
        default=0.7, ge=0, le=1, description="Largest hidden share of a tile at t1; hidden cells are never learned from"
    )
    block_tiles: int = Field(
        default=2, ge=1, le=64, description="Edge, in tiles, of the blocks that are dealt to parts"
    )
    shares: tuple[float, float, float] = Field(
        default=(0.80, 0.05, 0.15), description="Shares of the blocks for training, validation and test"
    )
    seed: int = Field(default=2, ge=0, description="Seed of the deal")

    @model_validator(mode="after")
    def _shares_add_up(self) -> "Tiling":
        if abs(sum(self.shares) - 1) > 1e-6 or min(self.shares) < 0:
            raise ValueError(f"shares={self.shares} must be at least 0 and add up to 1")
        if 2 * self.overlap_px > self.size_px:
            raise ValueError(f"overlap_px={self.overlap_px} is more than half of size_px={self.size_px}")
        return self


class TilesResult(StepResult):
    tiles: File = Field(
        description="JSON: list of {id, pair, row_px, col_px, block, part, valid_share, hidden_t0, hidden_t1}; "
        "id is <row>_<col>; a tile of one block is in the same part in every pair"
    )
    refused: File = Field(
        description="CSV: id, pair, code, value, limit; a row per rule broken: incomplete, few_data_<image>, "
        "hidden_t0, hidden_t1, and next_to_<part> for tiles that share cells with one of that part"
    )
    outlines: File = Field(description="GeoPackage of all tiles with their part, or refused, for QGIS")
    counts: dict[str, int] = Field(description="Part to its number of tiles over all pairs")


class TilesParams(Tiling, StepParams):
    """Cut the grid into tiles, refuse unfit ones by name, and deal blocks to training, validation and test.

    Every part gets at least one block. Where tiles overlap, a tile that shares cells with one of another part is
    dropped: a training tile before a validation tile, and both before a test tile.
    """

    step: ClassVar[str] = "gdal.tiles"
    result: ClassVar[type[StepResult]] = TilesResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)

    pairs: tuple[Pair, ...] = Field(min_length=1)
    grid: Grid


class Scaling(Contract):
    """How values are brought to what a network likes. Radar is in dB by then, taken once."""

    method: ScalerMethod = Field(default="z_score", description="Per group, fitted on training tiles only")
    radar_factor: float = Field(default=0.2, gt=0, le=10, description="Scaled radar is multiplied by this")
    optical_factor: float = Field(default=0.142, gt=0, le=10, description="Scaled reflectance is multiplied by this")
    clip_optical: float | None = Field(
        default=1.0, gt=0, description="Scaled reflectance is clipped to ± this; empty: never"
    )
    optical_groups: tuple[tuple[BandName, ...], ...] = Field(
        default=(("red", "green", "blue"), ("nir", "nir08"), ("swir16", "swir22")),
        description="Bands that share a scaler, across both dates and the target; others have one each",
    )

    @model_validator(mode="after")
    def _each_band_once(self) -> "Scaling":
        grouped = [band for group in self.optical_groups for band in group]
        if twice := sorted({band for band in grouped if grouped.count(band) > 1}):
            raise ValueError(f"optical_groups hold {twice} more than once")
        return self


class DatasetResult(StepResult):
    """`dataset` is an HDF5 file, see docs/cloud_removal.md: groups train, validation, test, each with `inputs`
    int16 (tile, y, x, channel), `target` int16 (tile, y, x, band), `sky_t0` and `sky_t1` uint8 (tile, y, x), `ids`,
    `pairs`, `rows`, `cols`, `blocks`; nodata −32768. Root attributes: `channels` and `bands` (JSON lists of name,
    group, date, scale, unit), `scalers` (JSON: group to centre, spread, factor, clip, in physical units: see
    containers/base/scalers.py), `grid` (JSON), `tile_px`, `simulated`.
    """

    dataset: File
    scalers: File = Field(description="The scalers as JSON")
    channels: tuple[str, ...] = Field(description="Such as vv_t0, vh_t0, vv_t1, vh_t1, red_t0, …")
    bands: tuple[str, ...] = Field(description="Bands of the target")
    tiles: dict[str, int]
    filled: dict[str, int] = Field(description="Radar channel to the number of cells in small gaps that were closed")


class DatasetParams(StepParams):
    """Write the tiles into one HDF5 file and fit the scalers to its training part, in bounded memory."""

    step: ClassVar[str] = "gdal.dataset"
    result: ClassVar[type[StepResult]] = DatasetResult
    resources: ClassVar[Resources] = Resources(memory_mb=1536)

    pairs: tuple[Pair, ...] = Field(min_length=1)
    tiles: File
    grid: Grid
    tile_px: int = Field(ge=32, le=1024, description="Edge of a tile in cells")
    polarisations: tuple[Polarisation, ...] = Field(default=("vv", "vh"), min_length=1)
    bands: tuple[BandName, ...] = Field(
        default=("red", "green", "blue", "nir", "nir08", "swir16", "swir22"), min_length=1
    )
    scaling: Scaling = Scaling()
    simulated: bool = False
