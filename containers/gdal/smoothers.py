"""Curves that follow the observations locally: Whittaker's, local polynomials, straight lines between neighbours."""

from typing import NamedTuple

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from containers.gdal.normal_equations import solve

Array = NDArray[np.float64]
Days = NDArray[np.int32]
_MIN_TOLERANCE = 0.01
_BEND_DAYS = 60
"""In gaps much longer than this, Whittaker's curve follows the chord rather than the slopes at the gap's edges."""


class Neighbours(NamedTuple):
    """The observations next to each output date, (date out, cell): positions along the dates; −1 and T for none."""

    before: NDArray[np.int32]
    after: NDArray[np.int32]


def neighbours(days: Days, out_days: Days, seen: NDArray[np.bool_]) -> Neighbours:
    """The last observation not later than each output date, and the first not earlier."""
    last, first = _last_and_first(seen)
    before = last[np.searchsorted(days, out_days, side="right") - 1]
    return Neighbours(before, first[np.searchsorted(days, out_days, side="left")])


def others(seen: NDArray[np.bool_]) -> Neighbours:
    """The last observation earlier than each date, and the first later one; (date, cell)."""
    last, first = _last_and_first(seen)
    dates = np.arange(len(seen))
    return Neighbours(last[dates - 1], first[dates + 1])


def _last_and_first(seen: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The last observation up to each date, and the first from it on; one more row stands for none."""
    n_dates = len(seen)
    last = np.full((n_dates + 1, seen.shape[1]), -1, dtype=np.int32)
    first = np.full_like(last, n_dates)
    # By rows: ufunc.accumulate walks down single columns, which takes ten times as long.
    for date in range(n_dates):
        last[date] = np.where(seen[date], np.int32(date), last[date - 1])
    for date in reversed(range(n_dates)):
        first[date] = np.where(seen[date], np.int32(date), first[date + 1])
    return last, first


def distances(days: Days, out_days: Days, near: Neighbours) -> tuple[Array, Array]:
    """Days from each output date back to the observation before it and on to the one after it; infinite for none."""
    at = out_days[:, np.newaxis].astype(np.float64)
    padded = np.r_[days.astype(np.float64), np.inf]
    before: Array = at + np.where(near.before < 0, np.inf, -padded[near.before])
    after: Array = padded[near.after] - at
    return before, after


def linear(days: Days, out_days: Days, values: Array, near: Neighbours) -> Array:
    """Straight lines between neighbouring observations; before the first and after the last, their values."""
    n_dates = len(days)
    none = near.before < 0
    before = np.where(none, np.minimum(near.after, n_dates - 1), near.before)
    after = np.where(near.after >= n_dates, before, near.after)
    start, length = days[before], days[after] - days[before]
    share = np.where(length > 0, (out_days[:, np.newaxis] - start) / np.maximum(length, 1), 0.0)
    low, high = (np.take_along_axis(values, side, axis=0) for side in (before, after))
    filled: Array = low + share * (high - low)
    filled[none & (near.after >= n_dates)] = np.nan
    return filled


def whittaker(
    days: Days,
    out_days: Days,
    values: Array,
    weights: Array,
    smoothness: float,
    hold: float = 0.0,
    node_days: int = 5,
) -> Array:
    """Whittaker's smoother (Eilers 2003, doi:10.1021/ac034173t), for unevenly spaced observations.

    The curve f minimises Σ weight · (value − f(day))² + smoothness · ∫ (f″² + (f′ / `_BEND_DAYS`)²) by days. It is
    linear between nodes every `node_days` days (P-splines of degree 1, Eilers and Marx 1996,
    doi:10.1214/ss/1038425655), so the system has five diagonals. The second term keeps long gaps and the ends from
    overshooting; `hold` · Σ f² over the nodes draws to zero what is a difference. Cells without an observation are NaN.
    """
    first = min(days[0], out_days[0])
    n_nodes = int(max(days[-1], out_days[-1]) - first) // node_days + 3
    hats = _hats((days - first) / node_days, n_nodes)
    diagonal = hats.power(2).T @ weights
    beside = hats[:, :-1].multiply(hats[:, 1:]).T @ weights
    right = hats.T @ (weights * values)
    stiff = smoothness / node_days**3
    bend = stiff * (_differences(n_nodes, 2) + (node_days / _BEND_DAYS) ** 2 * _differences(n_nodes, 1))
    diagonal += np.diag(bend)[:, np.newaxis] + hold
    beside += np.diag(bend, 1)[:, np.newaxis]
    curve = solve_five_diagonals(diagonal, beside, stiff, right)
    filled: Array = _hats((out_days - first) / node_days, n_nodes) @ curve
    filled[:, ~(weights > 0).any(axis=0)] = np.nan
    return filled


def _hats(positions: Array, n_nodes: int) -> scipy.sparse.csr_array:
    """(date, node): how much each node counts on each date, by linear interpolation at its position along them."""
    nodes, shares = np.divmod(positions, 1)
    columns = nodes.astype(np.int32)[:, np.newaxis] + np.arange(2, dtype=np.int32)
    counts = np.arange(len(positions) + 1, dtype=np.int32) * 2
    weights = np.column_stack([1 - shares, shares])
    return scipy.sparse.csr_array((weights.ravel(), columns.ravel(), counts), shape=(len(positions), n_nodes))


def _differences(size: int, degree: int) -> Array:
    """DᵀD of the differences of that degree."""
    differences = np.diff(np.eye(size), n=degree, axis=0)
    return differences.T @ differences


def solve_five_diagonals(diagonal: Array, beside: Array, outer: float, right: Array) -> Array:
    """Solve symmetric positive definite systems, one per cell, by LDLᵀ. Overwrites its arguments; gives `right`.

    `diagonal` and `right` are (node, cell), `beside` the first off-diagonal, `outer` the second one, the same number
    everywhere.
    """
    pivot, lower, lowest = diagonal, beside, np.zeros_like(right)
    for node in range(len(right)):
        if node >= 1:
            # The off-diagonal before its division by the pivot is lower · pivot.
            above = lower[node - 1] * pivot[node - 1]
            pivot[node] -= lower[node - 1] * above
            right[node] -= lower[node - 1] * right[node - 1]
        if node >= 2:
            pivot[node] -= lowest[node - 2] * outer
            right[node] -= lowest[node - 2] * right[node - 2]
        if node + 1 < len(right):
            if node >= 1:
                lower[node] -= lower[node - 1] * outer
            lower[node] /= pivot[node]
        np.divide(outer, pivot[node], out=lowest[node])
    right /= pivot
    for node in range(len(right) - 2, -1, -1):
        right[node] -= lower[node] * right[node + 1]
        if node + 2 < len(right):
            right[node] -= lowest[node] * right[node + 2]
    return right


def savitzky_golay(days: Days, out_days: Days, values: Array, weights: Array, window_days: int, degree: int) -> Array:
    """Local polynomials over the observations within half a window of each output date, all with the same weight.

    On evenly spaced dates without gaps this is the filter of Savitzky and Golay (1964, doi:10.1021/ac60214a047). NaN
    where the window holds too few observations, or none on one side, for the degree.
    """
    filled = np.full((len(out_days), values.shape[1]), np.nan)
    half = window_days / 2
    for number, day in enumerate(out_days):
        first, last = np.searchsorted(days, [day - half, day + half + 1e-9])
        at = (days[first:last] - day) / half
        weight = weights[first:last]
        fit = solve(np.vander(at, degree + 1, increasing=True), weight, values[first:last])
        surrounded = (weight[at <= 0] > 0).any(axis=0) & (weight[at >= 0] > 0).any(axis=0)
        sound = surrounded & (fit.tolerance >= _MIN_TOLERANCE) & ((weight > 0).sum(axis=0) > degree)
        filled[number, sound] = fit.coefficients[0, sound]
    return filled
