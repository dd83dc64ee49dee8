"""A pasture's year against its other years, in words for its sheet."""

import math
import statistics
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from tasks.pastures.findings import Calendar, Event, Trend

EVENTS: Final = {
    "snow_free": "Free of snow",
    "greening": "Turns green",
    "peak": "Greenest",
    "drying": "Dries",
    "forage_days": "Days of green forage",
}
_LENGTH: Final = "forage_days"
_LEAST_YEARS: Final = 2
"""Other years of which there is a usual day."""
_EARLIER, _LATER = ("earlier", "later"), ("fewer", "more")


class EventRow(NamedTuple):
    """One line of the table, ready to print."""

    name: str
    when: str
    interval: str
    against_usual: str
    usual: str
    trend: str


class Told(NamedTuple):
    """A number of days with the ends of its 95 % interval."""

    days: float
    lower: float
    upper: float


def event_rows(calendar: Calendar, year: int) -> tuple[EventRow, ...]:
    """The year's events, in their order."""
    return tuple(_row(event, calendar, year) for event in EVENTS)


def usual(others: Sequence[Told]) -> Told:
    """The median of other years, between the medians of their limits: no narrower than a year of its own."""
    return Told(*(statistics.median(ends) for ends in zip(*others, strict=True)))


def difference(own: Told, expected: Told) -> Told:
    """Days later than expected, with the interval joined from both.

    By the method of variance estimates recovery (Zou and Donner 2008, doi:10.1002/sim.3095): each end is as far from
    the difference as the ends that it stands on are from their own figures, taken together as for independent errors.
    """
    days = own.days - expected.days
    below = math.hypot(own.days - own.lower, expected.upper - expected.days)
    above = math.hypot(own.upper - own.days, expected.days - expected.lower)
    return Told(days, days - below, days + above)


def day_name(day: float, year: int) -> str:
    """
    >>> day_name(132.4, 2023), day_name(60, 2024)
    ('12 May', '29 February')
    """
    when = date(year, 1, 1) + timedelta(days=round(day) - 1)
    return f"{when.day} {when:%B}"


def _row(event: str, calendar: Calendar, year: int) -> EventRow:
    told = {each.year: known for each in calendar.events if each.event == event and (known := _told(each))}
    own, others = told.pop(year, None), list(told.values())
    expected = usual(others) if len(others) >= _LEAST_YEARS else None
    common = _shown(expected.days, event, year) if expected else ""
    trend = next((_trend(each) for each in calendar.trends if each.event == event), "too few years")
    if own is None:
        return EventRow(EVENTS[event], "not told", "", "", common, trend)
    against = _against_usual(difference(own, expected), event) if expected else "too few years"
    return EventRow(EVENTS[event], _shown(own.days, event, year), _span(own, event, year), against, common, trend)


def _told(event: Event) -> Told | None:
    if event.day is None:
        return None
    lower, upper = (event.day if end is None else end for end in (event.lower, event.upper))
    return Told(event.day, lower, upper)


def _shown(days: float, event: str, year: int) -> str:
    return f"{days:.0f}" if event == _LENGTH else day_name(days, year)


def _span(told: Told, event: str, year: int) -> str:
    if told.lower == told.upper:
        return ""
    first, last = (_shown(end, event, year) for end in (told.lower, told.upper))
    if first.partition(" ")[2] == last.partition(" ")[2]:
        first = first.partition(" ")[0]
    return f"{first} – {last}" if " " in first else f"{first}–{last}"


def _against_usual(found: Told, event: str) -> str:
    """Only what is clear of zero is told as a difference."""
    less, more = _LATER if event == _LENGTH else _EARLIER
    if found.lower <= 0 <= found.upper:
        return f"as usual ({found.lower:+.0f} to {found.upper:+.0f})".replace("-", "−")
    ends = sorted((abs(found.lower), abs(found.upper)))
    return f"{_days(abs(found.days))} {more if found.days > 0 else less} ({ends[0]:.0f}–{ends[1]:.0f})"


def _trend(trend: Trend) -> str:
    if trend.slope is None or trend.lower is None or trend.upper is None:
        return "too few years"
    if trend.lower <= 0 <= trend.upper:
        return f"none told ({trend.years} years)"
    less, more = _LATER if trend.event == _LENGTH else _EARLIER
    ends = sorted((abs(trend.lower) * 10, abs(trend.upper) * 10))
    word = more if trend.slope > 0 else less
    return f"{_days(abs(trend.slope) * 10)} {word} in ten years ({ends[0]:.0f}–{ends[1]:.0f})"


def _days(number: float) -> str:
    return f"{number:.0f} {'day' if round(number) == 1 else 'days'}"
