"""The time axis of a run: months, seasons or years, in order, with labels that sort like their dates."""

import re
from calendar import monthrange
from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal

from pydantic import Field, model_validator

from containers.base.contract.model import Contract
from containers.base.contract.step import StepError

PeriodKind = Literal["month", "season", "year"]
_INITIALS = "JFMAMJJASOND"
_Month = tuple[int, int]


class Period(Contract):
    """An interval of whole days, both ends included."""

    label: str = Field(min_length=1, description="Such as 2018, 2018-05 or 2018-DJF")
    start: date = Field(description="First day")
    end: date = Field(description="Last day")

    @model_validator(mode="after")
    def _in_order(self) -> "Period":
        if self.start > self.end:
            raise StepError(
                "bad_dates", f"{self.label} starts on {self.start} and ends on {self.end}.", "Swap the dates."
            )
        return self

    def __contains__(self, time: datetime | date) -> bool:
        day = time.date() if isinstance(time, datetime) else time
        return self.start <= day <= self.end


def make_periods(
    kind: PeriodKind, years: Iterable[int], season_start: str = "01-01", season_end: str = "12-31"
) -> tuple[Period, ...]:
    """The periods of the given years, in order.

    `year`: January to December, whatever the season, labelled 2018. `season`: from `season_start` to `season_end`
    (MM-DD; an end before the start lies in the next year; 02-29 is the last day of February), labelled with the
    year **in which it starts** and the initials of its months: 2018-MJ, and 2018-DJF for 1 December 2018 to
    28 February 2019. `month`: the whole months that the season touches, labelled 2018-05. Labels of one call sort
    like their dates. Raises `bad_dates`.
    """
    ordered_years = sorted(set(years))
    if not ordered_years:
        raise StepError("bad_dates", "No year is given.", "Name at least one year.")
    if kind == "year":
        return tuple(Period(label=str(year), start=date(year, 1, 1), end=date(year, 12, 31)) for year in ordered_years)
    seasons = [_season(year, _month_day(season_start), _month_day(season_end)) for year in ordered_years]
    if kind == "season":
        return tuple(seasons)
    return tuple(_whole_month(*month) for month in sorted({month for season in seasons for month in _months(season)}))


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


def _month_day(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{2})-(\d{2})", text)
    month, day = (int(match[1]), int(match[2])) if match else (0, 0)
    # 2000 is a leap year: 02-29 is a day.
    if not 1 <= month <= 12 or not 1 <= day <= monthrange(2000, month)[1]:
        raise StepError("bad_dates", f"{text!r} is no day of the year.", "Write month and day, such as 05-01.")
    return month, day


def _season(year: int, first: tuple[int, int], last: tuple[int, int]) -> Period:
    end_year = year + 1 if last < first else year
    start = date(year, first[0], min(first[1], monthrange(year, first[0])[1]))
    end = date(end_year, last[0], min(last[1], monthrange(end_year, last[0])[1]))
    season = Period(label=str(year), start=start, end=end)
    months = _months(season)
    if len(months) == 1:
        return season.model_copy(update={"label": _whole_month(*months[0]).label})
    if (start, end) == (date(year, 1, 1), date(year, 12, 31)):
        return season
    return season.model_copy(update={"label": f"{year}-{''.join(_INITIALS[month - 1] for _, month in months)}"})


def _months(period: Period) -> list[_Month]:
    """The months that a period touches, as (year, month)."""
    first, last = (day.year * 12 + day.month - 1 for day in (period.start, period.end))
    return [(number // 12, number % 12 + 1) for number in range(first, last + 1)]


def _whole_month(year: int, month: int) -> Period:
    last_day = monthrange(year, month)[1]
    return Period(label=f"{year}-{month:02}", start=date(year, month, 1), end=date(year, month, last_day))
