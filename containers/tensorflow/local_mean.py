"""Means over the square window around each cell: what is left of radar when speckle is averaged out."""

import numpy as np
from numpy.typing import NDArray


def local_mean(values: NDArray[np.float32], known: NDArray[np.bool_], edge: int) -> NDArray[np.float32]:
    """Of the known cells in the window of `edge` × `edge` (odd) around each cell; (y, x, channel) like `values`.

    Windows are cut at the image's edges. 0 where no cell of a window is known.
    """
    count = _window_sums(known.astype(np.float64), edge)
    sums = _window_sums(np.where(known, values, 0).astype(np.float64), edge)
    return np.divide(sums, count, out=np.zeros_like(sums), where=count > 0).astype(np.float32)


def _window_sums(values: NDArray[np.float64], edge: int) -> NDArray[np.float64]:
    for axis in (0, 1):
        length = values.shape[axis]
        until = np.insert(np.cumsum(values, axis=axis), 0, 0, axis=axis)
        cells = np.arange(length)
        first, last = np.maximum(cells - edge // 2, 0), np.minimum(cells + edge // 2 + 1, length)
        values = np.take(until, last, axis=axis) - np.take(until, first, axis=axis)
    return values
