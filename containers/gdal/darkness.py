"""Cells that are darker than their ground should be: where shadows may lie."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from containers.base.contract.legend import REFLECTANCE_NODATA
from containers.gdal.features import Bands

BANDS: Final = ("nir", "swir16")
"""Little light reaches a shadow from the side in these."""


class Darkness(NamedTuple):
    """Part of the expected reflectance that dark, and very dark, cells show at most.

    Chosen on the development seeds 1 to 3 of the simulated archive; other seeds and real scenes had no say.
    """

    dark: float
    very_dark: float


AGAINST_OTHER_DATES: Final = Darkness(0.75, 0.60)
AGAINST_SURROUNDINGS: Final = Darkness(0.75, 0.45)
"""Stricter where no cloud says that it is shadow, because surroundings differ by land cover, too."""
_BRIGHT_PERCENTILE: Final = 75
"""Not the median, because a good part of the surroundings may lie in shadow."""
_AROUND_M: Final = 3_000.0


def darker_than(now: Bands, ground: Bands, part: float) -> NDArray[np.bool_]:
    """Cells (y, x) that show less than `part` of the ground's reflectance in every band; not where either is unknown.

    Both × 10 000, nodata −32768.
    """
    found = np.ones(next(iter(now.values())).shape, dtype=bool)
    for band, values in now.items():
        known = (values != REFLECTANCE_NODATA) & (ground[band] > 0)
        found &= known & (values < part * ground[band].astype(np.float32))
    return found


def surroundings(values: NDArray[np.int16], clear: NDArray[np.bool_], resolution_m: float) -> NDArray[np.int16]:
    """How bright clear cells are around each cell: their 75 % percentile in squares of 3 km, interpolated; (y, x).

    Nodata where no square nearby has clear cells.
    """
    size = max(1, round(_AROUND_M / resolution_m))
    rows, cols = (-(-length // size) for length in values.shape)
    bright = np.full((rows, cols), np.nan)
    for row, col in np.ndindex(rows, cols):
        part = slice(row * size, (row + 1) * size), slice(col * size, (col + 1) * size)
        if clear[part].any():
            bright[row, col] = np.percentile(values[part][clear[part]], _BRIGHT_PERCENTILE)
    if np.isnan(bright).all():
        return np.full(values.shape, REFLECTANCE_NODATA, dtype=np.int16)
    nearest = ndimage.distance_transform_edt(np.isnan(bright), return_distances=False, return_indices=True)
    bright = bright[tuple(nearest)]
    places = np.meshgrid(*((np.arange(length) + 0.5) / size - 0.5 for length in values.shape), indexing="ij")
    around = ndimage.map_coordinates(bright, places, order=1, mode="nearest")
    return np.rint(around).astype(np.int16)
