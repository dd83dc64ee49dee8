"""The card of a network that rebuilds images: everything that a user or the predictor must know about it."""

from pathlib import Path

from pydantic import Field, ValidationError

from containers.base.contract.grid import Bounds
from containers.base.contract.model import Contract
from containers.base.contract.step import StepError
from containers.tensorflow.confidence import Calibration
from containers.tensorflow.contract.removal import Inputs, Preset
from containers.tensorflow.recipe import Recipe
from containers.tensorflow.removal_config import RemovalConfig
from containers.tensorflow.removal_scores import RemovalScores


class RemovalDomain(Contract):
    """Where the network has learnt."""

    simulated: bool
    epsg: int
    bounds: Bounds
    resolution_m: float
    dataset: str = Field(description="Content id of the dataset")


class RemovalCard(Contract):
    """Stored beside the weights as JSON."""

    recipe: Recipe
    inputs: Inputs
    preset: Preset
    config: RemovalConfig = Field(description="The preset with the run's overrides")
    tile_px: int = Field(ge=1, description="Edge of the tiles and of the windows of prediction, in cells")
    tiles: dict[str, int] = Field(description="Part to its tiles; training tiles that were used")
    seed: int
    domain: RemovalDomain
    scores: tuple[RemovalScores, ...]
    calibration: Calibration
    epochs: int
    best_epoch: int
    versions: dict[str, str]


def read_removal_card(path: Path) -> RemovalCard:
    """Raises StepError `bad_model` where the file is no such card."""
    try:
        return RemovalCard.model_validate_json(path.read_text())
    except (ValidationError, UnicodeDecodeError) as error:
        raise StepError(
            "bad_model", f"{path.name} is no card of this kind: {error}", "Give the card that train_removal wrote."
        ) from error
