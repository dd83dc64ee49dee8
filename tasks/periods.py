"""The time axis of a run: months, seasons or years, in order, with labels that sort like their dates."""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator

from containers.base.contract.model import Contract
from containers.base.contract.step import StepError

PeriodKind = Literal["month", "season", "year"]
_INITIALS = "JFMAMJJASOND"
_FIRST_YEAR, _LAST_YEAR = 2015, 2099
"""Sentinel-2A was launched in June 2015."""


class Period(Contract):
    """An interval of whole days, both ends included."""

    label: str = Field(min_length=1, description="Such as 2018, 2018-05 or 2018-DJF")
    start: date = Field(description="First day")
    end: date = Field(description="Last day")

    @model_validator(mode="after")
    def _in_order(self) -> "Period":
        if self.start > self.end:
            raise StepError(
                "bad_dates", f"Period {self.label} starts on {self.start} and ends on {self.end}.", "Swap them."
            )
        return self

    def __contains__(self, time: datetime | date) -> bool:
        day = time.date() if isinstance(time, datetime) else time
        return self.start <= day <= self.end


def make_periods(kind: PeriodKind, years: Iterable[int], months: Sequence[int] = ()) -> tuple[Period, ...]:
    """The periods of the given years, in order.

    `year`: January to December, labelled 2018. `month`: the given months, or all twelve, labelled 2018-05.
    `season`: consecutive months in order, labelled with the year **in which the season ends** and the months'
    initials: (5, 6) gives 2018-MJ, and (12, 1, 2) gives 2018-DJF from 1 December 2017 to 28 February 2018; a season
    of one month is labelled like the month.
    Labels of one call therefore sort like their dates. Raises `bad_dates`.
    """
    ordered_years = sorted(set(years))
    _check(kind, ordered_years, months)
    if kind == "year":
        return tuple(Period(label=str(year), start=date(year, 1, 1), end=date(year, 12, 31)) for year in ordered_years)
    if kind == "month":
        chosen = sorted(set(months)) or range(1, 13)
        return tuple(_months(f"{year}-{month:02}", year, [month]) for year in ordered_years for month in chosen)
    initials = "".join(_INITIALS[month - 1] for month in months) if len(months) > 1 else f"{months[0]:02}"
    return tuple(_months(f"{year}-{initials}", year, months) for year in ordered_years)


def months_of(period: Period) -> tuple[Period, ...]:
    """A period cut at the first of every month."""
    firsts = [period.start]
    while (following := _next_month(firsts[-1])) <= period.end:
        firsts.append(following)
    ends = [*(later - timedelta(days=1) for _, later in pairwise(firsts)), period.end]
    return tuple(Period(label=f"{first:%Y-%m}", start=first, end=end) for first, end in zip(firsts, ends, strict=True))


def with_margins(periods: Sequence[Period], *, days_before: int, days_after: int) -> Period:
    """From before the first period to after the last. What has not happened yet is not asked for: `bad_dates`."""
    first = periods[0].start - timedelta(days=days_before)
    last = min(periods[-1].end + timedelta(days=days_after), date.today())
    if first > last:
        raise StepError("bad_dates", f"{first} is in the future.", "Name years that have begun.")
    return Period(label="search", start=first, end=last)


def covering_ranges(periods: Iterable[Period]) -> tuple[tuple[date, date], ...]:
    """The days of all periods as few intervals, none of which crosses New Year: long searches time out."""
    merged: list[tuple[date, date]] = []
    for start, end in sorted((period.start, period.end) for period in periods):
        if merged and start.toordinal() <= merged[-1][1].toordinal() + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(
        (max(start, date(year, 1, 1)), min(end, date(year, 12, 31)))
        for start, end in merged
        for year in range(start.year, end.year + 1)
    )


def _check(kind: PeriodKind, years: Sequence[int], months: Sequence[int]) -> None:
    if not years:
        raise StepError("bad_dates", "No year is given.", "Name at least one year.")
    if strange := [year for year in years if not _FIRST_YEAR <= year <= _LAST_YEAR]:
        raise StepError(
            "bad_dates", f"Years are {_FIRST_YEAR} to {_LAST_YEAR}, not {strange}.", "Sentinel-2 flies since 2015."
        )
    if wrong := [month for month in months if not 1 <= month <= 12]:
        raise StepError("bad_dates", f"Months are 1 to 12, not {wrong}.", "Correct the months.")
    if kind == "year" and months:
        raise StepError("bad_dates", f"A year takes no months, {list(months)} are given.", "Use the period `season`.")
    if kind == "season":
        follows = all(month % 12 + 1 == next_month for month, next_month in pairwise(months))
        if not 1 <= len(months) <= 11 or not follows:
            raise StepError(
                "bad_dates",
                f"A season is one to eleven consecutive months, not {list(months)}.",
                "Give them in order, such as 5, 6 or 12, 1, 2.",
            )


def _months(label: str, end_year: int, months: Sequence[int]) -> Period:
    start_year = end_year - 1 if months[0] > months[-1] else end_year
    last_day = monthrange(end_year, months[-1])[1]
    return Period(label=label, start=date(start_year, months[0], 1), end=date(end_year, months[-1], last_day))


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
