"""The days of a pasture's year, each with its interval, what it rests on and what speaks against it."""

from collections.abc import Sequence
from statistics import median
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.gdal.contract.productivity import METRICS, Season
from containers.gdal.pasture_curve import PastureCurve
from containers.gdal.productivity import Observed, season_metrics
from containers.gdal.season import date_of, first_of_january, years_of
from containers.gdal.smoothers import Array, Days
from containers.gdal.snow_free import SnowFree

LONG_GAP_DAYS: Final = 20
"""Two views further apart are told to the reader."""
_MARGIN_DAYS: Final = 30
"""A curve that begins or ends nearer than this to a greening or a drying may not have seen its lowest value."""
_METRIC: Final = {"greening": "start_day", "peak": "peak_day", "drying": "end_day"}
_LEVEL: Final = (0.025, 0.975)
_MOST_DRAWS: Final = 0.9
_MOST_CELLS: Final = 0.5
_LEAST_OTHERS: Final = 2


class Event(NamedTuple):
    """One row of the table; NaN where it is not told."""

    year: int
    event: str
    day: float = np.nan
    lower: float = np.nan
    upper: float = np.nan
    basis: str = ""
    doubt: str = ""
    usual: float = np.nan
    """Median of the other years."""


def snow_event(year: int, found: SnowFree) -> Event:
    """The median of the cells that are told; its interval are the medians of their limits, which hold it."""
    told = np.isfinite(found.day)
    if not told.any():
        return Event(year, "snow_free", doubt="no cell was seen under snow and free of it afterwards")
    day, lower, upper = (float(np.median(layer[told])) for layer in found)
    before_first = first_of_january(year) - 1
    basis = f"{told.mean():.0%} of the pasture: last under snow before {_words(before_first + lower)}, "
    doubts = _gap(before_first + lower - 1, before_first + upper)
    if told.mean() < _MOST_CELLS:
        doubts.append(f"only {told.mean():.0%} of the pasture was seen under snow and free of it afterwards")
    basis += f"first without snow on {_words(before_first + upper)} (medians)"
    return Event(year, "snow_free", day, lower, upper, basis, "; ".join(doubts))


def season_events(
    curve: PastureCurve, seen: Days, years: Sequence[int], season: Season, forage_ndvi: float
) -> list[Event]:
    """Greening, peak, drying and days of forage of every year, from the curve and from those that could be as well.

    An interval holds 95 % of the latter and is never narrower than the time between the two views around the day;
    `seen` are the days of the views, ascending.
    """
    lines = np.column_stack([curve.values, curve.draws]).astype(np.float32)
    everywhere = Observed(seen, np.ones((len(seen), lines.shape[1]), dtype=bool))
    metrics = season_metrics(curve.days, lines, everywhere, years, season)
    events = []
    for year in years:
        days = {event: metrics[year][METRICS.index(name)].astype(np.float64) for event, name in _METRIC.items()}
        views = int((years_of(seen) == year).sum())
        events += [_dated(year, event, found, seen, views) for event, found in days.items()]
        events.append(_forage(year, curve.days, lines, days, forage_ndvi))
    return events


def compared(events: Sequence[Event]) -> list[Event]:
    """Every event beside the median of the same event in other years, where there are two of them."""
    told = [event for event in events if np.isfinite(event.day)]
    against = []
    for event in events:
        others = [other.day for other in told if other.event == event.event and other.year != event.year]
        against.append(event._replace(usual=median(others)) if len(others) >= _LEAST_OTHERS else event)
    return against


def _dated(year: int, event: str, found: Array, seen: Days, views: int) -> Event:
    basis = f"{views} views in {year}"
    if not np.isfinite(found[0]):
        nothing = f"no clear view in {year}" if views == 0 else "the curve is flat, or its rise or fall was not seen"
        return Event(year, event, basis=basis, doubt=f"no season was found: {nothing}")
    before_first = first_of_january(year) - 1
    at = found[0] + before_first
    before = float(seen[max(0, np.searchsorted(seen, at, side="right") - 1)])
    after = float(seen[min(len(seen) - 1, np.searchsorted(seen, at))])
    lower, upper = np.nanquantile(found, _LEVEL)
    doubts = _gap(before, after)
    if event == "greening" and at - seen[0] < _MARGIN_DAYS:
        doubts.append(f"the views begin only on {_words(seen[0])}")
    if event == "drying" and seen[-1] - at < _MARGIN_DAYS:
        doubts.append(f"the views end on {_words(seen[-1])}")
    if (share := np.isfinite(found[1:]).mean()) < _MOST_DRAWS:
        doubts.append(f"only {share:.0%} of the curves that are possible have a season")
    lower, upper = min(lower, before - before_first), max(upper, after - before_first)
    return Event(year, event, float(found[0]), float(lower), float(upper), basis, "; ".join(doubts))


def _forage(year: int, days: Days, lines: NDArray[np.float32], found: dict[str, Array], forage_ndvi: float) -> Event:
    """Days from greening to drying, both included, on which the curve has that NDVI."""
    basis = f"days with an NDVI of {forage_ndvi:g} or more from greening to drying"
    if not np.isfinite(found["greening"][0]):
        return Event(year, "forage_days", basis=basis, doubt="no season was found")
    day_of_year = (days - first_of_january(year) + 1)[:, np.newaxis]
    green = (day_of_year >= np.floor(found["greening"])) & (day_of_year <= found["drying"]) & (lines >= forage_ndvi)
    counts = green.sum(axis=0)
    lower, upper = np.quantile(counts[np.isfinite(found["greening"])], _LEVEL)
    doubt = "" if counts[0] else f"the NDVI never reached {forage_ndvi:g}"
    return Event(year, "forage_days", float(counts[0]), float(lower), float(upper), basis, doubt)


def _gap(before: float, after: float) -> list[str]:
    long = after - before > LONG_GAP_DAYS
    return [f"no clear view between {_words(before)} and {_words(after)}"] if long else []


def _words(day: float) -> str:
    """Such as 3 May.

    >>> _words(first_of_january(2021) + 122)
    '3 May'
    """
    found = date_of(day)
    return f"{found.day} {found:%B}"
