"""The improved sigma filter of Lee et al. (2009), doi:10.1109/TGRS.2008.2002881."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.radar import Speckle
from containers.sarsen.shifts import Array, least_squares_estimate, views, window_sums
from containers.sarsen.sigma_range import sigma_range

BRIGHT_PERCENTILE: Final = 98.0
_TARGET_PIXELS: Final = 5
"""A bright pixel is part of a point target where as many of 3 × 3 pixels are bright."""


def reach_px(speckle: Speckle) -> int:
    """How far a pixel's result depends on others."""
    return max(speckle.window_px // 2, speckle.target_window_px // 2)


def lee_sigma(power: Array, speckle: Speckle, bright: float) -> Array:
    """Filtered power; (y, x), float32, NaN where there is no data.

    Point targets, brighter than `bright` in clusters, stay as they are. Elsewhere a first estimate from the target
    window says which pixels of the large window belong to the same distribution; those are averaged.
    """
    first = least_squares_estimate(power, window_sums(power, speckle.target_window_px // 2), speckle.looks**-0.5)
    taken = sigma_range(speckle.looks, speckle.sigma)
    low, high = first * np.float32(taken.low), first * np.float32(taken.high)
    sums = window_sums(power, speckle.window_px // 2, low, high)
    filtered = least_squares_estimate(power, sums, taken.variation)
    keep = point_targets(power, bright) | (sums.pixels == 0) | np.isnan(power)
    return np.where(keep, power, filtered)


def point_targets(power: Array, bright: float) -> NDArray[np.bool_]:
    """Bright pixels of bright clusters; (y, x)."""
    is_bright = power > bright
    count = sum(view.astype(np.int16) for view in views(is_bright, 1, False))
    centres = is_bright & (count >= _TARGET_PIXELS)
    near = np.zeros(power.shape, dtype=bool)
    for view in views(centres, 1, False):
        near |= view
    return near & is_bright
