"""Sums over moving windows, pixel by pixel in one order: the same numbers whatever part of an image is worked on."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class Sums(NamedTuple):
    """What a window around each pixel holds; (y, x), float32. NaN is left out."""

    pixels: Array
    total: Array
    squares: Array

    def mean(self) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.total / self.pixels

    def variance(self) -> Array:
        """With n − 1 degrees of freedom; 0 where one pixel or none is there."""
        mean = self.mean()
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = (self.squares - mean * self.total) / (self.pixels - 1)
        return np.where(self.pixels > 1, np.maximum(variance, 0), 0).astype(np.float32)


def views(array: NDArray[Any], half: int, fill: float) -> Iterator[NDArray[Any]]:
    """The array shifted by every offset of a square window of 2 × half + 1; `fill` comes in from outside."""
    padded = np.pad(array, half, constant_values=fill)
    height, width = array.shape
    for row in range(2 * half + 1):
        for col in range(2 * half + 1):
            yield padded[row : row + height, col : col + width]


def window_sums(power: Array, half: int, low: Array | float = -np.inf, high: Array | float = np.inf) -> Sums:
    """Sums over the pixels of each window whose power lies between `low` and `high`, which may differ by window."""
    count, total, squares = (np.zeros(power.shape, np.float32) for _ in range(3))
    for view in views(power, half, np.nan):
        inside = (view >= low) & (view <= high)
        taken = np.where(inside, view, np.float32(0))
        count += inside
        total += taken
        squares += taken * taken
    return Sums(count, total, squares)


def least_squares_estimate(power: Array, sums: Sums, variation: float) -> Array:
    """Between a window's mean and the pixel itself, by how much more than speckle the window varies.

    The minimum mean square error estimate under multiplicative noise with the coefficient of variation `variation`
    (Lee 1980, doi:10.1109/TPAMI.1980.4766994).
    """
    mean, variance, noise = sums.mean(), sums.variance(), np.float32(variation**2)
    signal = np.maximum(variance - mean * mean * noise, 0) / (1 + noise)
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = np.where(variance > 0, signal / variance, 0)
    estimate: Array = np.asarray(mean + weight * (power - mean), dtype=np.float32)
    return estimate
