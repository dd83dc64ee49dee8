"""Curves through values on dates, for many cells at once: missing values bridged, crossings, integrals.

Between two dates a curve is a cubic Hermite polynomial: straight (`linear`), or monotone where the values are
(`pchip`, Fritsch and Butland 1984). Either way its extremes lie on the dates.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.gdal.contract.productivity import Between

Values = NDArray[np.floating]
Cells = NDArray[np.intp]

_HALVINGS = 16
"""Of an interval of 60 days: one thousandth of a day."""


def bridged(days: Values, values: Values) -> Values:
    """Missing values (NaN) of (time, cell) set on the straight line between their neighbours in time.

    Before the first and after the last value the curve is held, which makes neither an extreme nor a crossing.
    Cells without any value stay NaN.

    >>> bridged(np.array([0, 10, 40], np.float32), np.array([[0.2], [np.nan], [0.6]], np.float32)).ravel().round(3)
    array([0.2, 0.3, 0.6], dtype=float32)
    """
    known = np.isfinite(values)
    holed = np.flatnonzero(~known.all(axis=0) & known.any(axis=0))
    if not holed.size:
        return values
    part, seen = values[:, holed], known[:, holed]
    steps = np.arange(len(days))[:, np.newaxis]
    before = np.maximum.accumulate(np.where(seen, steps, -1), axis=0)
    after = np.minimum.accumulate(np.where(seen, steps, len(days))[::-1], axis=0)[::-1]
    left, right = np.where(before < 0, after, before), np.where(after == len(days), before, after)
    span = np.maximum(days[right] - days[left], 1)
    share = np.where(right > left, (days[:, np.newaxis] - days[left]) / span, 0)
    low, high = np.take_along_axis(part, left, axis=0), np.take_along_axis(part, right, axis=0)
    whole = values.copy()
    whole[:, holed] = low + (high - low) * share
    return whole


class Curves(NamedTuple):
    """Curves of one block of cells."""

    days: Values
    """(time,), ascending."""
    values: Values
    """(time, cell)."""
    first_slopes: Values
    """(time − 1, cell): derivative at the start of each interval, per day."""
    last_slopes: Values
    """(time − 1, cell): derivative at its end."""

    @classmethod
    def through(cls, days: Values, values: Values, between: Between) -> "Curves":
        lengths = np.diff(days)[:, np.newaxis]
        secants = np.diff(values, axis=0) / lengths
        if between == "linear" or len(days) < 3:
            return cls(days, values, secants, secants)
        slopes = _monotone_slopes(lengths, secants)
        return cls(days, values, slopes[:-1], slopes[1:])

    def part(self, first: int, last: int, cells: Cells) -> "Curves":
        """Some cells from one date to another, both included."""
        dates, intervals = slice(first, last + 1), slice(first, last)
        layers = [self.values[dates], self.first_slopes[intervals], self.last_slopes[intervals]]
        if len(cells) < self.values.shape[1]:
            layers = [layer[:, cells] for layer in layers]
        return Curves(self.days[dates], *layers)

    def at(self, knots: Cells) -> Values:
        """The value on one date per cell."""
        values: Values = self.values[knots, np.arange(self.values.shape[1])]
        return values

    def crossing(self, intervals: Cells, levels: Values) -> Values:
        """The share of an interval, one per cell, after which the curve has the level: it must lie between its ends."""
        piece = self._piece(intervals)
        low, high = np.zeros_like(levels), np.ones_like(levels)
        rising = piece.last > piece.first
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            beyond = (piece.value(middle) >= levels) == rising
            np.copyto(high, middle, where=beyond)
            np.copyto(low, middle, where=~beyond)
        return (low + high) / 2

    def value(self, intervals: Cells, shares: Values) -> Values:
        return self._piece(intervals).value(shares)

    def day(self, intervals: Cells, shares: Values) -> Values:
        days: Values = self.days[intervals] + shares * (self.days[intervals + 1] - self.days[intervals])
        return days

    def integral(self, first: tuple[Cells, Values], last: tuple[Cells, Values]) -> Values:
        """From one place to another, each an interval and a share of it: value times days."""
        lengths = np.diff(self.days)[:, np.newaxis]
        ends = lengths / 2 * (self.values[:-1] + self.values[1:])
        whole = ends + lengths**2 / 12 * (self.first_slopes - self.last_slopes)
        until = np.concatenate([np.zeros_like(whole[:1]), np.cumsum(whole, axis=0, dtype=np.float32)])
        cells = np.arange(self.values.shape[1])
        until_last = until[last[0], cells] + self._piece(last[0]).integral(last[1])
        until_first = until[first[0], cells] + self._piece(first[0]).integral(first[1])
        difference: Values = until_last - until_first
        return difference

    def _piece(self, intervals: Cells) -> "_Piece":
        cells = np.arange(self.values.shape[1])
        return _Piece(
            self.days[intervals + 1] - self.days[intervals],
            self.values[intervals, cells],
            self.values[intervals + 1, cells],
            self.first_slopes[intervals, cells],
            self.last_slopes[intervals, cells],
        )


class _Piece(NamedTuple):
    """One interval per cell."""

    length: Values
    first: Values
    last: Values
    first_slope: Values
    last_slope: Values

    def value(self, share: Values) -> Values:
        s, t = share, 1 - share
        start = (1 + 2 * s) * self.first + s * self.length * self.first_slope
        end = (1 + 2 * t) * self.last - t * self.length * self.last_slope
        return t**2 * start + s**2 * end

    def integral(self, share: Values) -> Values:
        """From the interval's start to the share of it."""
        s = share
        from_values = (s - s**3 + s**4 / 2) * self.first + (s**3 - s**4 / 2) * self.last
        from_slopes = (s**2 / 2 - 2 * s**3 / 3 + s**4 / 4) * self.first_slope
        from_slopes += (s**4 / 4 - s**3 / 3) * self.last_slope
        return self.length * (from_values + self.length * from_slopes)


def _monotone_slopes(lengths: Values, secants: Values) -> Values:
    """Derivatives at the dates, (time, cell): weighted harmonic means of the secants, 0 at extremes."""
    slopes = np.zeros((len(secants) + 1, secants.shape[1]), dtype=np.float32)
    before, after = secants[:-1], secants[1:]
    early, late = 2 * lengths[1:] + lengths[:-1], lengths[1:] + 2 * lengths[:-1]
    monotone = before * after > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        means = (early + late) / (early / before + late / after)
    np.copyto(slopes[1:-1], means, where=monotone)
    slopes[0] = _end_slope(lengths[0], lengths[1], secants[0], secants[1])
    slopes[-1] = _end_slope(lengths[-1], lengths[-2], secants[-1], secants[-2])
    return slopes


def _end_slope(length: Values, next_length: Values, secant: Values, next_secant: Values) -> Values:
    """Of the parabola through three dates, limited so that the curve stays monotone."""
    slope = ((2 * length + next_length) * secant - length * next_secant) / (length + next_length)
    slope = np.where(slope * secant <= 0, 0, slope)
    overshoots = (secant * next_secant <= 0) & (np.abs(slope) > 3 * np.abs(secant))
    return np.where(overshoots, 3 * secant, slope)
