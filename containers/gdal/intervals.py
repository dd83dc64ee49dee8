"""Values to the number of the interval that holds them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DECIMALS = 4
"""Values are rounded to so many decimals before, so that one that is written as a bound counts as that bound."""


def interval_codes(values: NDArray[np.floating], edges: Sequence[float]) -> NDArray[np.uint8]:
    """1 from `edges[0]` up to, but not including, `edges[1]`, and so on; the last interval holds its end as well.

    0 outside of all, and where the value is NaN.

    >>> interval_codes(np.array([-0.2, 0.0, 0.26996, 0.5, 0.6, np.nan]), [0, 0.27, 0.5]).tolist()
    [0, 1, 2, 2, 0, 0]
    """
    scale = 10**DECIMALS
    steps = np.rint(values.astype(np.float64) * scale)
    bounds = np.rint(np.asarray(edges, dtype=np.float64) * scale)
    codes: NDArray[np.uint8] = np.searchsorted(bounds, steps, side="right").astype(np.uint8)
    codes[steps == bounds[-1]] = len(edges) - 1
    codes[codes == len(edges)] = 0
    return codes
