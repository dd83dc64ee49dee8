"""Points and polygons in metres of a tile's zone become sites."""

from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

Mode = Literal["pixel", "lower_left"]
CELL_M: Final = 10.0
_BLOCK_CELLS: Final = 1 << 20


class Places(NamedTuple):
    """Sites of one feature; (site,)."""

    number: NDArray[np.int64]
    """Of the place in the feature's window: row by row from the lower left corner, from 0."""
    x_m: NDArray[np.float64]
    y_m: NDArray[np.float64]


NO_PLACES: Final = Places(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))


def places_of(geometry: Any, mode: Mode) -> Places:
    """Sites of a point or a polygon."""
    if geometry.geom_type != "Point":
        blocks = list(_in_polygon(geometry, mode))
        return Places(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))
    x, y = geometry.x, geometry.y
    if mode == "pixel":
        x, y = cell_centre(x), cell_centre(y)
    return Places(np.zeros(1, dtype=np.int64), np.array([x]), np.array([y]))


def cell_centre(metres: float) -> float:
    """Of the cell on multiples of 10 m; a cell holds its west and south edge.

    >>> cell_centre(20.0), cell_centre(29.99), cell_centre(-0.1)
    (25.0, 25.0, -5.0)
    """
    return float(np.floor(metres / CELL_M)) * CELL_M + CELL_M / 2


def _in_polygon(polygon: Any, mode: Mode) -> Iterator[Places]:
    """Places every 10 m strictly inside: centres of cells, or counted from the lower left corner of the bounds."""
    west, south, east, north = polygon.bounds
    if mode == "pixel":
        west, south = cell_centre(west), cell_centre(south)
    # `arange` and not a product: it rounds as the coordinates did that `lower_left` must reproduce.
    xs, ys = np.arange(west, east, CELL_M), np.arange(south, north, CELL_M)
    yield NO_PLACES
    shapely.prepare(polygon)
    step = max(1, _BLOCK_CELLS // max(1, len(xs)))
    for first in range(0, len(ys), step):
        y, x = (axis.ravel() for axis in np.meshgrid(ys[first : first + step], xs, indexing="ij"))
        inside = np.flatnonzero(shapely.contains_xy(polygon, x, y))
        yield Places(first * len(xs) + inside, x[inside], y[inside])
