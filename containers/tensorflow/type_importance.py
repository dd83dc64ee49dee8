"""What a classifier looks at, and how much more it would know with more groups: both on groups it has not seen."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from sklearn.base import clone

from containers.tensorflow.type_folds import Judged, Probabilities, Rows, Sample, folds_of, spread
from containers.tensorflow.type_names import blocks_of
from containers.tensorflow.type_scores import Interval, confusions, macro_f1, overall_accuracy, with_interval

_REPEATS: Final = 5
_SHARES: Final = (0.25, 0.5, 0.75, 1.0)


class Importance(NamedTuple):
    """How much macro-F1 falls when the features of one name are permuted between sites."""

    feature: str
    drop: float
    error: float
    """Standard error over the repeats."""


class LearningPoint(NamedTuple):
    """Scores of a classifier trained on some of the groups."""

    groups: float
    """Mean number over the folds."""
    accuracy: Interval
    macro_f1: Interval


def importances(judged: Judged, sample: Sample, names: Sequence[str], seed: int) -> Iterator[Importance]:
    """Permutation importance (Breiman 2001) of every block, within the folds that the models have not seen.

    Features of one block are permuted together: one date says little that its neighbours do not.
    """
    n_types = judged.probabilities.shape[1]
    whole = _macro_f1(judged.probabilities, sample)
    rng = np.random.default_rng(seed)
    for block, columns in blocks_of(names).items():
        drops = []
        for _ in range(_REPEATS):
            probabilities = np.zeros_like(judged.probabilities)
            for fold, model in enumerate(judged.models):
                rows = np.flatnonzero(judged.folds == fold)
                values = sample.values[rows]
                values[:, columns] = values[np.ix_(rng.permutation(len(rows)), columns)]
                probabilities[rows] = model.probabilities(values, n_types)
            drops.append(whole - _macro_f1(probabilities, sample))
        yield Importance(block, float(np.mean(drops)), float(np.std(drops, ddof=1) / np.sqrt(_REPEATS)))


def learning_curve(candidate: Any, sample: Sample, folds: int, seed: int, n_types: int) -> Iterator[LearningPoint]:
    """Scores with a quarter of the training groups, half of them, and so on."""
    rng = np.random.default_rng(seed)
    splits = list(folds_of(sample.types, sample.groups, folds, seed))
    orders = [rng.permutation(np.unique(sample.groups[train])) for train, _ in splits]
    for share in _SHARES:
        predicted = np.zeros(len(sample.types), dtype=np.intp)
        numbers = []
        for (train, test), groups in zip(splits, orders, strict=True):
            some = groups[: max(2, round(share * len(groups)))]
            numbers.append(len(some))
            part = sample.part(train[np.isin(sample.groups[train], some)])
            predicted[test] = _predicted(candidate, part, sample.values[test], n_types)
        counts = confusions(sample.types, predicted, sample.groups, n_types)
        scores = [with_interval(score, counts, seed)[0] for score in (overall_accuracy, macro_f1)]
        yield LearningPoint(float(np.mean(numbers)), *scores)


def _predicted(candidate: Any, part: Sample, values: Any, n_types: int) -> Rows:
    """Few groups may have one type only, which is then the answer."""
    if len(known := np.unique(part.types)) == 1:
        return np.full(len(values), known[0], dtype=np.intp)
    return np.asarray(spread(clone(candidate).fit(part.values, part.types), values, n_types).argmax(axis=1))


def _macro_f1(probabilities: Probabilities, sample: Sample) -> float:
    one_group = np.zeros(len(sample.types), dtype=np.intp)
    counts = confusions(sample.types, probabilities.argmax(axis=1), one_group, probabilities.shape[1])
    return float(macro_f1(counts[0]))
