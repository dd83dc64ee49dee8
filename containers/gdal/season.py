"""Growing seasons on curves of a vegetation index: where they begin and end, and what they amount to.

Definitions after TIMESAT (Jönsson and Eklundh 2004, doi:10.1016/j.cageo.2004.05.006) and the product user manual of
HR-VPP (Copernicus Land Monitoring Service): docs/productivity.md.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.gdal.contract.productivity import Season
from containers.gdal.curve import Cells, Curves, Values

_EPOCH = date(1970, 1, 1)
_RANGE_MARGIN_DAYS = 90
NO_SEASON = -1


class Turns(NamedTuple):
    """Dates (numbers of layers) that bound one season per cell; −1 where there is none."""

    left: Cells
    """The lowest date before the peak."""
    peak: Cells
    right: Cells
    """The lowest date after it."""


class Bounds(NamedTuple):
    """Where a season's curve crosses one level on its way up and one on its way down."""

    first: tuple[Cells, Values]
    """Interval, and the share of it."""
    last: tuple[Cells, Values]
    first_day: Values
    last_day: Values


def first_of_january(year: int) -> int:
    """Days since 1970."""
    return (date(year, 1, 1) - _EPOCH).days


def date_of(day: float) -> date:
    """The date of a day since 1970."""
    return _EPOCH + timedelta(days=int(day))


def years_of(days: NDArray[np.number]) -> NDArray[np.intp]:
    """Calendar years of days since 1970."""
    return days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.intp) + 1970


def least_rises(days: Values, values: Values, season: Season) -> dict[int, Values]:
    """Calendar year to the rise and fall, per cell, that make a season of their own then.

    The share of the curve's range from three months before to three months after the year, at least the smallest
    amplitude: a dry year is measured by itself.
    """
    rises = {}
    for year in np.unique(years_of(days)):
        first, last = first_of_january(int(year)), first_of_january(int(year) + 1)
        near = (days >= first - _RANGE_MARGIN_DAYS) & (days < last + _RANGE_MARGIN_DAYS)
        spread = values[near].max(axis=0) - values[near].min(axis=0)
        rises[int(year)] = np.maximum(spread * season.own_share, season.min_amplitude)
    return rises


def main_seasons(days: Values, values: Values, years: Sequence[int], season: Season) -> dict[int, Turns]:
    """Year to the season with the largest amplitude whose peak lies in it.

    A season is a rise and a fall of at least `least_rises` each; smaller turns between belong to it. Curves are read
    once, from the first date to the last, for all cells together.
    """
    found = _Found(values, years_of(days), years)
    rises = least_rises(days, values, season)
    cells = values.shape[1]
    left, high, low = (np.zeros(cells, dtype=np.intp) for _ in range(3))
    left_value, high_value, low_value = (values[0].copy() for _ in range(3))
    rising = np.ones(cells, dtype=bool)
    for step, (year, value) in enumerate(zip(years_of(days), values, strict=True)):
        rise = rises[int(year)]
        _lift(rising & (value > high_value), step, value, high, high_value)
        _lift(~rising & (value < low_value), step, value, low, low_value)
        peaked = rising & (high_value - value >= rise) & (high_value - left_value >= rise)
        sunk = rising & ~peaked & (value < left_value)
        risen = ~rising & (value - low_value >= rise)
        found.keep(np.flatnonzero(risen), left, high, low)
        _lift(peaked, step, value, low, low_value)
        _lift(sunk | risen, step, value, high, high_value)
        _lift(sunk, step, value, left, left_value)
        np.copyto(left, low, where=risen)
        np.copyto(left_value, low_value, where=risen)
        rising = (rising & ~peaked) | risen
    found.keep(np.flatnonzero(~rising), left, high, low)
    return found.turns


def _lift(where: NDArray[np.bool_], step: int, value: Values, steps: Cells, values: Values) -> None:
    np.copyto(steps, step, where=where)
    np.copyto(values, value, where=where)


class _Found:
    """The main season of every year so far."""

    def __init__(self, values: Values, years_of_steps: NDArray[np.intp], years: Sequence[int]) -> None:
        cells = values.shape[1]
        self._values, self._years = values, years_of_steps
        self._amplitudes = {year: np.zeros(cells, dtype=np.float32) for year in years}
        self.turns = {year: Turns(*(np.full(cells, NO_SEASON, dtype=np.intp) for _ in range(3))) for year in years}

    def keep(self, cells: Cells, left: Cells, peak: Cells, right: Cells) -> None:
        """Take the finished seasons of these cells, where they are larger than what their year has."""
        ends = (self._values[turn[cells], cells] for turn in (left, peak, right))
        amplitudes = _amplitude(*ends)
        years = self._years[peak[cells]]
        for year, turns in self.turns.items():
            better = (years == year) & (amplitudes > self._amplitudes[year][cells])
            chosen = cells[better]
            self._amplitudes[year][chosen] = amplitudes[better]
            for kept, turn in zip(turns, (left, peak, right), strict=True):
                kept[chosen] = turn[chosen]


def _amplitude(left: Values, peak: Values, right: Values) -> Values:
    return peak - (left + right) / 2


def bounds_at(curves: Curves, turns: Turns, first_share: float, last_share: float) -> Bounds:
    """Where the curve exceeds a share of its rise and of its fall, seen from the peak: weeds in winter are no start.

    Rise and fall are measured from the minimum on their own side.
    """
    left, peak, right = (curves.at(turn) for turn in turns)
    up, down = left + first_share * (peak - left), right + last_share * (peak - right)
    first, last = turns.left.copy(), turns.right.copy()
    for step in range(int(turns.left.min()), int(turns.right.max()) + 1):
        value = curves.values[step]
        np.copyto(first, step, where=(step > turns.left) & (step < turns.peak) & (value < up))
        np.copyto(last, step, where=(step > turns.peak) & (step < last) & (value < down))
    starts, ends = (first, curves.crossing(first, up)), (last - 1, curves.crossing(last - 1, down))
    return Bounds(starts, ends, curves.day(*starts), curves.day(*ends))


def peak_days(curves: Curves, peak: Cells) -> Values:
    """The vertex of the parabola through the highest date and its neighbours: dates may be ten days apart."""
    before, after = np.maximum(peak - 1, 0), np.minimum(peak + 1, len(curves.days) - 1)
    fall_before, fall_after = curves.at(peak) - curves.at(before), curves.at(peak) - curves.at(after)
    to_before, to_after = curves.days[peak] - curves.days[before], curves.days[after] - curves.days[peak]
    bend = fall_before * to_after + fall_after * to_before
    lean = fall_before * to_after**2 - fall_after * to_before**2
    # A plateau of three dates has no bend: its middle is the peak.
    vertices: Values = curves.days[peak] + np.divide(lean, 2 * bend, out=np.zeros_like(bend), where=bend > 0)
    return vertices
