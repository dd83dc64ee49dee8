"""How well types are told apart on groups that a model has not seen, with intervals by resampling whole groups.

Everything is counted per group first, so that a resampled set of groups is a weighted sum. Sites of one pasture share
their weather, their surveyor and their slopes: resampling single sites would make intervals too narrow.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrices = NDArray[np.float64]
"""(…, class, class): sites by type (row) and prediction (column)."""
BINS: Final = 10
_RESAMPLES: Final = 2000
_LEVELS: Final = (2.5, 97.5)


class Interval(NamedTuple):
    """An estimate and the 2.5 and 97.5 percentiles of its bootstrap."""

    value: float
    lower: float
    upper: float


def confusions(
    true: NDArray[np.intp], predicted: NDArray[np.intp], groups: NDArray[np.intp], n_classes: int
) -> Matrices:
    """(group, class, class) from numbers of types and of groups, (n,) each."""
    matrices = np.zeros((groups.max() + 1, n_classes, n_classes))
    np.add.at(matrices, (groups, true, predicted), 1)
    return matrices


def overall_accuracy(matrices: Matrices) -> Matrices:
    return np.asarray(np.trace(matrices, axis1=-2, axis2=-1) / matrices.sum(axis=(-2, -1)))


def recall(matrices: Matrices) -> Matrices:
    """(…, class); NaN where a type has no site."""
    return _share(_hits(matrices), matrices.sum(axis=-1))


def precision(matrices: Matrices) -> Matrices:
    """(…, class); NaN where a type is never predicted."""
    return _share(_hits(matrices), matrices.sum(axis=-2))


def f1(matrices: Matrices) -> Matrices:
    """(…, class); NaN where a type neither is nor is predicted."""
    return _share(2 * _hits(matrices), matrices.sum(axis=-1) + matrices.sum(axis=-2))


def balanced_accuracy(matrices: Matrices) -> Matrices:
    return np.asarray(np.nanmean(recall(matrices), axis=-1))


def macro_f1(matrices: Matrices) -> Matrices:
    return np.asarray(np.nanmean(f1(matrices), axis=-1))


def kappa(matrices: Matrices) -> Matrices:
    """Cohen 1960, doi:10.1177/001316446002000104; NaN where chance alone is always right."""
    total = matrices.sum(axis=(-2, -1))
    chance = (matrices.sum(axis=-1) * matrices.sum(axis=-2)).sum(axis=-1) / total**2
    return _share(overall_accuracy(matrices) - chance, 1 - chance)


OVERALL: Final[dict[str, Callable[[Matrices], Matrices]]] = {
    "overall_accuracy": overall_accuracy,
    "balanced_accuracy": balanced_accuracy,
    "macro_f1": macro_f1,
    "kappa": kappa,
}
BY_CLASS: Final[dict[str, Callable[[Matrices], Matrices]]] = {"precision": precision, "recall": recall, "f1": f1}


def resampled(by_group: Matrices, seed: int) -> Matrices:
    """(resample, …): sums over as many groups as there are, drawn with replacement, of counts (group, …)."""
    n_groups = len(by_group)
    drawn = np.random.default_rng(seed).multinomial(n_groups, np.full(n_groups, 1 / n_groups), _RESAMPLES)
    return np.tensordot(drawn.astype(np.float64), by_group, axes=1)


def with_interval(score: Callable[[Matrices], Matrices], by_group: Matrices, seed: int) -> list[Interval]:
    """One interval per number that the score gives of counts (group, …)."""
    value = np.atleast_1d(score(by_group.sum(axis=0)))
    draws = score(resampled(by_group, seed)).reshape(_RESAMPLES, -1)
    lower, upper = np.nanpercentile(np.nan_to_num(draws, nan=0.0), _LEVELS, axis=0)
    return [Interval(*map(float, numbers)) for numbers in zip(np.nan_to_num(value), lower, upper, strict=True)]


def gains(ours: Matrices, plain: Matrices, seed: int) -> Iterator[tuple[str, Interval]]:
    """By how much our scores exceed those of another model on the same sites, resampled as pairs."""
    pair = np.stack([ours, plain], axis=1)
    for name, score in OVERALL.items():
        (interval,) = with_interval(partial(_difference, score), pair, seed)
        yield name, interval


def _difference(score: Callable[[Matrices], Matrices], pair: Matrices) -> Matrices:
    """Of the scores of two models, (…, 2, class, class)."""
    return score(pair[..., 0, :, :]) - score(pair[..., 1, :, :])


class Calibration(NamedTuple):
    """Sums per group and bin of confidence, (group, BINS, 3): sites, confidence, hits."""

    sums: Matrices

    @property
    def curve(self) -> Matrices:
        """(bin with a site, 3): mean confidence, share of hits, sites."""
        sites, confidence, hits = self.sums.sum(axis=0).T
        some = sites > 0
        return np.column_stack([confidence[some] / sites[some], hits[some] / sites[some], sites[some]])


def calibration(confidence: Matrices, hit: NDArray[np.bool_], groups: NDArray[np.intp]) -> Calibration:
    """Of the probability of the predicted type, in bins of equal width."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    sums = np.zeros((groups.max() + 1, BINS, 3))
    np.add.at(sums, (groups, bins), np.column_stack([np.ones(len(hit)), confidence, hit]))
    return Calibration(sums)


def calibration_error(sums: Matrices) -> Matrices:
    """Expected calibration error (Guo et al. 2017, arXiv:1706.04599) from sums (…, BINS, 3)."""
    sites, confidence, hits = np.moveaxis(sums, -1, 0)
    return np.asarray(np.abs(confidence - hits).sum(axis=-1) / sites.sum(axis=-1))


def _hits(matrices: Matrices) -> Matrices:
    return np.diagonal(matrices, axis1=-2, axis2=-1)


def _share(part: Matrices, whole: Matrices) -> Matrices:
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=np.asarray(whole) > 0))
