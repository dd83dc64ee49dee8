"""Values between the clear observations, each with its quality and its uncertainty."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult

FillEngine = Literal["harmonic", "ridge", "whittaker", "savitzky_golay", "linear", "seasonal"]


class Filling(Contract):
    """How gaps are filled. The same for every cell of a run."""

    engine: FillEngine = Field(
        default="seasonal",
        description="seasonal: the usual year, and a smoother on what it leaves; harmonic: 10, 5 or 1 harmonics by "
        "precedence; ridge: 3 harmonics, regularised; whittaker, savitzky_golay: smoothers; linear: between neighbours",
    )
    observed_wins: bool = Field(default=True, description="On the date of a clear observation, its value stands")
    ridge_penalty: float = Field(default=1.0, ge=0, description="ridge: weight of the squared amplitudes")
    smoothness: float = Field(
        default=10_000.0, gt=0, description="whittaker: weight of the squared second derivative by days"
    )
    window_days: int = Field(default=60, ge=10, le=365, description="savitzky_golay: width of the window in days")
    dip: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Observations this far below the curve through their neighbours are taken for undetected clouds "
        "and left out; 0 keeps all",
    )
    degree: int = Field(default=2, ge=1, le=4, description="savitzky_golay: degree of the polynomial")


class FillResult(StepResult):
    """`filled` is an HDF5 file like a series, with `values`, `quality` (int8) and `uncertainty` beside `days`.

    `quality` of a value: −1 observed; 10, 5, 1 harmonics of the fit; 3 ridge; 20 whittaker, 30 savitzky_golay,
    40 linear, 50 seasonal, each +1 where the cell was seen on one side of the date only; 0 none. `uncertainty`
    (int16 × 1e-4, nodata −32768) is one standard deviation of the difference to a clear observation of that date.
    """

    filled: File
    grid: Grid
    dates: tuple[date, ...]
    shares: dict[str, float] = Field(description="Quality code to its share of all values on land")


class FillParams(StepParams):
    """Fill one series cube. Memory is bounded by blocks of cells."""

    step: ClassVar[str] = "gdal.fill"
    result: ClassVar[type[StepResult]] = FillResult
    resources: ClassVar[Resources] = Resources(memory_mb=3072)

    series: File = Field(description="HDF5 as the step `series` writes it")
    first: date = Field(description="First day of the output")
    last: date = Field(description="Last day of the output")
    every_days: int = Field(
        default=10, ge=0, le=60, description="Days between output dates; 0: the dates of the observations"
    )
    filling: Filling = Filling()

    @model_validator(mode="after")
    def _in_order(self) -> "FillParams":
        if self.first > self.last:
            raise ValueError(f"first={self.first} is after last={self.last}")
        return self
