"""Hidden Markov model of the land-cover history of cells, with an effect of the cell, for all cells at once.

The state of a cell is its class; emission.py says what is seen of it. An effect that the cell keeps makes the errors of
its periods alike, as they are: a cell that always looks half sealed has not changed whenever it looks a little more so
(mixed hidden Markov model: Altman 2007, JASA 102, 201–210, doi:10.1198/016214506000001086; hidden Markov models of land
cover: Abercrombie & Friedl 2016, IEEE TGRS 54, 796–805). With the effect integrated out, periods no longer are
independent given the classes and the usual recursions do not hold. But land changes seldom: the histories of few
changes are so few that they are compared one by one, exactly.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations, pairwise, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import PROBABILITY_NODATA
from containers.gdal.emission import Array, Emission, log_ratios

Mask = NDArray[np.bool_]
_MOST_HISTORIES = 4_000


class Model(NamedTuple):
    """The chain of classes, what is seen of them, and how many changes a history may have."""

    emission: Emission
    log_step: Array
    """Log probability of going from a class to a class, (class, class)."""
    most_changes: int

    def lenient(self, factor: float) -> "Model":
        """A model to which a change costs only `factor` times as much."""
        return self._replace(log_step=factor * self.log_step)


def model_of(matrix: tuple[tuple[float, ...], ...], emission: Emission, most_changes: int) -> Model:
    """A model with the given transition probabilities, whose first class is any alike."""
    with np.errstate(divide="ignore"):
        return Model(emission, np.log(np.array(matrix, np.float32)), most_changes)


class Seen(NamedTuple):
    """What was seen of cells, summed so that any history is weighed by a few look-ups."""

    distances: Array
    """Squared distance from each class's mean, before each period, summed from the first: (period + 1, class, cell)."""
    counts: Array
    """Periods with data, summed likewise: (period + 1, cell)."""
    total: Array
    """Centred log ratios, summed over the periods: (class, cell)."""

    def of_cells(self, cells: Mask) -> "Seen":
        return Seen(*(part[..., cells] for part in self))

    def histories(self, most_changes: int) -> NDArray[np.uint8]:
        """The histories that its cells may have had, (history, period)."""
        return histories(len(self.distances) - 1, len(self.total), most_changes)


def see(probabilities: NDArray[np.uint8], emission: Emission) -> Seen:
    """The sums of probabilities uint8 × 1/250 (period, class, cell), nodata 255."""
    observed = (probabilities[:, 0] != PROBABILITY_NODATA).astype(np.float32)
    ratios = log_ratios(probabilities)
    n_periods, n_classes, n_cells = ratios.shape
    distances = np.zeros((n_periods + 1, n_classes, n_cells), np.float32)
    counts = np.zeros((n_periods + 1, n_cells), np.float32)
    for period in range(n_periods):
        for index, mean in enumerate(emission.means):
            distance = np.square(ratios[period] - mean[:, None]).sum(axis=0) * observed[period]
            distances[period + 1, index] = distances[period, index] + distance
        counts[period + 1] = counts[period] + observed[period]
    return Seen(distances, counts, ratios.sum(axis=0))


@lru_cache(maxsize=16)
def histories(n_periods: int, n_classes: int, most_changes: int) -> NDArray[np.uint8]:
    """Every history (history, period) of so many changes at most, the constant ones first; of as many changes fewer as
    keeps them within some thousands."""
    found = [(index,) * n_periods for index in range(n_classes)]
    for n_changes in range(1, most_changes + 1):
        more = list(_changing(n_periods, n_classes, n_changes))
        if len(found) + len(more) > _MOST_HISTORIES:
            break
        found += more
    return np.array(found, np.uint8)


def _changing(n_periods: int, n_classes: int, n_changes: int) -> Iterator[tuple[int, ...]]:
    for places in combinations(range(1, n_periods), n_changes):
        lengths = [last - first for first, last in pairwise((0, *places, n_periods))]
        for classes in product(range(n_classes), repeat=n_changes + 1):
            if all(before != after for before, after in pairwise(classes)):
                yield tuple(index for index, length in zip(classes, lengths, strict=True) for _ in range(length))


def log_joint(history: NDArray[np.uint8], seen: Seen, model: Model) -> Array:
    """Log probability (cell,) of one history (period,) together with all that was seen, up to a constant of the cell.

    With the effect of variance e and noise of variance s, the covariance of n periods is s·1 + e·J, whose inverse is
    (1 − J · e / (s + n·e)) / s.
    """
    means, noise, effect = model.emission
    edges = [0, *(np.flatnonzero(np.diff(history)) + 1), len(history)]
    distance, residual = np.float32(0), seen.total
    for first, last in pairwise(edges):
        index = history[first]
        distance = distance + (seen.distances[last, index] - seen.distances[first, index])
        residual = residual - means[index][:, None] * (seen.counts[last] - seen.counts[first])
    shared = np.square(residual).sum(axis=0) * (effect / (noise + effect * seen.counts[-1])).astype(np.float32)
    chain = float(model.log_step[history[:-1], history[1:]].sum())
    joint: Array = (shared - distance) / np.float32(2 * noise) + np.float32(chain)
    return joint


def log_joint_of(path: NDArray[np.uint8], seen: Seen, model: Model) -> Array:
    """The same for a history of its own of every cell, (period, cell)."""
    different, which = np.unique(path, axis=1, return_inverse=True)
    joint = np.empty(path.shape[1], np.float32)
    for number, history in enumerate(different.T):
        cells = which.ravel() == number
        joint[cells] = log_joint(history, seen.of_cells(cells), model)
    return joint


def most_probable(seen: Seen, model: Model, may_change: Mask | None = None) -> tuple[NDArray[np.uint8], Array]:
    """The most probable history (period, cell), of equals the first, and its log probability (cell,).

    `may_change` (period − 1, cell) forbids a change between two periods where it is False.
    """
    candidates = seen.histories(model.most_changes)
    best = np.full(seen.total.shape[1], -np.inf, np.float32)
    chosen = np.zeros(len(best), np.int64)
    for number, history in enumerate(candidates):
        score = log_joint(history, seen, model)
        if may_change is not None and (changes := np.flatnonzero(np.diff(history))).size:
            score = np.where(may_change[changes].all(axis=0), score, np.float32(-np.inf))
        better = score > best
        best[better], chosen[better] = score[better], number
    return np.ascontiguousarray(candidates[chosen].T), best


class Posterior(NamedTuple):
    """Probabilities given all periods."""

    classes: Array
    """Of every class in every period, (period, class, cell)."""
    constant: Array
    """That the class never changed, (cell,)."""


def posterior(seen: Seen, model: Model, best: Array) -> Posterior:
    """Over all histories; `best` is the log probability of the most probable one."""
    classes = np.zeros((len(seen.distances) - 1, *seen.total.shape), np.float32)
    constant = np.zeros(len(best), np.float32)
    for history in seen.histories(model.most_changes):
        weight = np.exp(log_joint(history, seen, model) - best)
        for period, index in enumerate(history):
            classes[period, index] += weight
        if (history == history[0]).all():
            constant += weight
    total = classes[0].sum(axis=0)
    return Posterior(classes / total, constant / total)
