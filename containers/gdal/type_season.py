"""When the green season of one year starts, peaks and ends, and how much it is, on a curve without gaps."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.gdal.curve import Curves
from containers.gdal.season import peak_days

Values = NDArray[np.float32]
SEASON: Final = ("start_day", "peak_day", "end_day", "length_days", "peak", "base", "amplitude", "integral")


def season_of(days: NDArray[np.int32], curve: Values) -> Values:
    """(SEASON, n) from a curve (n, date) on `days`, which days of the result count from, too.

    Unlike the seasons of `productivity`, every curve has one, so that no classifier misses it: from half of the rise
    before its highest date to half of the fall after it, on straight lines between the dates. Where the curve only
    falls, it starts with the first date; where it only rises, it ends with the last one. The base is the mean of the
    lowest values on both sides; the integral is that of the whole curve, index times days.
    """
    peak = curve.argmax(axis=1)
    start, before = half_rise(days, curve, peak)
    end, after = half_rise(-days[::-1], curve[:, ::-1], len(days) - 1 - peak)
    high, base = curve.max(axis=1), (before + after) / 2
    top = peak_days(Curves.through(days.astype(np.float32), curve.T, "linear"), peak)
    integral = np.trapezoid(curve, days, axis=1)
    return np.stack([start, top, -end, -end - start, high, base, high - base, integral]).astype(np.float32)


def half_rise(days: NDArray[np.int32], curve: Values, peak: NDArray[np.intp]) -> tuple[Values, Values]:
    """The day, per curve, of half the rise to the peak seen from the peak, and the lowest value before the peak."""
    rows, steps = np.arange(len(curve)), np.arange(len(days))
    until_peak = steps <= peak[:, np.newaxis]
    lowest = np.where(until_peak, curve, np.inf).min(axis=1)
    level = (lowest + curve[rows, peak]) / 2
    below = until_peak & (curve < level[:, np.newaxis])
    last = len(days) - 1 - below[:, ::-1].argmax(axis=1)
    last = np.where(below.any(axis=1), last, 0)
    after = np.minimum(last + 1, len(days) - 1)
    low, high = curve[rows, last], curve[rows, after]
    share = np.where(below.any(axis=1), (level - low) / np.where(high > low, high - low, 1), 0)
    return days[last] + share * (days[after] - days[last]), lowest
