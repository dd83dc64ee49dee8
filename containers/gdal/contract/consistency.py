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
        default=((0.988, 0.010, 0.002), (0.010, 0.988, 0.002), (0.004, 0.004, 0.992)),
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
    noise: float = Field(
        default=2.5,
        gt=0,
        description="Variance of what is seen of a cell from period to period, relative to that measured on the maps: "
        "2.5 where a tenth of each map may be grossly wrong, towards 1 where errors are small doubts; higher leaves "
        "less change, true and false",
    )
    max_changes: int = Field(
        default=1,
        ge=0,
        le=3,
        description="Changes that the history of a cell may have: more for long histories; never more than one with 27 "
        "periods or more",
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
    """Hidden-Markov smoothing along time per cell, with an effect of the cell (containers/gdal/hidden_markov.py);
    changes are judged with their neighbours and by a minimum mapping unit.

    What the classes look like in the probabilities is measured on the maps themselves, in a pass of its own.
    """

    step: ClassVar[str] = "gdal.consistency"
    result: ClassVar[type[StepResult]] = ConsistencyResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048)

    probabilities: dict[str, File] = Field(
        min_length=2, description="Period to probability COG (3 bands), oldest first"
    )
