"""The NDVI curve of one pasture through the dates on which enough of it was seen, and curves that could be as well."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.gdal.contract.fill import Filling
from containers.gdal.curve_engines import fitted
from containers.gdal.smoothers import Array, Days
from containers.gdal.uncertainty import calibrate, residuals, standard_deviation

DRAWS: Final = 200
_CORRELATION_DAYS: Final = 15.0
"""Errors of a filled curve are alike over about so many days: its observations are one to three weeks apart."""
_LEAST_NOISE: Final = 5e-4
_SEED: Final = 20_170_101


class PastureCurve(NamedTuple):
    """Daily, from the first observation to the last."""

    days: Days
    """Since 1970, (day,)."""
    values: Array
    """(day,), NDVI."""
    deviation: Array
    """(day,): standard deviation of the difference between the curve and what a clear view of the day would show."""
    draws: Array
    """(day, draw): curves that differ from `values` by what is not known of it."""


def pasture_curve(filling: Filling, days: Days, means: Array) -> PastureCurve:
    """The curve through the pasture's means (date,) on days, at least two, ascending."""
    values, seen = means[:, np.newaxis], np.ones((len(days), 1), dtype=bool)
    out_days = np.arange(days[0], days[-1] + 1, dtype=np.int32)
    curve = fitted(filling, days, out_days, values, seen)
    squares, count = residuals(days, values, seen)
    noise = np.maximum(np.sqrt(squares / np.maximum(count, 1)), _LEAST_NOISE)
    deviation = standard_deviation(calibrate(filling, days, values, seen), noise, curve.reach)[:, 0]
    line = curve.values[:, 0]
    return PastureCurve(out_days, line, deviation, line[:, np.newaxis] + deviation[:, np.newaxis] * _wander(len(line)))


def _wander(n_days: int) -> Array:
    """Standard normal series, (day, draw), whose correlation falls off like a bell over `_CORRELATION_DAYS`."""
    reach = int(3 * _CORRELATION_DAYS)
    kernel = np.exp(-((np.arange(-reach, reach + 1) / _CORRELATION_DAYS) ** 2))
    white = np.random.default_rng(_SEED).standard_normal((n_days + 2 * reach, DRAWS))
    smooth = np.stack([np.convolve(column, kernel, mode="valid") for column in white.T], axis=1)
    series: NDArray[np.float64] = smooth / np.sqrt((kernel**2).sum())
    return series
