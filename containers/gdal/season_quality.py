"""Quality classes of a season from the number and the position of its clear observations, in the manner of HR-VPP."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.gdal.curve import Values
from containers.gdal.season import Bounds

ENOUGH: Final = 3
"""Clear observations that a phase needs."""
FLANK_DAYS: Final = 30
"""Observations so long before the start and after the end still say when these were."""
PEAK_SHARE: Final = 0.75
"""Share of the rise, and of the fall, above which the curve is at its peak."""
NO_CURVE_SEASON: Final = 1
CLASSES: Final = np.array([2, 6, 5, 7, 4, 8, 9, 10], dtype=np.float32)
"""HR-VPP's QFLAG by the phases that have enough: green-up counts 1, peak 2, senescence 4."""


def quality_classes(days: NDArray[np.integer], clear: NDArray[np.bool_], season: Bounds, peak: Bounds) -> Values:
    """Class 2 to 10 per cell, from observations (time, cell) on days in the unit of the bounds.

    Green-up lasts from a month before the start to the peak phase, senescence from there to a month after the end.
    """
    edges = (season.first_day - FLANK_DAYS, peak.first_day, peak.last_day, season.last_day + FLANK_DAYS)
    counts = np.zeros((3, clear.shape[1]), dtype=np.int16)
    with np.errstate(invalid="ignore"):
        first, last = np.nanmin(edges[0], initial=np.inf), np.nanmax(edges[3], initial=-np.inf)
        for day, seen in zip(days, clear, strict=True):
            if first <= day <= last:
                for phase in range(3):
                    counts[phase] += seen & (day >= edges[phase]) & (day < edges[phase + 1])
    enough = counts >= ENOUGH
    classes: Values = CLASSES[enough[0] + 2 * enough[1] + 4 * enough[2]]
    return classes
