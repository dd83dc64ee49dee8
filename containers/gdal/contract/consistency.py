"""From independent yearly probabilities to a consistent history."""

import math
from typing import ClassVar

from pydantic import Field, model_validator

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult


class Transitions(Contract):
    """Yearly probability of going from a class (row) to a class (column), in the order of the legend's CLASSES."""

    matrix: tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]] = Field(
        default=((0.996, 0.003, 0.001), (0.010, 0.988, 0.002), (0.004, 0.004, 0.992)),
        description="Rows: from impervious, green, other; columns: to them; each row sums to 1",
    )

    @model_validator(mode="after")
    def _rows_are_probabilities(self) -> "Transitions":
        for row in self.matrix:
            if min(row) < 0 or not math.isclose(sum(row), 1, abs_tol=1e-6):
                raise ValueError(f"row {row} is not a set of probabilities that sum to 1")
        return self


class ConsistencyResult(StepResult):
    classes: dict[str, File] = Field(description="Period to smoothed class COG, uint8, nodata 0")
    confidence: dict[str, File] = Field(
        description="Period to posterior probability of that class, uint8 × 1/250, nodata 255"
    )
    change_period: File = Field(
        description="Index (1 = second period) of the most probable last change, uint8; 0 none, 255 unknown"
    )
    change_probability: File = Field(
        description="Probability that the class changed at least once, uint8 × 1/250, nodata 255"
    )
    periods: tuple[str, ...]


class Consistency(Contract):
    """How yearly maps are made consistent: what an analyst may choose."""

    transitions: Transitions = Transitions()
    temperature: float = Field(
        default=0.13,
        gt=0,
        description="Log probabilities are divided by this before they meet the transition table: above 1 where the "
        "network is over-confident, below 1 where noisy labels made it timid and change must not be missed",
    )
    spatial_weight: float = Field(
        default=0.8,
        ge=0,
        le=1,
        description="Weight of the changed cells around, against the cell itself, when a change is judged",
    )
    min_mapping_unit_ha: float = Field(
        default=0.2, ge=0, description="Changed patches below this area are undone, in hectares"
    )


class ConsistencyParams(Consistency, StepParams):
    """Hidden-Markov smoothing (forward–backward, Viterbi) along time per cell; changes are judged with their neighbours
    and by a minimum mapping unit.

    The default temperature was chosen on two simulated archives. Of the newly impervious area in independent yearly
    maps it leaves 20 % of the false and 86 % of the true over five years, 28 % and 82 % over three, where half of the
    changes have but one year to confirm them. Higher values leave less of both.
    """

    step: ClassVar[str] = "gdal.consistency"
    result: ClassVar[type[StepResult]] = ConsistencyResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048)

    probabilities: dict[str, File] = Field(
        min_length=2, description="Period to probability COG (3 bands), oldest first"
    )
