"""Series as a trend and harmonics of the year: by precedence of 10, 5 and 1 harmonics, or of 3 and regularised.

NDVI(t) = β0 + β1·t + Σ (a_k cos 2πkt + b_k sin 2πkt), t in years by date: least squares on unevenly spaced
observations after Roerink, Menenti and Verhoef (2000), doi:10.1080/014311600209814; the reference method's orders.
"""

import numpy as np
from numpy.typing import NDArray

from containers.gdal.normal_equations import Fit, solve

Array = NDArray[np.float64]
YEAR_DAYS = 365.2425
ORDERS = (10, 5, 1)
"""The first whose fit is sound is used; also the quality codes."""
RIDGE_ORDER = 3
_MIN_TOLERANCE = 0.05
"""No basis function may be explained to more than 95 % by the others where the cell was seen (VIF ≤ 20)."""
_OBSERVATIONS_PER_UNKNOWN = 3


def basis(days: NDArray[np.int32], order: int, span: tuple[int, int]) -> Array:
    """(date, 2 + 2·order): 1, trend from −1 to 1 over `span` in days, cosines and sines by date of year.

    >>> basis(np.array([0, 365], np.int32), 1, (0, 365)).round(2).tolist()
    [[1.0, -1.0, 1.0, 0.0], [1.0, 1.0, 1.0, -0.0]]
    """
    first, last = span
    trend = 2 * (days - (first + last) / 2) / max(1, last - first)
    phase = 2 * np.pi * np.outer(days / YEAR_DAYS, np.arange(1, order + 1))
    return np.column_stack([np.ones(len(days)), trend, np.cos(phase), np.sin(phase)])


def sound(fit: Fit, n_seen: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Cells with enough observations, spread well enough over the year, to trust the fit; (cell,)."""
    enough = n_seen >= _OBSERVATIONS_PER_UNKNOWN * len(fit.coefficients)
    return enough & (fit.tolerance >= _MIN_TOLERANCE)


def by_precedence(
    days: NDArray[np.int32], out_days: NDArray[np.int32], values: Array, weights: Array, gaps: Array
) -> tuple[Array, NDArray[np.int8]]:
    """Filled values and their orders, both (date out, cell); NaN and 0 where no fit is sound and in (−1, 1).

    Nor is a fit used in gaps longer than half its shortest period, where it could swing freely: `gaps` (date out, cell)
    are days from the observation before each date to the one after it.
    """
    span = _span(days, out_days)
    n_seen = (weights > 0).sum(axis=0)
    filled = np.full((len(out_days), values.shape[1]), np.nan)
    orders = np.zeros(filled.shape, dtype=np.int8)
    for order in ORDERS:
        fit = solve(basis(days, order, span), weights, values)
        fitted = basis(out_days, order, span) @ fit.coefficients
        use = (orders == 0) & sound(fit, n_seen) & (np.abs(fitted) < 1) & (gaps <= YEAR_DAYS / (2 * order))
        filled[use] = fitted[use]
        orders[use] = order
    return filled, orders


def ridge(
    days: NDArray[np.int32], out_days: NDArray[np.int32], values: Array, weights: Array, penalty: float, power: int = 0
) -> Array:
    """Three harmonics and the trend, shrunk: Σ residual² + penalty · (β1² + Σ k^power · (a_k² + b_k²)).

    `power` 0 shrinks amplitudes, 4 the curvature of the yearly curve, as a periodic smoothing spline does.
    """
    span = _span(days, out_days)
    by_order = np.arange(1.0, RIDGE_ORDER + 1) ** power
    shrunk = penalty * np.r_[0.0, 1.0, by_order, by_order]
    fit = solve(basis(days, RIDGE_ORDER, span), weights, values, shrunk)
    fitted = basis(out_days, RIDGE_ORDER, span) @ fit.coefficients
    fitted[:, fit.tolerance <= 0] = np.nan
    return fitted


def _span(days: NDArray[np.int32], out_days: NDArray[np.int32]) -> tuple[int, int]:
    return int(min(days[0], out_days[0])), int(max(days[-1], out_days[-1]))
