"""How sure a filled value is: the noise of its cell, and how far its observations are, calibrated by hiding some.

The noise is estimated from how far each observation lies from the straight line between its neighbours (Gasser, Sroka
and Jennen-Steinmetz 1986, doi:10.1093/biomet/73.3.625), whatever the engine. What the engine adds to it with the
distance from the observations is measured: observations of a sample of the series' own cells are hidden, singly and in
runs of up to 90 days, and filled; per class of distance, the 90 % quantile of |error| / noise tells the factor.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.gdal.contract.fill import Filling
from containers.gdal.curve_engines import fitted
from containers.gdal.smoothers import Array, Days, others

NORMAL_90 = 1.645
"""90 % of a normal distribution lie within so many standard deviations."""
_PRIOR_OBSERVATIONS = 10.0
_RUN_DAYS = (1, 20, 45, 90)
_PHASES = 3
_REACH_EDGES = np.array([0.0, 3.0, 6.0, 12.0, 24.0, 48.0, np.inf])
_MIN_HIDDEN = 50
_LEAST_NOISE = 5e-4


class Calibration(NamedTuple):
    """What a sample of a series says about all of it."""

    variance: float
    """Of the noise of its typical cell."""
    reaches: Array
    """Distances from the observations in days, ascending (`Curve.reach`)."""
    factors: Array
    """Standard deviation of the error to the noise at these distances, not descending."""


def residuals(days: Days, values: Array, seen: NDArray[np.bool_]) -> tuple[Array, NDArray[np.int64]]:
    """Sum of the squared pseudo-residuals, whose expectation is the noise variance each, and their count; (cell,)."""
    n_dates = len(days)
    before, after = others(seen)
    inner = seen & (before >= 0) & (after < n_dates)
    before, after = np.maximum(before, 0), np.minimum(after, n_dates - 1)
    share = (days[:, np.newaxis] - days[before]) / np.maximum(days[after] - days[before], 1)
    low, high = (np.take_along_axis(values, side, axis=0) for side in (before, after))
    off = values - (1 - share) * low - share * high
    squares = np.where(inner, off**2 / (1 + share**2 + (1 - share) ** 2), 0.0)
    return squares.sum(axis=0), inner.sum(axis=0)


def noise(days: Days, values: Array, seen: NDArray[np.bool_], typical: float) -> Array:
    """Standard deviation of the observations of each cell, (cell,).

    The variance is shrunk to the `typical` one as if that came from ten more observations.
    """
    squares, count = residuals(days, values, seen)
    variance: Array = (squares + _PRIOR_OBSERVATIONS * typical) / (count + _PRIOR_OBSERVATIONS)
    return np.maximum(np.sqrt(variance), _LEAST_NOISE)


def standard_deviation(calibration: Calibration, deviation: Array, reach: Array) -> Array:
    """Of the error of values (date out, cell), from the noise of their cells and the distance of their observations."""
    return deviation * np.interp(reach, calibration.reaches, calibration.factors)


def calibrate(filling: Filling, days: Days, values: Array, seen: NDArray[np.bool_]) -> Calibration:
    """Hide observations of sample cells (date, cell), fill them, and compare."""
    squares, count = residuals(days, values, seen)
    typical = max(float(squares.sum() / max(1, count.sum())), _LEAST_NOISE**2)
    ratios, reaches = [], []
    for hidden in _hidden_dates(days):
        kept = seen & ~hidden[:, np.newaxis]
        curve = fitted(filling, days, days, values, kept)
        errors = np.abs(curve.values - values) / noise(days, values, kept, typical)
        tried = seen & ~kept & np.isfinite(errors) & np.isfinite(curve.reach)
        ratios.append(errors[tried])
        reaches.append(curve.reach[tried])
    return Calibration(typical, *_by_reach(np.concatenate(ratios), np.concatenate(reaches)))


def _hidden_dates(days: Days) -> Iterator[NDArray[np.bool_]]:
    """Which dates to hide, (date,): every third one, and runs with twice as long pauses."""
    for run in _RUN_DAYS:
        slots = np.arange(len(days)) if run == 1 else (days - days[0]) // run
        for phase in range(_PHASES):
            yield slots % _PHASES == phase


def _by_reach(ratios: Array, reaches: Array) -> tuple[Array, Array]:
    """Distances and factors. Classes with few hidden observations join the next one."""
    centres: list[float] = []
    factors: list[float] = []
    first = 0.0
    for edge in _REACH_EDGES[1:]:
        inside = (reaches > first) & (reaches <= edge)
        if inside.sum() >= _MIN_HIDDEN or (np.isinf(edge) and not factors):
            centres.append(float(np.median(reaches[inside])) if inside.any() else 1.0)
            factors.append(float(np.quantile(ratios[inside], 0.9)) / NORMAL_90 if inside.any() else 1.0)
            first = edge
    return np.array(centres), np.maximum.accumulate(factors)
