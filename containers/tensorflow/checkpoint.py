"""The state of a training on disk: enough to go on after a kill as if nothing had happened."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from containers.tensorflow.learners import Regression

Arrays = list[NDArray[Any]]


class Progress(NamedTuple):
    """What has been learnt so far, beside the learner's own state. Random draws depend on the epoch alone, so that
    its number is their state."""

    epoch: int
    """Epochs done."""
    history: dict[str, list[float]]
    """Name to one value per epoch."""
    best_epoch: int
    """Counted from 1; 0 before the first."""
    best: Arrays
    """The generator's variables then."""


def save_checkpoint(path: Path, learner: Regression, progress: Progress) -> None:
    """All variables of networks, optimizer and random generators; a file under `path` is always whole."""
    about = json.dumps({"epoch": progress.epoch, "history": progress.history, "best_epoch": progress.best_epoch})
    arrays = {f"state_{number}": array for number, array in enumerate(values_of(_state(learner)))}
    arrays |= {f"best_{number}": array for number, array in enumerate(progress.best)}
    partial = path.with_name(f".{path.name}.part")
    with partial.open("wb") as stream:
        np.savez(stream, about=np.frombuffer(about.encode(), np.uint8), **arrays)  # type: ignore[arg-type]
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)


def load_checkpoint(path: Path, learner: Regression) -> Progress:
    """Bring the learner to where the checkpoint was written; from the beginning where there is none."""
    if not path.exists():
        return Progress(0, {}, 0, values_of(learner.generator.variables))
    with np.load(path) as stored:
        about = json.loads(stored["about"].tobytes())
        assign(_state(learner), [stored[f"state_{number}"] for number in range(len(_state(learner)))])
        best = [stored[f"best_{number}"] for number in range(len(learner.generator.variables))]
    return Progress(about["epoch"], about["history"], about["best_epoch"], best)


def values_of(variables: list[keras.Variable]) -> Arrays:
    return [np.array(variable.numpy()) for variable in variables]


def assign(variables: list[keras.Variable], values: Arrays) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _state(learner: Regression) -> list[keras.Variable]:
    return [*learner.variables, *learner.optimizer.variables]
