"""Backscatter as SNAP writes it, without its non-positive cells."""

import numpy as np
from numpy.typing import NDArray

MARGIN = 1
"""Cells around a block that its cells' neighbours lie in."""
_MOST = 5


def positive_power(power: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
    """Power above 0 or NaN, without the outer `MARGIN` cells of the input, and how many cells were filled.

    A cell without positive power is filled with the mean of its positive neighbours (of eight) where SNAP says
    that it has data, which is negative after an interpolation that overshoots, or where most of them are positive:
    a hole. All else is nodata, 0 in SNAP's bands: beyond the swath, in radar shadow. So the edge of the swath
    stays where it is. (y, x), float32, linear.

    >>> positive_power(np.array([[1, 1, 1], [1, -1, 1], [1, 1, 9]], np.float32))
    (array([[2.]], dtype=float32), 1)
    """
    positive = np.isfinite(power) & (power > 0)
    values = np.where(positive, power, 0).astype(np.float64)
    count, total = _around(positive.astype(np.float64)), _around(values)
    inner = (slice(MARGIN, -MARGIN),) * 2
    here, below = positive[inner], power[inner] < 0
    filled = ~here & (count > 0) & (below | (count >= _MOST))
    result = np.where(here, power[inner], np.nan).astype(np.float32)
    result[filled] = total[filled] / count[filled]
    return result, int(filled.sum())


def _around(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum over the eight neighbours of each inner cell."""
    height, width = values.shape
    shifted = [
        values[row : height - 2 + row, col : width - 2 + col]
        for row in range(3)
        for col in range(3)
        if (row, col) != (1, 1)
    ]
    total: NDArray[np.float64] = np.sum(shifted, axis=0)
    return total
