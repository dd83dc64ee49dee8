"""Linear discriminants on random subspaces: a classifier for more features than sites."""

import itertools
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

_LEAST_SPREAD = 1e-9


class SubspaceDiscriminant(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The mean probability of linear discriminants that see `size` features each (Ho 1998, doi:10.1109/34.709601).

    These are drawn from `pools` in turn, which are numbers of features, such as all or those of one kind: discriminants
    that look at different things err differently.

    Each takes the types for normal distributions of one covariance, that within the types (W), drawn to a sphere by
    `shrinkage` s: (1 − s) · W + s · tr(W) / p · I (Friedman 1989, doi:10.1080/01621459.1989.10478752). A type is as
    probable beforehand as it is frequent in the sample.
    """

    def __init__(
        self,
        pools: tuple[tuple[int, ...], ...],
        size: int = 50,
        shrinkage: float = 0.2,
        members: int = 60,
        seed: int = 0,
    ) -> None:
        self.pools, self.size, self.shrinkage, self.members, self.seed = pools, size, shrinkage, members, seed

    def fit(self, values: NDArray[np.floating], types: NDArray[np.intp]) -> "SubspaceDiscriminant":
        """`values` (n, feature), `types` (n,) numbers of types."""
        self.classes_, numbers = np.unique(types, return_inverse=True)
        self.mean_ = values.mean(axis=0, dtype=np.float64)
        self.spread_ = np.maximum(values.std(axis=0, dtype=np.float64), _LEAST_SPREAD)
        scaled, rng = self._scaled(values), np.random.default_rng(self.seed)
        pools = itertools.islice(itertools.cycle(self.pools), self.members)
        self.columns_ = [np.sort(rng.permutation(pool)[: self.size]) for pool in pools]
        fitted = [discriminant(scaled[:, columns], numbers, self.shrinkage) for columns in self.columns_]
        self.slopes_, self.offsets_ = (list(part) for part in zip(*fitted, strict=True))
        return self

    def predict_proba(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, class)."""
        scaled = self._scaled(values)
        total = np.zeros((len(values), len(self.classes_)))
        for columns, slopes, offsets in zip(self.columns_, self.slopes_, self.offsets_, strict=True):
            scores = scaled[:, columns] @ slopes + offsets
            likelihoods = np.exp(scores - scores.max(axis=1, keepdims=True))
            total += likelihoods / likelihoods.sum(axis=1, keepdims=True)
        return total / len(self.columns_)

    def _scaled(self, values: NDArray[np.floating]) -> Any:
        return (values - self.mean_) / self.spread_


def discriminant(
    values: NDArray[np.float64], numbers: NDArray[np.intp], shrinkage: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slopes (feature, class) and offsets (class,) of the log probabilities, up to what all classes share."""
    counts = np.bincount(numbers)
    means = np.stack([values[numbers == number].mean(axis=0) for number in range(len(counts))])
    within = values - means[numbers]
    covariance = within.T @ within / len(values)
    variance = max(float(np.trace(covariance)) / len(covariance), _LEAST_SPREAD)
    covariance = (1 - shrinkage) * covariance + shrinkage * variance * np.eye(len(covariance))
    slopes = scipy.linalg.solve(covariance, means.T, assume_a="pos")
    return slopes, np.log(counts / counts.sum()) - (means.T * slopes).sum(axis=0) / 2
