"""What a classifier's probabilities show of the classes, learnt from the landscape itself.

Probabilities enter as centred log ratios (Aitchison 1986): log probabilities less their mean over the classes. What is
seen of a cell in a period is taken for the mean of its class, plus an effect that the cell keeps (it is mixed, or of
an unusual material), plus noise of the period. Both are Gaussian, with the same variance in every direction. Networks
differ in how sure they are, so means and variances are measured on the maps at hand and never set by hand.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import CLASSES, PROBABILITY_NODATA, PROBABILITY_SCALE

Array = NDArray[np.float32]

_LEAST_PROBABILITY = PROBABILITY_SCALE / 2
"""What a stored 0 may stand for: half a step, so that no class is ever ruled out by rounding."""
_TYPICAL_PROBABILITY = 0.9
"""Of its own class, for a class that no cell keeps."""
_LEAST_VARIANCE = 0.01
"""What rounding to steps of 0.004 leaves undecided."""


class Emission(NamedTuple):
    """What is seen of the classes, in centred log ratios."""

    means: Array
    """(class, class)"""
    noise: float
    """Variance between the periods of a cell."""
    effect: float
    """Variance between cells of a class."""


class Moments(NamedTuple):
    """Sums over cells, from which an emission follows."""

    within: float
    """Squared deviations of periods from the mean of their cell."""
    freedom: float
    """Their degrees of freedom."""
    cells: NDArray[np.float64]
    """Cells that keep each class, (class,)."""
    sums: NDArray[np.float64]
    """Of their means over the periods, (class, class)."""
    squares: NDArray[np.float64]
    """Of these means, (class,)."""
    shares: NDArray[np.float64]
    """One over the periods in which such a cell was seen, summed, (class,)."""


def together(parts: Iterable[Moments]) -> Moments:
    """Of a whole, from those of its parts."""
    return Moments(*(sum(values) for values in zip(*parts, strict=True)))


def log_ratios(probabilities: NDArray[np.uint8]) -> Array:
    """Centred log ratios float32 of probabilities uint8 × 1/250 (period, class, cell); 0 where there is no data."""
    steps = np.arange(np.iinfo(np.uint8).max + 1)
    log_of = np.log(np.maximum(steps * PROBABILITY_SCALE, _LEAST_PROBABILITY))
    log_of[PROBABILITY_NODATA] = 0
    logs: Array = log_of.astype(np.float32)[probabilities]
    logs -= logs.mean(axis=1, keepdims=True)
    return logs


def moments(probabilities: NDArray[np.uint8]) -> Moments:
    """Of the cells seen twice at least, from probabilities uint8 (period, class, cell)."""
    observed = probabilities[:, 0] != PROBABILITY_NODATA
    usable = observed.sum(axis=0) >= 2
    ratios, observed = log_ratios(probabilities[:, :, usable]), observed[:, usable]
    seen = observed.sum(axis=0)
    mean = ratios.sum(axis=0) / seen
    deviations = np.where(observed[:, None], ratios - mean, 0)
    leading = np.where(observed, ratios.argmax(axis=1), -1)
    kept = [((leading == index) | ~observed).all(axis=0) for index in range(len(CLASSES))]
    squared = np.square(mean).sum(axis=0)
    return Moments(
        within=float(np.square(deviations).sum(dtype=float)),
        freedom=float((seen - 1).sum() * (len(CLASSES) - 1)),
        cells=np.array([cells.sum() for cells in kept], float),
        sums=np.array([mean[:, cells].sum(axis=1, dtype=float) for cells in kept]),
        squares=np.array([squared[cells].sum(dtype=float) for cells in kept]),
        shares=np.array([(1 / seen[cells]).sum() for cells in kept]),
    )


def emission_of(found: Moments) -> Emission:
    """Class means over the cells that keep a class; the noise over all cells; the effect from how these means differ
    within a class, less what the noise adds."""
    means = _typical_means()
    present = found.cells > 0
    means[present] = found.sums[present] / found.cells[present, None]
    noise = max(found.within / found.freedom, _LEAST_VARIANCE) if found.freedom else 1.0
    spread = found.squares[present] - found.cells[present] * np.square(means[present]).sum(axis=1)
    directions = len(CLASSES) - 1
    between = spread.sum() / directions - noise * found.shares.sum()
    effect = max(0.0, float(between / found.cells.sum())) if present.any() else 0.0
    return Emission(means.astype(np.float32), noise, effect)


def _typical_means() -> NDArray[np.float64]:
    """Those of a classifier that gives each class the typical probability."""
    others = (1 - _TYPICAL_PROBABILITY) / (len(CLASSES) - 1)
    logs = np.full((len(CLASSES), len(CLASSES)), math.log(others))
    np.fill_diagonal(logs, math.log(_TYPICAL_PROBABILITY))
    centred: NDArray[np.float64] = logs - logs.mean(axis=1, keepdims=True)
    return centred
