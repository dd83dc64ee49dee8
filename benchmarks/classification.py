"""The network beside a per-pixel forest, against truth, on the blocks that the training has kept for its test.

The card's own scores are against the labels, of which 14 % are wrong.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from containers.base.contract.legend import CLASSES, REFLECTANCE_NODATA
from containers.tensorflow.contract.train import TrainParams
from containers.tensorflow.cube_reader import Cube
from containers.tensorflow.parts import read_parts
from containers.tensorflow.patches import LabelledWindow

_TRAINING = 20_000


class Scores(NamedTuple):
    """Share of cells that are right, and F1 per class."""

    accuracy: float
    f1: dict[str, float]


class _Witnesses(Cube):
    """A cube whose reflectance has two more bands, truth and map, so that they are cut as the training cuts."""

    def __init__(self, path: Path, truth: NDArray[np.uint8], mapped: NDArray[np.uint8]) -> None:
        super().__init__(path)
        self._more = np.stack([truth, mapped]).astype(np.int16)

    def reflectance(self, period: str, bands: tuple[str, ...], rows: slice, cols: slice) -> NDArray[np.int16]:
        return np.concatenate([super().reflectance(period, bands, rows, cols), self._more[:, rows, cols]])


class _Pixels(NamedTuple):
    reflectance: NDArray[np.int16]
    labels: NDArray[np.uint8]
    truth: NDArray[np.int16]
    mapped: NDArray[np.int16]


def compare(cube: Path, params: TrainParams, truth: NDArray[np.uint8], mapped: NDArray[np.uint8]) -> dict[str, Scores]:
    """Scores of network and forest on the test blocks; `truth` and `mapped` are of the one labelled period.

    The forest has the training blocks, their wrong labels and the same bands (100 trees, 5 cells per leaf).
    """
    with _Witnesses(cube, truth, mapped) as witnesses:
        parts, _ = read_parts(witnesses, params)
    training, test = _pixels(parts["train"]), _pixels(parts["test"])
    drawn = np.random.default_rng(params.seed).choice(len(training.labels), _TRAINING, replace=False)
    forest = RandomForestClassifier(100, min_samples_leaf=5, n_jobs=2, random_state=params.seed)
    forest.fit(training.reflectance[drawn], training.labels[drawn])
    return {
        "network": _scores(test.truth, test.mapped),
        "forest": _scores(test.truth, forest.predict(test.reflectance)),
    }


def _pixels(windows: list[LabelledWindow]) -> _Pixels:
    """The cells with data and a label."""
    bands = np.concatenate([window.reflectance.reshape(len(window.reflectance), -1) for window in windows], axis=1)
    codes = np.concatenate([window.codes.ravel() for window in windows])
    *reflectance, truth, mapped = bands[:, usable := (codes > 0) & (bands[0] != REFLECTANCE_NODATA)]
    return _Pixels(np.stack(reflectance, axis=1), codes[usable], truth, mapped)


def _scores(truth: NDArray[np.int16], mapped: NDArray[np.integer]) -> Scores:
    f1 = {
        kind.name.lower(): 2 * float(((truth == kind) & (mapped == kind)).sum())
        / float((truth == kind).sum() + (mapped == kind).sum())
        for kind in CLASSES
    }  # fmt: skip
    return Scores(float((truth == mapped).mean()), f1)
