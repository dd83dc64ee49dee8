"""Choosing, calibrating and judging a classifier by groups: no group is ever on both sides of a split."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold

from containers.tensorflow.type_scores import confusions, macro_f1, overall_accuracy
from containers.tensorflow.type_table import bad_sample

Values = NDArray[np.float32]
Probabilities = NDArray[np.float64]
Rows = NDArray[np.intp]
TEMPERATURES: Final = np.geomspace(0.25, 8, 61)
_INNER_FOLDS: Final = 4
_LEAST: Final = 1e-9
"""Of probabilities: a forest is sure of nothing that it has not seen."""


class Sample(NamedTuple):
    """What a classifier learns from: features (n, feature), numbers of types and of groups (n,)."""

    values: Values
    types: Rows
    groups: Rows

    def part(self, rows: Rows) -> "Sample":
        return Sample(self.values[rows], self.types[rows], self.groups[rows])


class Fitted(NamedTuple):
    """A classifier with the temperature that makes its probabilities honest."""

    estimator: Any
    temperature: float
    choice: int
    """Number of the candidate."""

    def probabilities(self, values: Values, n_types: int) -> Probabilities:
        """(n, type)."""
        return tempered(spread(self.estimator, values, n_types), self.temperature)


class Judged(NamedTuple):
    """What models said of sites of groups that they had not seen."""

    probabilities: Probabilities
    """(n, type)."""
    folds: Rows
    """(n,)."""
    models: tuple[Fitted, ...]
    """One per fold."""


def folds_of(types: Rows, groups: Rows, folds: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Rows to train on and rows to judge, with the types shared out as evenly as whole groups allow.

    Raises `bad_sample` where there are fewer groups than folds.
    """
    if (found := len(np.unique(groups))) < folds:
        raise bad_sample(f"{found} groups cannot be dealt to {folds} folds")
    shuffle = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    yield from shuffle.split(np.zeros(len(types)), types, groups)


def fit_chosen(candidates: Sequence[Any], sample: Sample, seed: int, n_types: int) -> Fitted:
    """The candidate that does best on inner folds, fitted on the whole sample, and its temperature on those folds.

    Best by the mean of overall accuracy and macro-F1: neither the common types nor the rare ones alone decide.
    """
    folds = min(_INNER_FOLDS, len(np.unique(sample.groups)))
    splits = list(folds_of(sample.types, sample.groups, folds, seed))
    found = [_across(candidate, sample, splits, n_types) for candidate in candidates]
    best = int(np.argmax([_merit(probabilities, sample.types) for probabilities in found]))
    estimator = clone(candidates[best]).fit(sample.values, sample.types)
    return Fitted(estimator, temperature_of(found[best], sample.types), best)


def judge(candidates: Sequence[Any], sample: Sample, folds: int, seed: int, n_types: int) -> Judged:
    """Nested cross-validation: every choice is made without the groups that it is judged on."""
    probabilities = np.zeros((len(sample.types), n_types))
    number = np.zeros(len(sample.types), dtype=np.intp)
    models = []
    for fold, (train, test) in enumerate(folds_of(sample.types, sample.groups, folds, seed)):
        models.append(fit_chosen(candidates, sample.part(train), seed, n_types))
        probabilities[test], number[test] = models[-1].probabilities(sample.values[test], n_types), fold
    return Judged(probabilities, number, tuple(models))


def tempered(probabilities: Probabilities, temperature: float) -> Probabilities:
    """p^(1/T), scaled to a sum of 1 (Guo et al. 2017, arXiv:1706.04599): the order of the types stays."""
    powered = np.maximum(probabilities, _LEAST) ** (1 / temperature)
    return np.asarray(powered / powered.sum(axis=1, keepdims=True))


def temperature_of(probabilities: Probabilities, types: Rows) -> float:
    """Of `TEMPERATURES` the one with the least log loss."""
    rows = np.arange(len(types))
    losses = [-np.log(tempered(probabilities, each)[rows, types]).mean() for each in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def spread(estimator: Any, values: Values, n_types: int) -> Probabilities:
    """(n, type): a type that the estimator has not met has probability 0."""
    probabilities = np.zeros((len(values), n_types))
    probabilities[:, estimator.classes_] = estimator.predict_proba(values)
    return probabilities


def _across(candidate: Any, sample: Sample, splits: Sequence[tuple[Rows, Rows]], n_types: int) -> Probabilities:
    probabilities = np.zeros((len(sample.types), n_types))
    for train, test in splits:
        fitted = clone(candidate).fit(sample.values[train], sample.types[train])
        probabilities[test] = spread(fitted, sample.values[test], n_types)
    return probabilities


def _merit(probabilities: Probabilities, types: Rows) -> float:
    one_group = np.zeros(len(types), dtype=np.intp)
    matrix = confusions(types, probabilities.argmax(axis=1), one_group, probabilities.shape[1])[0]
    return float(overall_accuracy(matrix) + macro_f1(matrix))
