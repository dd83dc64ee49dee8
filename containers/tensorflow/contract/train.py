"""Training of the land-cover network."""

from typing import ClassVar

from pydantic import Field, model_validator

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult


class Network(Contract):
    """U-Net mini: filters down, bottleneck, nearest up-sampling, skips, 1×1 softmax."""

    filters: tuple[int, ...] = Field(
        default=(16, 32, 64, 128), min_length=1, description="Filters of each level on the way down"
    )
    bottleneck: int = Field(default=256, gt=0, description="Filters at the bottom")


class LandCoverModel(Contract):
    """A trained model with everything that using it needs."""

    weights: File = Field(description="Keras 3 .keras file")
    card: File = Field(
        description="JSON: bands, normalisation, legend, split, metrics, training domain, cube id, versions"
    )


class TrainResult(StepResult):
    model: LandCoverModel
    test_accuracy: float = Field(
        ge=0, le=1, description="Overall accuracy on the held-out test blocks, against the labels"
    )
    f1: dict[str, float] = Field(description="Class name to F1 on the test blocks")
    figures: dict[str, File] = Field(description="PNG: curves, confusion")


class Training(Contract):
    """How the network is trained: what an analyst may choose."""

    network: Network = Network()
    patch_px: int = Field(default=256, ge=16, le=1024, description="Edge of a patch in cells")
    block_px: int = Field(
        default=512, ge=16, description="Edge of the blocks that are dealt to train, validation, test"
    )
    gap_px: int = Field(default=16, ge=0, description="Cells left unused along the edge of every block")
    max_blocks: int = Field(
        default=512, ge=3, description="Blocks used at most, drawn at random where the cube has more: bounds the memory"
    )
    batch: int = Field(
        default=4,
        ge=1,
        description="Patches per step; each of 256² cells takes about 120 MiB, 8 of them more than 2 GiB",
    )
    patches_per_epoch: int = Field(default=256, ge=1, description="Patches drawn in every epoch")
    max_epochs: int = Field(default=30, ge=1, description="Upper limit of epochs")
    patience: int = Field(default=5, ge=1, description="Epochs without a better validation loss before training stops")
    learning_rate: float = Field(default=1e-3, gt=0, description="First step size of Adam")
    label_smoothing: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="Share of every label given to all classes alike, since labels are partly wrong",
    )
    radiometric_jitter: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Standard deviation of the random gain and offset per patch and band, in units of the band's "
        "spread: the model has to carry over to other dates",
    )
    seed: int = Field(default=0, ge=0, description="Seed of split, patches and weights")

    @model_validator(mode="after")
    def _patches_fit(self) -> "Training":
        if (needed := self.patch_px + 2 * self.gap_px) > self.block_px:
            raise ValueError(f"block_px={self.block_px} is less than the {needed} of a patch with a gap on both sides")
        if self.patch_px % (halved := 2 ** len(self.network.filters)):
            raise ValueError(
                f"patch_px={self.patch_px} is not a multiple of {halved}, which {self.network.filters} need"
            )
        return self


class TrainParams(Training, StepParams):
    """Stratified, class-balanced patches drawn in memory from spatially separate blocks."""

    step: ClassVar[str] = "tensorflow.train"
    result: ClassVar[type[StepResult]] = TrainResult
    resources: ClassVar[Resources] = Resources(memory_mb=6144, timeout_s=14_400, gpu=True)
    side_files: ClassVar[str] = "Training log: tensorboard --logdir {folder}"

    cube: File
