"""A median filter that knows of gaps."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

_STACK_VALUES = 8 << 20
"""So many neighbours are sorted at once: 32 MiB."""


def median_filter(values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """The median of the known values in the window of `size` × `size` (odd) around each known one; (y, x).

    NaN is unknown: it counts in no window and stays NaN. Windows are cut at the edges. Of an even number of values,
    the mean of the middle two.
    """
    if size == 1:
        return values
    height, width = values.shape
    windows = sliding_window_view(np.pad(values, size // 2, constant_values=np.nan), (size, size))
    filtered = np.empty_like(values)
    rows = max(1, _STACK_VALUES // (width * size**2))
    for top in range(0, height, rows):
        part = windows[top : top + rows]
        filtered[top : top + rows] = _middle(part.reshape(len(part), width, size**2))
    filtered[np.isnan(values)] = np.nan
    return filtered


def _middle(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The median along the last axis without NaN, which sorting puts last."""
    ordered = np.sort(values, axis=-1)
    known = np.count_nonzero(~np.isnan(ordered), axis=-1)[..., np.newaxis]
    lower, upper = (np.take_along_axis(ordered, at, axis=-1) for at in ((known - 1) // 2, known // 2))
    middle = (lower + upper) / 2
    return middle[..., 0].astype(np.float32)
