"""Months, seasons and years."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.base.contract.step import StepError
from tasks.periods import Period, covering_ranges, make_periods, months_of


def spans(periods):
    return [(period.label, str(period.start), str(period.end)) for period in periods]


def test_years_in_order_and_once():
    assert spans(make_periods("year", [2020, 2018, 2018])) == [
        ("2018", "2018-01-01", "2018-12-31"),
        ("2020", "2020-01-01", "2020-12-31"),
    ]


def test_months_with_leap_day():
    assert spans(make_periods("month", [2020], [6, 2])) == [
        ("2020-02", "2020-02-01", "2020-02-29"),
        ("2020-06", "2020-06-01", "2020-06-30"),
    ]
    assert len(make_periods("month", [2020, 2021])) == 24


@pytest.mark.parametrize(
    ("months", "expected"),
    [
        ((5, 6), ("2018-MJ", "2018-05-01", "2018-06-30")),
        ((12, 1, 2), ("2018-DJF", "2017-12-01", "2018-02-28")),
        ((11, 12, 1), ("2018-NDJ", "2017-11-01", "2018-01-31")),
        ((5,), ("2018-05", "2018-05-01", "2018-05-31")),
    ],
)
def test_a_season_carries_the_year_in_which_it_ends(months, expected):
    assert spans(make_periods("season", [2018], months)) == [expected]


@pytest.mark.parametrize(
    ("kind", "years", "months"),
    [
        ("year", [], ()),
        ("year", [2018], (5,)),
        ("month", [2018], (13,)),
        ("season", [2018], ()),
        ("season", [2018], (5, 7)),
        ("season", [2018], (6, 5)),
        ("season", [2018], tuple(range(1, 13))),
    ],
)
def test_bad_dates(kind, years, months):
    with pytest.raises(StepError) as caught:
        make_periods(kind, years, months)
    assert caught.value.code == "bad_dates"


def test_both_ends_belong_to_a_period_in_utc():
    period = Period(label="x", start="2020-05-01", end="2020-05-31")
    assert datetime(2020, 5, 31, 23, 59, 59, tzinfo=UTC) in period
    assert datetime(2020, 6, 1, tzinfo=UTC) not in period
    assert date(2020, 5, 1) in period
    assert date(2020, 4, 30) not in period


seasons = st.builds(
    lambda first, length: tuple((first + i - 1) % 12 + 1 for i in range(length)), st.integers(1, 12), st.integers(1, 11)
)
years = st.lists(st.integers(2015, 2040), min_size=1, max_size=6)


@given(years=years, months=seasons)
def test_labels_sort_like_dates_and_periods_do_not_overlap(years, months):
    periods = make_periods("season", years, months)
    assert [period.label for period in periods] == sorted({period.label for period in periods})
    assert all(before.end < after.start for before, after in pairwise(periods))
    assert len(periods) == len(set(years))


@given(years=years, months=seasons)
def test_ranges_cover_exactly_the_periods_and_never_cross_new_year(years, months):
    periods = make_periods("season", years, months)
    ranges = covering_ranges(periods)
    assert all(start.year == end.year for start, end in ranges)
    days = [start + timedelta(i) for start, end in ranges for i in range((end - start).days + 1)]
    wanted = {period.start + timedelta(i) for period in periods for i in range((period.end - period.start).days + 1)}
    assert len(days) == len(set(days))
    assert set(days) == wanted


def test_adjoining_months_are_one_range():
    assert covering_ranges(make_periods("month", [2020, 2021], [11, 12, 1])) == (
        (date(2020, 1, 1), date(2020, 1, 31)),
        (date(2020, 11, 1), date(2020, 12, 31)),
        (date(2021, 1, 1), date(2021, 1, 31)),
        (date(2021, 11, 1), date(2021, 12, 31)),
    )


def test_months_cover_a_period_without_overlap():
    period = Period(label="p", start=date(2019, 11, 17), end=date(2020, 3, 1))
    months = months_of(period)
    assert [month.label for month in months] == ["2019-11", "2019-12", "2020-01", "2020-02", "2020-03"]
    days = [month.start + timedelta(days=i) for month in months for i in range((month.end - month.start).days + 1)]
    assert days == [period.start + timedelta(days=i) for i in range(len(days))]
    assert days[-1] == period.end
