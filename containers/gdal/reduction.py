"""From a stack of clear observations to one value per cell."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import REFLECTANCE_NODATA

Stack = NDArray[np.int16]
"""(time, band, y, x), reflectance × 10 000."""
Clear = NDArray[np.bool_]
"""(time, y, x)."""
Days = NDArray[np.int32]
"""(time,), days since 1970-01-01."""


class Reduced(NamedTuple):
    """One clear image."""

    bands: NDArray[np.int16]
    """(band, y, x), nodata −32768."""
    observations: NDArray[np.uint8]
    """(y, x), clear observations on distinct dates, at most 255."""
    source_date: NDArray[np.int32]
    """(y, x), days since 1970-01-01 of the observation used, nodata 0."""


def first_per_date(clear: Clear, days: Days) -> Clear:
    """Clear observations with at most one per date and cell, the first: dates are counted, not files."""
    kept = clear.copy()
    for later, day in enumerate(days):
        for earlier in np.flatnonzero(days[:later] == day):
            kept[later] &= ~clear[earlier]
    return kept


def best(stack: Stack, clear: Clear, days: Days) -> Reduced:
    """The first clear observation of each cell, in the given order."""
    first = clear.argmax(axis=0)
    return _where_seen(_picked(stack, first), clear, days[first])


def median(stack: Stack, clear: Clear, days: Days) -> Reduced:
    """The median of all clear observations per band, dated by the observation that is nearest to it.

    An even number gives the rounded mean of the two in the middle; "nearest" sums the difference over the bands.
    """
    count = clear.sum(axis=0)
    last = np.iinfo(np.int16).max
    ordered = np.sort(np.where(clear[:, np.newaxis], stack, np.int16(last)), axis=0)
    lower, upper = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, len(stack) - 1)
    sums = _picked(ordered, lower).astype(np.int32) + _picked(ordered, upper)
    bands = np.rint(sums / 2).astype(np.int16)
    distance = np.abs(stack - bands.astype(np.int32)).sum(axis=1)
    nearest = np.where(clear, distance, np.iinfo(distance.dtype).max).argmin(axis=0)
    return _where_seen(bands, clear, days[nearest])


def _picked(stack: Stack, time: NDArray[np.intp]) -> NDArray[np.int16]:
    picked: NDArray[np.int16] = np.take_along_axis(stack, time[np.newaxis, np.newaxis], axis=0)[0]
    return picked


def _where_seen(bands: NDArray[np.int16], clear: Clear, days: NDArray[np.int32]) -> Reduced:
    count = clear.sum(axis=0)
    return Reduced(
        np.where(count, bands, np.int16(REFLECTANCE_NODATA)),
        np.minimum(count, 255).astype(np.uint8),
        np.where(count, days, np.int32(0)),
    )
