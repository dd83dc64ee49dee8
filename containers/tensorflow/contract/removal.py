"""Rebuilding a clear image: training and prediction."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.pair import Pair
from containers.base.contract.step import Resources, StepParams, StepResult

Preset = Literal["reference", "small", "adaptive"]
Inputs = Literal["all", "radar", "optical"]


class RemovalModel(Contract):
    """A trained generator with everything that using it needs."""

    weights: File = Field(description="Keras 3 .keras file of the generator")
    card: File = Field(
        description="JSON: channels, bands, scalers, configuration, tile size, inputs, split, scores, training domain, "
        "dataset id, versions"
    )


class TrainRemovalResult(StepResult):
    model: RemovalModel
    epochs: int = Field(ge=1, description="Epochs done")
    best_epoch: int = Field(ge=1, description="The one whose weights are kept: best by validation")
    scores: dict[str, float] = Field(
        description="psnr_db, ssim, mae, sam_deg on cells of the test tiles that were seen at both dates and that "
        "artificial clouds hide, the same for every network of one seed; one without any cell is left out"
    )
    figures: dict[str, File] = Field(description="PNG: curves, and validation pictures at chosen epochs")


class TrainRemovalParams(StepParams):
    """Train a network on a dataset. Checkpoints make a killed training go on as if nothing had happened."""

    step: ClassVar[str] = "tensorflow.train_removal"
    result: ClassVar[type[StepResult]] = TrainRemovalResult
    resources: ClassVar[Resources] = Resources(memory_mb=8192, timeout_s=86_400, gpu=True)
    side_files: ClassVar[str] = "Training log: tensorboard --logdir {folder}"
    keeps_partials: ClassVar[bool] = True
    data_files: ClassVar[tuple[str, ...]] = (
        "networks/reference.yaml",
        "networks/small.yaml",
        "networks/adaptive.yaml",
    )

    dataset: File
    preset: Preset = Field(default="small", description="Configuration of network and training to start from")
    overrides: dict[str, Any] = Field(
        default={}, description="Keys of that configuration that are set otherwise; unknown ones are refused"
    )
    inputs: Inputs = Field(default="all", description="Channels that the network sees: all, or for an ablation")
    seed: int = Field(default=0, ge=0, description="Seed of weights, order, augmentation and noise")
    max_tiles: int | None = Field(default=None, ge=1, description="Training tiles used at most, for a quick try")


class PredictRemovalResult(StepResult):
    simulated: dict[str, File] = Field(description="Band to COG, int16 × 1e-4, nodata −32768: predicted everywhere")
    restored: dict[str, File] = Field(
        description="Band to COG: what was seen at t1 where it was clear, predicted where it was hidden"
    )
    replaced: File = Field(description="1 predicted, 0 seen, uint8 COG, nodata 255")
    confidence: File = Field(
        description="uint8 × 1/250, nodata 255: share of validation cells within 0.02 of the truth where overlapping "
        "and turned predictions differed as much; see docs/networks.md"
    )


class PredictRemovalParams(StepParams):
    """Predict a whole pair in overlapping, blended windows and in physical units."""

    step: ClassVar[str] = "tensorflow.predict_removal"
    result: ClassVar[type[StepResult]] = PredictRemovalResult
    resources: ClassVar[Resources] = Resources(memory_mb=6144, timeout_s=28_800, gpu=True)

    pair: Pair
    grid: Grid
    model: RemovalModel
    overlap_px: int = Field(default=32, ge=0, le=256, description="Overlap of windows in cells, blended linearly")
    batch: int = Field(default=2, ge=1, le=256, description="Windows in memory at once")
    allow_simulated_model: bool = Field(
        default=False, description="Let a model that was trained on simulated data predict real scenes"
    )
