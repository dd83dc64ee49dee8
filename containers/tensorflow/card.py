"""The model card: everything that a user or the predictor must know about a trained model."""

import platform
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.legend import CLASSES
from containers.base.contract.model import Contract
from containers.base.contract.step import StepError
from containers.tensorflow.blocks import Block
from containers.tensorflow.contract.train import Network
from containers.tensorflow.normalisation import Normalisation


class TrainingDomain(Contract):
    """Where and when the model has learnt."""

    simulated: bool
    epsg: int
    bounds: Bounds
    resolution_m: float
    periods: tuple[str, ...] = Field(description="Labelled periods whose patches were drawn")
    cube: str = Field(description="Content id of the cube")


class Split(Contract):
    """How the blocks were dealt."""

    block_px: int
    gap_px: int
    seed: int
    blocks: dict[str, int] = Field(description="Part to blocks")
    cells: dict[str, dict[str, int]] = Field(description="Part to class name to labelled cells")
    inner: dict[str, tuple[Block, ...]] = Field(
        default={}, description="Part to the inner parts of its blocks: first row and column, height and width in cells"
    )


class Scores(Contract):
    """Agreement with the labels of one part of the split: no estimate of the map's accuracy."""

    part: str
    confusion: tuple[tuple[int, ...], ...] = Field(description="Cells; rows are labels, columns predictions")
    accuracy: float = Field(ge=0, le=1)
    precision: dict[str, float]
    recall: dict[str, float]
    f1: dict[str, float]


class ModelCard(Contract):
    """Stored beside the weights as JSON."""

    bands: tuple[str, ...] = Field(description="Inputs by name, in order")
    normalisation: Normalisation = Field(description="For cubes that the model has not seen")
    period_normalisation: dict[str, Normalisation] = Field(
        default={},
        description="For the periods of the training area: the same blocks in each, so that haze and season cancel out",
    )
    legend: dict[str, int] = Field(description="Class name to code, in the order of the network's outputs")
    network: Network
    patch_px: int
    domain: TrainingDomain
    split: Split
    scores: tuple[Scores, ...]
    epochs: int
    best_epoch: int
    versions: dict[str, str]

    def normalisation_of(self, grid: Grid, period: str) -> Normalisation:
        """Constants for a period of a cube on that grid: the period's own on the grid of the training.

        By grid and not by content id, because equal runs by other tools differ in single cells.
        """
        trained = (self.domain.epsg, self.domain.resolution_m, tuple(self.domain.bounds))
        known = self.period_normalisation if trained == (grid.epsg, grid.resolution_m, tuple(grid.bounds)) else {}
        return known.get(period, self.normalisation)


def legend() -> dict[str, int]:
    return {code.name.lower(): int(code) for code in CLASSES}


def scores(part: str, confusion: NDArray[np.int64]) -> Scores:
    """Scores from a confusion matrix (label, prediction); those of a class that never occurs are 0."""
    hits = np.diag(confusion)
    precision = hits / np.maximum(confusion.sum(axis=0), 1)
    recall = hits / np.maximum(confusion.sum(axis=1), 1)
    f1 = 2 * hits / np.maximum(confusion.sum(axis=0) + confusion.sum(axis=1), 1)
    return Scores(
        part=part,
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        accuracy=float(hits.sum() / max(confusion.sum(), 1)),
        precision=dict(zip(legend(), precision.tolist(), strict=True)),
        recall=dict(zip(legend(), recall.tolist(), strict=True)),
        f1=dict(zip(legend(), f1.tolist(), strict=True)),
    )


def versions() -> dict[str, str]:
    """What the model was trained with."""
    backend = keras.backend.backend()
    return {
        "python": platform.python_version(),
        "keras": keras.version(),
        "backend": backend,
        backend: _distribution_version(backend),
        "numpy": version("numpy"),
    }


def read_card(path: Path) -> ModelCard:
    """Raises StepError `bad_model` where the file is no model card, or one of another legend."""
    try:
        card = ModelCard.model_validate_json(path.read_text())
    except (ValidationError, UnicodeDecodeError) as error:
        raise StepError(
            "bad_model", f"{path.name} is no model card: {error}", "Give the card that train wrote."
        ) from error
    if card.legend != legend():
        raise StepError(
            "bad_model", f"The model's legend is {card.legend}, this release has {legend()}.", "Train a model again."
        )
    return card


def _distribution_version(backend: str) -> str:
    module = __import__(backend)
    return str(module.__version__)
