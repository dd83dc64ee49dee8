"""Prediction of one period over the whole grid in bounded memory."""

from typing import ClassVar

from pydantic import Field, model_validator

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult
from containers.tensorflow.contract.train import LandCoverModel


class PredictResult(StepResult):
    period: str
    probabilities: File = Field(description="COG, 3 bands in the order of CLASSES, uint8 × 1/250, nodata 255")
    classes: File = Field(description="COG, uint8, legend codes, nodata 0")
    confidence: File = Field(description="COG, highest probability, uint8 × 1/250, nodata 255")


class Prediction(Contract):
    """How a trained network maps a period: what an analyst may choose."""

    window_px: int = Field(default=512, ge=32, description="Edge of a window in cells")
    overlap_px: int = Field(default=32, ge=0, description="Overlap of neighbouring windows in cells, blended linearly")
    batch: int = Field(default=2, ge=1, description="Windows in memory at once")
    orientations: int = Field(
        default=1,
        ge=1,
        le=8,
        description="Ways to lay a window, turned and mirrored, whose predictions are averaged: each costs one more, "
        "and maps of different years then differ less where nothing has changed",
    )

    @model_validator(mode="after")
    def _windows_advance(self) -> "Prediction":
        if 2 * self.overlap_px > self.window_px:
            raise ValueError(f"overlap_px={self.overlap_px} is more than half of window_px={self.window_px}")
        return self


class PredictParams(Prediction, StepParams):
    """Overlapping windows, blended; a cell without data in any band stays unknown."""

    step: ClassVar[str] = "tensorflow.predict"
    result: ClassVar[type[StepResult]] = PredictResult
    resources: ClassVar[Resources] = Resources(memory_mb=4096, timeout_s=14_400, gpu=True)

    cube: File
    model: LandCoverModel
    period: str
    allow_simulated_model: bool = Field(
        default=False, description="Let a model that was trained on simulated data predict a cube of real scenes"
    )
