"""Trends of short yearly series, for many cells at once: Theil–Sen slope with its interval, and Mann–Kendall's test.

Sen (1968), doi:10.1080/01621459.1968.10480934; Mann (1945), doi:10.2307/1907187; Kendall, Rank Correlation Methods
(1975). The interval is Sen's, by the normal approximation of Kendall's statistic with the correction for ties. Years
are taken as independent: serial correlation, which short series cannot show, would widen it.
"""

from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

MIN_YEARS: Final = 4
"""Of three years not even a strict order is significant: p is 0.3."""
_CONFIDENCE: Final = 0.95
Values = NDArray[np.floating]


class Trend(NamedTuple):
    """Per cell; NaN where there are fewer than `MIN_YEARS` values."""

    slope: Values
    """Median of the slopes of all pairs, per year."""
    lower: Values
    """End of its 95 % interval."""
    upper: Values
    p_value: Values
    """Two-sided, that there is no monotone trend."""


def trend(years: NDArray[np.integer], values: Values) -> Trend:
    """The trend of values, (year, cell), NaN where missing; years ascend."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    pairs = list(combinations(range(len(years)), 2))
    differences = np.stack([values[later] - values[earlier] for earlier, later in pairs])
    spans = np.array([years[later] - years[earlier] for earlier, later in pairs])
    # NaN, of pairs with a missing year, come last. Rows of a cell's slopes, because sorting columns is slow.
    slopes = np.ascontiguousarray((differences / spans[:, np.newaxis]).T)
    slopes.sort(axis=1)
    spread = np.sqrt(_variance(values, known, count))
    n_slopes = count * (count - 1) // 2
    half = -ndtri((1 - _CONFIDENCE) / 2) * spread
    lower = np.maximum(np.rint((n_slopes - half) / 2) - 1, 0)
    upper = np.minimum(np.rint((n_slopes + half) / 2), n_slopes - 1)
    ends = (_ranked(slopes, rank) for rank in (lower, upper))
    middle = (_ranked(slopes, (n_slopes - 1) // 2) + _ranked(slopes, n_slopes // 2)) / 2
    enough = count >= MIN_YEARS
    layers = (middle, *ends, _p_values(differences, spread))
    return Trend(*(np.where(enough, layer, np.nan) for layer in layers))


def _variance(values: Values, known: NDArray[np.bool_], count: NDArray[np.integer]) -> Values:
    """Of Kendall's statistic when nothing but chance orders the values."""
    variance = (count * (count - 1) * (2 * count + 5)).astype(np.float64)
    for value, is_known in zip(values, known, strict=True):
        tied = (values == value).sum(axis=0)
        # A group of n ties takes n (n − 1) (2 n + 5) away: each of its members an nth part.
        variance -= np.where(is_known, (tied - 1) * (2 * tied + 5), 0)
    bounded: Values = np.maximum(variance / 18, 0)
    return bounded


def _p_values(differences: Values, spread: Values) -> Values:
    statistic: Values = np.nansum(np.sign(differences), axis=0)
    beyond = np.maximum(np.abs(statistic) - 1, 0)
    score = np.divide(beyond, spread, out=np.zeros_like(spread), where=spread > 0)
    p_values: Values = np.asarray(2 * ndtr(-score))
    return p_values


def _ranked(slopes: Values, rank: Values) -> Values:
    """One of each row's slopes."""
    places = np.clip(rank, 0, slopes.shape[1] - 1).astype(np.intp)
    ranked: Values = slopes[np.arange(len(slopes)), places]
    return ranked
