"""The refined Lee filter (Lee 1981, doi:10.1016/S0146-664X(81)80018-4): local statistics on one side of an edge."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.sarsen.shifts import Array, Sums, least_squares_estimate, window_sums

HALF: Final = 3
_EDGE: Final = 1.5
"""Windows that vary this much more than speckle alone hold an edge: in one of forty without one, chance does so."""
_PAIRS: Final = (((0, -2), (0, 2)), ((-2, 2), (2, -2)), ((-2, 0), (2, 0)), ((-2, -2), (2, 2)))
"""Opposite means of 3 × 3 pixels whose difference is the gradient: across, diagonal, along, other diagonal."""


def refined_lee(power: Array, looks: float) -> Array:
    """Filtered power; (y, x), float32, NaN where there is no data.

    The 7 × 7 window counts whole where it varies no more than speckle; otherwise the half of it counts that lies
    on the pixel's own side of the strongest of four gradients.
    """
    sums = window_sums(power, HALF)
    with np.errstate(invalid="ignore"):
        edge = (sums.variance() * np.float32(looks) > _EDGE * sums.mean() ** 2) & ~np.isnan(power)
    rows, cols = np.nonzero(edge)
    for sum_, half in zip(sums, _half_sums(power, rows, cols, side_of_edge(power)[edge]), strict=True):
        sum_[edge] = half
    return np.where(np.isnan(power), power, least_squares_estimate(power, sums, looks**-0.5))


def side_of_edge(power: Array) -> NDArray[np.int8]:
    """Which half window each pixel belongs to, 0 to 7: index of its pair, plus 4 where the second mean is nearer."""
    means = np.pad(window_sums(power, 1).mean(), 2, mode="edge")
    height, width = power.shape

    def mean_at(offset: tuple[int, int]) -> Array:
        return means[2 + offset[0] : 2 + offset[0] + height, 2 + offset[1] : 2 + offset[1] + width]

    centre = mean_at((0, 0))
    gradients = np.stack([np.nan_to_num(np.abs(mean_at(one) - mean_at(other))) for one, other in _PAIRS])
    second = np.stack([np.abs(mean_at(one) - centre) >= np.abs(centre - mean_at(other)) for one, other in _PAIRS])
    strongest = gradients.argmax(axis=0)
    nearer = np.take_along_axis(second, strongest[np.newaxis], axis=0)[0]
    side: NDArray[np.int8] = (strongest + 4 * nearer).astype(np.int8)
    return side


def half_window(side: int) -> NDArray[np.int64]:
    """Offsets (row, column) of the 28 pixels on one side of an edge through the centre; (28, 2)."""
    row, col = np.mgrid[-HALF : HALF + 1, -HALF : HALF + 1]
    toward = np.array(_PAIRS[side % 4][side // 4]) // 2
    return np.argwhere(row * toward[0] + col * toward[1] >= 0) - HALF


def _half_sums(power: Array, rows: NDArray[np.intp], cols: NDArray[np.intp], side: NDArray[np.int8]) -> Sums:
    """Sums over each pixel's half window; (pixel,)."""
    padded = np.pad(power, HALF, constant_values=np.nan)
    offsets = np.stack([half_window(number) for number in range(8)])
    count, total, squares = (np.zeros(len(rows), np.float32) for _ in range(3))
    for number in range(offsets.shape[1]):
        row, col = offsets[side, number].T
        values = padded[rows + HALF + row, cols + HALF + col]
        there = ~np.isnan(values)
        taken = np.where(there, values, np.float32(0))
        count += there
        total += taken
        squares += taken * taken
    return Sums(count, total, squares)
