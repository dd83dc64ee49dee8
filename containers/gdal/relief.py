"""Slope and aspect of a surface (Horn 1981, doi:10.1109/PROC.1981.11918)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

FLAT: Final = -1.0
FLAT_DEG: Final = 0.01
"""Gentler slopes have no aspect: the geoid alone makes as much."""

Array = NDArray[np.float32]


def slope_and_aspect(heights: NDArray[np.floating], cell_m: float) -> tuple[Array, Array]:
    """Of the inner cells of (y, x) heights in metres, north up; each (y − 2, x − 2), float32.

    Slope in degrees. Aspect is the bearing that the slope faces, downhill, in degrees clockwise from the grid's north
    (in a UTM zone up to 3° off true north), −1 where it is flat. NaN where a neighbour's height is.
    """
    z = heights.astype(np.float64)
    rows, cols = (slice(0, -2), slice(1, -1), slice(2, None)), (slice(0, -2), slice(1, -1), slice(2, None))
    (nw, n, ne), (w, _, e), (sw, s, se) = ([z[row, col] for col in cols] for row in rows)
    east = ((ne + 2 * e + se) - (nw + 2 * w + sw)) / (8 * cell_m)
    north = ((nw + 2 * n + ne) - (sw + 2 * s + se)) / (8 * cell_m)
    slope = np.degrees(np.arctan(np.hypot(east, north)))
    aspect = np.degrees(np.arctan2(-east, -north)) % 360
    aspect = np.where(slope < FLAT_DEG, FLAT, aspect)
    return slope.astype(np.float32), aspect.astype(np.float32)
