"""Hidden Markov model of the land-cover history of cells, for all cells at once.

The state of a cell is its class, its yearly probabilities are what is seen of it. Recursions in log space after
Rabiner (1989), Proc. IEEE 77, 257–286; for land cover see Abercrombie & Friedl (2016), IEEE TGRS 54, 796–805.
Arrays are float32 (period, class, cell); evidence is the log probability of what was seen given the class, up to a
constant per period and cell, and the same for every class where nothing was seen. Sums over classes are written
out, since they are short and must not depend on how many cells there are.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class Chain(NamedTuple):
    """Log probabilities of the first class (class,) and of going from a class to a class (class, class)."""

    start: Array
    step: Array


def chain(matrix: tuple[tuple[float, ...], ...]) -> Chain:
    """A chain with the given transition probabilities, whose first class is any alike."""
    with np.errstate(divide="ignore"):
        step = np.log(np.array(matrix, np.float32))
    return Chain(start=np.full(len(matrix), -np.log(len(matrix)), np.float32), step=step)


def posterior(evidence: Array, model: Chain) -> Array:
    """Log probability of every class in every period given all periods (forward–backward)."""
    joint, backward = _forward(evidence, model), np.zeros_like(evidence[0])
    for period in range(len(evidence) - 2, -1, -1):
        backward = _stepped(model.step, backward + evidence[period + 1])
        joint[period] += backward
    for period in joint:
        period -= _log_sum(period)
    return joint


def log_constant(evidence: Array, model: Chain) -> Array:
    """Log probability (cell,) that the class never changed, given all periods."""
    stay = model.start + (len(evidence) - 1) * np.diag(model.step)
    constant = _log_sum(stay[:, None] + evidence.sum(axis=0))
    logs: Array = np.minimum(constant - _log_sum(_forward(evidence, model)[-1]), np.float32(0))
    return logs


def most_probable_path(evidence: Array, model: Chain, may_change: NDArray[np.bool_] | None = None) -> NDArray[np.uint8]:
    """Index of the class (period, cell) along the most probable history (Viterbi); of equals the first.

    `may_change` (period − 1, cell) forbids a change between two periods where it is False.
    """
    n_periods, n_classes, n_cells = evidence.shape
    came_from = np.empty((n_periods - 1, n_classes, n_cells), np.uint8)
    score = model.start[:, None] + evidence[0]
    for period in range(1, n_periods):
        arrived = np.empty_like(score)
        for to in range(n_classes):
            options = score + model.step[:, to, None]
            if may_change is not None:
                options[np.arange(n_classes) != to] += np.where(may_change[period - 1], np.float32(0), -np.inf)
            arrived[to], came_from[period - 1, to] = _best(options)
        score = arrived + evidence[period]
    path = np.empty((n_periods, n_cells), np.uint8)
    path[-1] = _best(score)[1]
    for period in range(n_periods - 1, 0, -1):
        path[period - 1] = np.take_along_axis(came_from[period - 1], path[period][None], axis=0)[0]
    return path


def log_joint(path: NDArray[np.uint8], evidence: Array, model: Chain) -> Array:
    """Log probability (cell,) of histories (period, cell) together with all that was seen."""
    seen = np.take_along_axis(evidence, path[:, None], axis=1)[:, 0].sum(axis=0)
    joint: Array = model.start[path[0]] + model.step[path[:-1], path[1:]].sum(axis=0) + seen
    return joint


def _forward(evidence: Array, model: Chain) -> Array:
    """Log probability of every class together with all that was seen until then."""
    forward = np.empty_like(evidence)
    forward[0] = model.start[:, None] + evidence[0]
    for period in range(1, len(evidence)):
        forward[period] = _stepped(model.step.T, forward[period - 1]) + evidence[period]
    return forward


def _stepped(log_matrix: Array, logs: Array) -> Array:
    """log(exp(matrix) @ exp(logs)) of logs (class, cell)."""
    return np.stack([_log_sum(row[:, None] + logs) for row in log_matrix])


def _log_sum(logs: Array) -> Array:
    """log(sum(exp(logs))) over the first axis."""
    largest = logs.max(axis=0)
    total: Array = np.log(np.exp(logs - largest).sum(axis=0)) + largest
    return total


def _best(options: Array) -> tuple[Array, NDArray[np.uint8]]:
    """The largest entry along the first axis and its index; faster than argmax over three."""
    largest, index = options[0], np.zeros(options.shape[1:], np.uint8)
    for candidate in range(1, len(options)):
        better = options[candidate] > largest
        largest = np.where(better, options[candidate], largest)
        index[better] = candidate
    return largest, index
