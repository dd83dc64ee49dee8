"""From independent yearly probabilities to a consistent history."""

from typing import ClassVar

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult


class Transitions(Contract):
    """Yearly probability of going from a class (row) to a class (column), in the order of the legend's CLASSES."""

    matrix: tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]] = (
        (0.996, 0.003, 0.001),
        (0.010, 0.988, 0.002),
        (0.004, 0.004, 0.992),
    )


class ConsistencyResult(StepResult):
    classes: dict[str, File] = Field(description="Period to smoothed class COG, uint8, nodata 0")
    confidence: dict[str, File] = Field(description="Period to posterior probability of that class, uint8 × 1/250, nodata 255")
    change_period: File = Field(description="Index (1 = second period) of the most probable last change, uint8; 0 none, 255 unknown")
    change_probability: File = Field(description="Probability that the class changed at least once, uint8 × 1/250, nodata 255")
    periods: tuple[str, ...]


class ConsistencyParams(StepParams):
    """Hidden-Markov smoothing (forward–backward, Viterbi) along time per cell, then a minimum mapping unit."""

    step: ClassVar[str] = "gdal.consistency"
    result: ClassVar[type[StepResult]] = ConsistencyResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048)

    probabilities: dict[str, File] = Field(min_length=2, description="Period to probability COG (3 bands)")
    transitions: Transitions = Transitions()
    spatial_weight: float = Field(default=0.5, ge=0, le=1, description="Weight of the 3×3 neighbourhood's log probability")
    min_mapping_unit_ha: float = Field(default=0.2, ge=0, description="Changed patches below this area are undone, in hectares")
