"""From labelled pixels to a model that turns the mask's components into a probability of cloud."""

from typing import ClassVar

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult
from containers.gdal.contract.mask import MaskResult
from containers.gdal.contract.observe import Observation


class LabelledScene(Contract):
    """A masked scene and what an interpreter (or the simulation) says of it."""

    observation: Observation
    mask: MaskResult = Field(description="With its components")
    labels: File = Field(description="Raster of label codes in any grid; nearest neighbour is taken")
    codes: dict[int, str] = Field(
        description="Label code to `cloud`, `cirrus`, `shadow`, `snow` or `clear`, or `clear/<surface>`; others: unused"
    )


class MaskTableResult(StepResult):
    table: File = Field(description="Parquet: the columns are listed in docs/cloud_mask_model.md")
    pixels: int = Field(ge=0)
    scenes: int = Field(ge=0)


class MaskTableParams(StepParams):
    """Draw labelled pixels: the same number of cloudy and of clear ones from every scene that has both."""

    step: ClassVar[str] = "gdal.mask_table"
    result: ClassVar[type[StepResult]] = MaskTableResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048)

    scenes: tuple[LabelledScene, ...] = Field(min_length=1)
    pixels_per_scene: int = Field(default=4_000, ge=10, description="Half of them cloudy where there are as many")
    seed: int = Field(default=0, description="Seed of the draw")


class TrainMaskResult(StepResult):
    model: File = Field(description="JSON: forest as a table, cut-off, split, metrics and training domain")
    metrics: File = Field(description="CSV: of the forest and of each component, by split and surface")
    figures: dict[str, File] = Field(description="Picture name to PNG: ROC, precision and recall")


class TrainMaskParams(StepParams):
    """Fit the forest, split by scene, and measure it on scenes that it has not seen."""

    step: ClassVar[str] = "gdal.train_mask"
    result: ClassVar[type[StepResult]] = TrainMaskResult
    resources: ClassVar[Resources] = Resources(memory_mb=3072)

    table: File = Field(description="Parquet or CSV of labelled pixels")
    trees: int = Field(default=500, ge=1, le=5_000, description="Trees of the forest")
    test_share: float = Field(default=0.3, gt=0, lt=1, description="Share of the scenes kept for testing")
    seed: int = Field(default=0, description="Seed of the forest and of the split")
    cutoff: float = Field(default=0.29, ge=0, le=1, description="Probability above which a cell is cloud")
