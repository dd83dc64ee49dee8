"""How good rebuilt images are, beside what costs nothing."""

from typing import ClassVar

from pydantic import Field, model_validator

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.pair import Pair
from containers.base.contract.step import Resources, StepParams, StepResult

BASELINES = ("t0_copy", "linear")
"""Judged beside the candidates: the image of t0 as it is, and least squares of each band by all channels."""


class Candidate(Contract):
    """One answer to what lay under the cloud."""

    name: str = Field(pattern=r"^[a-z0-9_]+$", description="Such as model, sar_only, optical_only")
    bands: dict[str, File] = Field(description="Band to COG, int16 × 1e-4, nodata −32768")


class JudgeRemovalResult(StepResult):
    scores: File = Field(
        description="CSV: method, where (all | hidden | clear_test), cells, mae, rmse, psnr_db, ssim, sam_deg, windows "
        "(those of SSIM)"
    )
    gains: File = Field(
        description="CSV: baseline, where, metric (mae | psnr_db), gain, lower, upper, blocks: paired by block, 95 % "
        "bootstrap interval; positive where the model is better"
    )
    blocks: File = Field(description="CSV of the scores by block")
    figures: dict[str, File] = Field(description="PNG")


class JudgeRemovalParams(StepParams):
    """Errors of every method, on hidden and on clear cells apart, beside doing nothing and linear regression.

    `hidden` are cells under cloud, cirrus or shadow at t1, which need `truth`, an image of t1 without clouds.
    `clear_test` are cells seen at t1 in test tiles, against what was seen. `all` is both, against the truth. Only
    cells count that every method has.
    """

    step: ClassVar[str] = "gdal.judge_removal"
    result: ClassVar[type[StepResult]] = JudgeRemovalResult
    resources: ClassVar[Resources] = Resources(memory_mb=3072, timeout_s=7_200)

    pair: Pair
    grid: Grid
    tiles: File = Field(description="Tile table of gdal.tiles: which tiles were trained on")
    tile_px: int = Field(ge=32, le=1024, description="Edge of a tile in cells")
    more_pairs: tuple[Pair, ...] = Field(
        default=(), description="Other pairs of the dataset: the regression learns from their training tiles, too"
    )
    candidates: tuple[Candidate, ...] = Field(min_length=1, description="The model first")
    truth: dict[str, File] = Field(default={}, description="Band to raster of the true reflectance, int16 × 1e-4")
    block_px: int = Field(default=128, ge=32, le=2048, description="Edge of the blocks that methods are compared by")
    seed: int = Field(default=0, ge=0, description="Seed of the bootstrap")

    @model_validator(mode="after")
    def _names_differ(self) -> "JudgeRemovalParams":
        names = [*BASELINES, *(candidate.name for candidate in self.candidates)]
        if len(set(names)) < len(names):
            raise ValueError(f"methods must have different names: {names}")
        return self
