"""The cloud-mask model as an artifact: a forest over binary components is a table, one probability per combination."""

import datetime as dt
from typing import Literal

from pydantic import Field, model_validator

from containers.base.contract.model import Contract
from containers.base.contract.scene import Level


class TrainingDomain(Contract):
    """What the model has seen, and so what it may be used on."""

    simulated: bool = Field(description="Whether any of its scenes was simulated")
    level: Level
    mask_resolution_m: float = Field(gt=0, description="Cell size of the masks that the components were computed on")
    baselines: tuple[str, ...] = Field(description="Processing baselines, such as 05.10")
    tiles: tuple[str, ...]
    surfaces: tuple[str, ...] = Field(description="What the clear pixels show, as far as the labels say")
    first_date: dt.date
    last_date: dt.date
    scenes: int = Field(ge=1)


class SceneSplit(Contract):
    """Which scenes the forest was fitted on and which it was measured on; none is in both."""

    seed: int
    train: tuple[str, ...] = Field(min_length=1, description="Product names")
    test: tuple[str, ...] = Field(min_length=1, description="Product names")


class MaskModel(Contract):
    """Probability of cloud for every combination of the binary components.

    The combination (c1, …, cn) is entry c1·2ⁿ⁻¹ + … + cn of `probabilities` and `pixels`.
    """

    format: Literal["cloud-mask-forest/1"] = "cloud-mask-forest/1"
    features: tuple[str, ...] = Field(min_length=1, max_length=12, description="Names of the components, in order")
    probabilities: tuple[float, ...] = Field(description="Probability of cloud per combination, 0 to 1")
    pixels: tuple[int, ...] = Field(description="Training pixels per combination; 0: the forest has extrapolated")
    trees: int = Field(ge=1, description="Trees of the forest")
    cutoff: float = Field(ge=0, le=1, description="Probability above which a cell is cloud")
    split: SceneSplit
    metrics: dict[str, float] = Field(description="Of the forest on the test scenes, at the cutoff; see metrics.csv")
    training_domain: TrainingDomain
    versions: dict[str, str] = Field(description="Library to its version")

    @model_validator(mode="after")
    def _is_whole(self) -> "MaskModel":
        cells = 2 ** len(self.features)
        if (len(self.probabilities), len(self.pixels)) != (cells, cells):
            raise ValueError(
                f"{len(self.features)} features have {cells} combinations; "
                f"got {len(self.probabilities)} probabilities and {len(self.pixels)} counts"
            )
        if not all(0 <= probability <= 1 for probability in self.probabilities):
            raise ValueError(f"probabilities reach from {min(self.probabilities)} to {max(self.probabilities)}")
        if min(self.pixels) < 0 or not any(self.pixels):
            raise ValueError("counts of training pixels are negative, or all zero")
        return self
