"""Where seasons are found."""

import numpy as np
import pytest

from containers.gdal.contract.productivity import Season
from containers.gdal.curve import Curves
from containers.gdal.season import NO_SEASON, Turns, bounds_at, first_of_january, main_seasons, peak_days, years_of

DAY_ZERO = first_of_january(2020)


def turns(values: list[float], season: Season = Season(), step: int = 20, years: tuple[int, ...] = (2020,)):  # noqa: B008
    """(left, peak, right) per year of one cell from 1 January 2020 on."""
    days = DAY_ZERO + step * np.arange(len(values), dtype=np.float32)
    found = main_seasons(days, np.array(values, dtype=np.float32)[:, np.newaxis], years, season)
    return [tuple(int(turn[0]) for turn in found[year]) for year in years]


NONE = (NO_SEASON, NO_SEASON, NO_SEASON)


def test_one_season() -> None:
    assert turns([0.2, 0.1, 0.5, 0.8, 0.6, 0.2, 0.3]) == [(1, 3, 5)]


def test_small_dips_belong_to_the_season() -> None:
    """A cut meadow: the dip of 0.2 is less than half of the year's range of 0.7."""
    assert turns([0.1, 0.7, 0.5, 0.8, 0.6, 0.2]) == [(0, 3, 5)]
    assert turns([0.1, 0.8, 0.6, 0.75, 0.6, 0.2]) == [(0, 1, 5)]


def test_of_two_seasons_the_larger_is_taken() -> None:
    double = [0.1, 0.7, 0.2, 0.9, 0.15, 0.1]
    assert turns(double) == [(2, 3, 5)]
    assert turns(double[::-1]) == [(0, 2, 3)]


def test_how_deep_a_valley_parts_two_seasons() -> None:
    """The fall from 0.7 to 0.4 is three eighths of the range."""
    shallow = [0.1, 0.7, 0.4, 0.9, 0.1]
    assert turns(shallow) == [(0, 3, 4)]
    # The second season has the larger amplitude: 0.9 less the mean of 0.4 and 0.1, against 0.7 less the same.
    assert turns(shallow, Season(own_share=0.3)) == [(2, 3, 4)]


def test_a_season_needs_a_rise_and_a_fall() -> None:
    assert turns([0.1, 0.3, 0.6, 0.8]) == [NONE]
    assert turns([0.8, 0.6, 0.3, 0.1]) == [NONE]
    assert turns([0.4, 0.45, 0.4, 0.42, 0.4]) == [NONE]


def test_the_season_belongs_to_the_year_of_its_peak() -> None:
    """South of the equator: peaks in January of both years, and the flanks of each in the year before."""
    months = np.cos(np.arange(-6, 21) / 12 * 2 * np.pi) * 0.3 + 0.5
    days = (first_of_january(2020) + 10 + np.arange(-6, 21) * 30.4).astype(np.float32)
    found = main_seasons(days, months.astype(np.float32)[:, np.newaxis], (2019, 2020, 2021, 2022), Season())
    assert [int(found[year].peak[0]) for year in (2019, 2020, 2021, 2022)] == [NO_SEASON, 6, 18, NO_SEASON]
    assert [int(turn[0]) for turn in found[2020]] == [0, 6, 12]


def test_a_dry_year_is_measured_by_itself() -> None:
    """Its rise of 0.25 is less than half of the wet year's range of 0.8."""
    months = np.arange(36)
    peaks = np.repeat([0.8, 0.25, 0.8], 12)
    curve = 0.1 + peaks * np.clip(np.sin((months % 12 - 2) / 8 * np.pi), 0, 1) * (months % 12 < 11)
    assert [found[1] for found in turns(list(curve), step=30, years=(2020, 2021, 2022))] == [6, 18, 30]


def test_peak_between_dates() -> None:
    """Of a parabola the vertex is exact, on uneven dates too; of three equal dates it is the middle one."""
    days = np.array([0, 10, 15, 40], dtype=np.float32)
    values = np.stack([1 - ((days - 11.5) / 40) ** 2, [0.5, 0.5, 0.5, 0.1]], axis=1).astype(np.float32)
    peaks = peak_days(Curves.through(days, values, "linear"), np.array([1, 1]))
    assert peaks == pytest.approx([11.5, 10.0], abs=1e-2)


def test_calendar_years() -> None:
    assert years_of(np.array([18_261, 18_262, 18_627, 18_628])).tolist() == [2019, 2020, 2020, 2021]


def test_weeds_in_winter_are_no_start() -> None:
    """A bump above the level on either side, with bare ground between it and the season."""
    days = np.arange(0, 90, 10, dtype=np.float32)
    values = np.array([0.0, 0.4, 0.1, 0.5, 1.0, 0.6, 0.0, 0.3, 0.0], dtype=np.float32)[:, np.newaxis]
    turns = Turns(*(np.array([step]) for step in (0, 4, 8)))
    bounds = bounds_at(Curves.through(days, values, "linear"), turns, 0.25, 0.15)
    assert bounds.first_day[0] == pytest.approx(20 + 10 * 0.15 / 0.4, abs=0.01)
    assert bounds.last_day[0] == pytest.approx(50 + 10 * 0.45 / 0.6, abs=0.01)
