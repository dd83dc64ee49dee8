"""Undetected clouds and shadows: observations far below the curve through their neighbours."""

import numpy as np
from numpy.typing import NDArray

from containers.gdal.smoothers import Array, Days, distances, neighbours, whittaker

_ROUNDS = 3
_NEAR_DAYS = 30
_STIFF, _NODE_DAYS = 3_000.0, 10
_SPREADS = 2.5
_TO_DEVIATION = 1.2533
"""From the mean absolute residual, of a normal distribution."""


def dips(days: Days, values: Array, seen: NDArray[np.bool_], smallest: float) -> NDArray[np.bool_]:
    """Observations that are too low to be the ground, (date, cell).

    Clouds, haze and shadow lower vegetation indices and never raise them, so the curve is fitted again without what
    lies below it by more than `smallest` and by more than 2.5 deviations of the cell: an upper envelope by
    0/1 weights after Chen et al. (2004, doi:10.1016/j.rse.2004.03.014), in three rounds. What stands alone, without
    another observation within 30 days on both sides, stays: it may be the only one of a winter.
    """
    kept = seen.copy()
    for _ in range(_ROUNDS):
        residuals = values - whittaker(days, days, values, kept.astype(np.float64), _STIFF, node_days=_NODE_DAYS)
        spread = _TO_DEVIATION * (np.abs(residuals) * kept).sum(axis=0) / np.maximum(kept.sum(axis=0), 1)
        fits = residuals >= -np.maximum(smallest, _SPREADS * spread)
        before, after = distances(days, days, neighbours(days, days, seen & fits))
        kept = seen & (fits | (np.maximum(before, after) > _NEAR_DAYS))
    return seen & ~kept
