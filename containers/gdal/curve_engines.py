"""One curve per cell by any engine: values between the observations, where each comes from, how sure it is."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.gdal.contract.fill import FillEngine, Filling
from containers.gdal.harmonic import RIDGE_ORDER, by_precedence, ridge
from containers.gdal.outliers import dips
from containers.gdal.smoothers import (
    Array,
    Days,
    Neighbours,
    distances,
    linear,
    neighbours,
    savitzky_golay,
    whittaker,
)

NONE, OBSERVED = 0, -1
CODES: Final[dict[FillEngine, int]] = {
    "ridge": RIDGE_ORDER,
    "whittaker": 20,
    "savitzky_golay": 30,
    "linear": 40,
    "seasonal": 50,
}
"""Quality codes; those of `harmonic` are its orders."""
BEYOND = 1
"""Added to the codes of the engines that know no year, where the cell was seen on one side of the date only."""
_LIMIT = 0.9999
_CURVATURE, _CURVATURE_PENALTY = 4, 0.3
_REST_SMOOTHNESS, _REST_HOLD = 1_000.0, 0.15
"""Of `seasonal`, chosen like the other defaults on cells that no table scores (docs/gap_filling.md)."""


class Curve(NamedTuple):
    """(date out, cell)."""

    values: Array
    """In (−1, 1), NaN for none."""
    quality: NDArray[np.int8]
    reach: Array
    """How far the observations are, in days: b·a / (b + a) for b days since the last and a days to the next one, to
    which the variance of a random walk between both is proportional; 0 on an observation, infinite without any."""


def fitted(filling: Filling, days: Days, out_days: Days, values: Array, seen: NDArray[np.bool_]) -> Curve:
    """The curve through `values` (date, cell) where `seen`; unseen values are not looked at."""
    values = np.where(seen, values, 0.0)
    if filling.dip > 0:
        seen = seen & ~dips(days, values, seen, filling.dip)
        values = np.where(seen, values, 0.0)
    near = neighbours(days, out_days, seen)
    before, after = distances(days, out_days, near)
    curve, quality = _drawn(filling, days, out_days, values, seen, near, before + after)
    none = ~np.isfinite(curve)
    quality[none] = NONE
    curve = np.clip(curve, -_LIMIT, _LIMIT)
    if filling.observed_wins:
        wins = before == 0
        observed = np.take_along_axis(values, np.maximum(near.before, 0), axis=0)
        curve[wins], quality[wins] = observed[wins], OBSERVED
    with np.errstate(divide="ignore"):
        reach = 1 / (1 / before + 1 / after)
    return Curve(curve, quality, reach)


def _drawn(
    filling: Filling,
    days: Days,
    out_days: Days,
    values: Array,
    seen: NDArray[np.bool_],
    near: Neighbours,
    gaps: Array,
) -> tuple[Array, NDArray[np.int8]]:
    weights = seen.astype(np.float64)
    if filling.engine == "harmonic":
        return by_precedence(days, out_days, values, weights, gaps)
    quality = np.full(gaps.shape, CODES[filling.engine], dtype=np.int8)
    if filling.engine == "ridge":
        return ridge(days, out_days, values, weights, filling.ridge_penalty), quality
    if filling.engine == "whittaker":
        curve = whittaker(days, out_days, values, weights, filling.smoothness)
    elif filling.engine == "seasonal":
        curve = seasonal(days, out_days, values, weights)
    else:
        curve = linear(days, out_days, values, near)
    if filling.engine == "savitzky_golay":
        local = savitzky_golay(days, out_days, values, weights, filling.window_days, filling.degree)
        quality[~np.isfinite(local)] = CODES["linear"]
        curve = np.where(np.isfinite(local), local, curve)
    quality[~np.isfinite(gaps)] += BEYOND
    return curve, quality


def seasonal(days: Days, out_days: Days, values: Array, weights: Array) -> Array:
    """The usual year, and Whittaker's smoother on what it leaves, which fades to zero in long gaps.

    The usual year is a trend and three harmonics with penalised curvature.
    """
    both = np.union1d(days, out_days).astype(np.int32)
    usual = ridge(days, both, values, weights, _CURVATURE_PENALTY, _CURVATURE)
    left = np.where(weights > 0, values - usual[np.searchsorted(both, days)], 0.0)
    rest = whittaker(days, out_days, left, weights, _REST_SMOOTHNESS, hold=_REST_HOLD)
    curve: Array = usual[np.searchsorted(both, out_days)] + rest
    return curve
