"""Training of the land-cover network."""

from typing import ClassVar

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult


class Network(Contract):
    """U-Net mini: filters down, bottleneck, nearest up-sampling, skips, 1×1 softmax."""

    filters: tuple[int, ...] = Field(default=(16, 32, 64, 128), min_length=1)
    bottleneck: int = Field(default=256, gt=0)


class LandCoverModel(Contract):
    """A trained model with everything that using it needs."""

    weights: File = Field(description="Keras 3 .keras file")
    card: File = Field(description="JSON: bands, normalisation, legend, split, metrics, training domain, cube id, versions")


class TrainResult(StepResult):
    model: LandCoverModel
    test_accuracy: float = Field(ge=0, le=1, description="Overall accuracy on the held-out test blocks, against the labels")
    f1: dict[str, float] = Field(description="Class name to F1 on the test blocks")
    figures: dict[str, File] = Field(description="PNG: curves, confusion")


class TrainParams(StepParams):
    """Stratified, class-balanced patches drawn in memory from spatially separate blocks."""

    step: ClassVar[str] = "tensorflow.train"
    result: ClassVar[type[StepResult]] = TrainResult
    resources: ClassVar[Resources] = Resources(memory_mb=6144, timeout_s=14_400, gpu=True)

    cube: File
    network: Network = Network()
    patch_px: int = Field(default=256, ge=16, le=1024, description="Edge of a patch in cells")
    block_px: int = Field(default=512, ge=16, description="Edge of the blocks that are dealt to train, validation, test")
    gap_px: int = Field(default=16, ge=0, description="Cells left unused along the edge of every block")
    batch: int = Field(default=8, ge=1)
    patches_per_epoch: int = Field(default=256, ge=1)
    max_epochs: int = Field(default=30, ge=1)
    patience: int = Field(default=5, ge=1, description="Epochs without a better validation loss before training stops")
    learning_rate: float = Field(default=1e-3, gt=0)
    seed: int = 0
