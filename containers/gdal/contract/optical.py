"""All tiles of one date on the analysis grid, with what hides the ground."""

from typing import ClassVar

from pydantic import Field

from containers.base.contract.grid import Grid
from containers.base.contract.pair import OpticalImage
from containers.base.contract.step import Resources, StepParams, StepResult
from containers.gdal.contract.series import Seen


class OpticalResult(StepResult):
    image: OpticalImage
    valid_share: float = Field(ge=0, le=1, description="Share of the grid's cells with data")
    hidden_share: float = Field(ge=0, le=1, description="Share of those under cloud, cirrus or shadow")


class OpticalParams(StepParams):
    """Mosaic the tiles of one date and their masks onto the grid.

    A cell comes from one tile in every layer: of those with data in every band and in the mask, the one with the most
    such cells on the grid, of equals the first by scene id. Without such a tile it is nodata in every layer.
    """

    step: ClassVar[str] = "gdal.optical"
    result: ClassVar[type[StepResult]] = OpticalResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048)

    seen: tuple[Seen, ...] = Field(min_length=1, description="Observations of one datatake, with their masks")
    grid: Grid
