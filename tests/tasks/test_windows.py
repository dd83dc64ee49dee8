"""Windows that are the grid again, and the days that are filled."""

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from containers.base.contract.grid import Grid, spanning
from tasks.periods import Period, make_periods
from tasks.windows import filled_span, windows_of


@given(width=st.integers(1, 700), height=st.integers(1, 700), size=st.integers(64, 400))
def test_windows_tile_the_grid(width: int, height: int, size: int) -> None:
    grid = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=width, height=height)
    windows = list(windows_of(grid, size))
    covered = np.zeros(grid.shape, dtype=int)
    for window in windows:
        row = round((grid.north_m - window.north_m) / 20)
        column = round((window.west_m - grid.west_m) / 20)
        covered[row : row + window.height, column : column + window.width] += 1
        assert max(window.shape) <= size
    assert (covered == 1).all()
    assert spanning(windows) == grid


def test_whole_years_are_filled_and_what_was_seen_of_the_margins() -> None:
    years = make_periods("year", (2019, 2020))
    search = Period(label="search", start=date(2018, 10, 1), end=date(2021, 3, 31))
    for seen, span in {
        (date(2018, 11, 5), date(2021, 2, 1)): (date(2018, 11, 5), date(2021, 2, 1)),
        (date(2019, 1, 9), date(2020, 12, 15)): (date(2019, 1, 1), date(2020, 12, 31)),
    }.items():
        assert filled_span(years, search, seen) == span


def test_a_year_that_runs_ends_where_it_was_last_seen() -> None:
    years = make_periods("year", (2019, 2020))
    running = Period(label="search", start=date(2018, 10, 1), end=date(2020, 7, 20))
    seen = [date(2018, 12, 1), date(2020, 7, 15)]
    assert filled_span(years, running, seen) == (date(2018, 12, 1), date(2020, 7, 15))
