"""From when on cells are free of snow: between the last view under snow and the first one without."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.gdal.season import first_of_january

_LAST_SNOW: Final = {"north": (7, 31), "south": (1, 31)}
"""Snow after that day is the next winter's, or a summer's shower."""
_WINTER_DAYS, _WAIT_DAYS = 365, 92
_NEVER: Final = np.iinfo(np.int32).min
Days = NDArray[np.float64]


class SnowFree(NamedTuple):
    """One year; days of the year, 1 is 1 January, NaN where they are not told; (cell,)."""

    day: Days
    """The middle of the possible days."""
    lower: Days
    """The day after the last view under snow."""
    upper: Days
    """The first view without snow."""


class SnowWatch:
    """Follows the cells of one pasture through views in the order of time."""

    def __init__(self, years: Sequence[int], cells: int, *, south: bool) -> None:
        month, day = _LAST_SNOW["south" if south else "north"]
        self._last_days = {year: first_of_january(year) + _day_of_year(date(year, month, day)) - 1 for year in years}
        self._snow = {year: np.full(cells, _NEVER, dtype=np.int32) for year in years}
        self._free = {year: np.full(cells, _NEVER, dtype=np.int32) for year in years}

    def see(self, day: int, snow: NDArray[np.bool_], free: NDArray[np.bool_]) -> None:
        """One view, on a day since 1970: which cells are under snow, which are clear and free of it."""
        for year, last_day in self._last_days.items():
            if last_day - _WINTER_DAYS < day <= last_day:
                self._snow[year][snow] = day
                self._free[year][snow] = _NEVER
            if last_day - _WINTER_DAYS < day <= last_day + _WAIT_DAYS:
                first = free & (self._snow[year] != _NEVER) & (self._free[year] == _NEVER)
                self._free[year][first] = day

    def of(self, year: int) -> SnowFree:
        """Cells that were not seen under snow, or not without it afterwards, are not told."""
        told = (self._snow[year] != _NEVER) & (self._free[year] != _NEVER)
        before_first = first_of_january(year) - 1
        lower = np.where(told, self._snow[year] + 1.0 - before_first, np.nan)
        upper = np.where(told, self._free[year] - float(before_first), np.nan)
        return SnowFree((lower + upper) / 2, lower, upper)


def _day_of_year(day: date) -> int:
    return (day - date(day.year, 1, 1) + timedelta(days=1)).days
