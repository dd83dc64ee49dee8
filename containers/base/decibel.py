"""Backscatter as networks take it: small gaps filled in linear power, then decibels, taken once."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

DB_SCALE: Final = 0.01
"""Stored backscatter is int16: decibels = value × 0.01."""
DB_NODATA: Final = -32768
GAP_PX: Final = 4
"""Gaps of at most this width in cells are filled."""


def to_decibel(power: NDArray[Any]) -> NDArray[np.int16]:
    """10 · log10 of linear power as int16 × 0.01 dB; nodata −32768 for NaN, infinity and what is not above 0.

    >>> to_decibel(np.array([1.0, 0.1, 0.0, -1.0, np.nan])).tolist()
    [0, -1000, -32768, -32768, -32768]
    """
    known = has_power(power)
    decibel = 10 * np.log10(np.where(known, power, 1.0), dtype=np.float64)
    scaled = np.clip(np.rint(decibel / DB_SCALE), DB_NODATA + 1, -DB_NODATA - 1)
    return np.where(known, scaled, DB_NODATA).astype(np.int16)


def has_power(power: NDArray[Any]) -> NDArray[np.bool_]:
    """Where linear power is a number that has a logarithm."""
    known: NDArray[np.bool_] = np.isfinite(power) & (np.nan_to_num(power, nan=0.0) > 0)
    return known


def filled_gaps(power: NDArray[Any]) -> NDArray[np.float32]:
    """Linear power (y, x) with narrow gaps closed from their rims inwards; NaN in what stays unknown.

    A gap cell gets the mean of its known neighbours among eight, ring after ring. Cells of gaps that hold a square
    wider than `GAP_PX` keep NaN, and so do narrow strips along the array's edge that may go on behind it: the edge
    of a swath is no gap.
    """
    known = has_power(power)
    if known.all():
        return power.astype(np.float32)
    values = np.where(known, power, 0).astype(np.float64)
    waiting = ~known & ~_wide(~known)
    for _ in range(GAP_PX // 2):
        if not waiting.any():
            break
        count = _around(known.astype(np.float64))
        ring = waiting & (count > 0)
        values[ring] = _around(values)[ring] / count[ring]
        known, waiting = known | ring, waiting & ~ring
    return np.where(known, values, np.nan).astype(np.float32)


def _around(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums over each cell and its eight neighbours."""
    padded = np.pad(values, 1)
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    sums: NDArray[np.float64] = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    return sums


def _wide(gaps: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Cells of squares of `GAP_PX` + 1 cells that are gap altogether; beyond the array everything is."""
    edge, (height, width) = GAP_PX + 1, gaps.shape
    padded = np.pad(gaps, GAP_PX, constant_values=True)
    for axis, length in ((0, height + GAP_PX), (1, width + GAP_PX)):
        parts = [np.take(padded, range(first, first + length), axis) for first in range(edge)]
        padded = np.logical_and.reduce(parts)
    for axis, length in ((0, height), (1, width)):
        parts = [np.take(padded, range(first, first + length), axis) for first in range(edge)]
        padded = np.logical_or.reduce(parts)
    wide: NDArray[np.bool_] = padded
    return wide
