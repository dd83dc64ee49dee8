"""Trends against scipy and by hand."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, norm, theilslopes

from containers.gdal.theil_sen import trend

YEARS = np.array([2015, 2016, 2017, 2019, 2020, 2021, 2022, 2024])


def random_values(seed: int, n_cells: int = 200, *, rounded: bool = False) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.normal(100, 10, (len(YEARS), n_cells))
    values = np.round(values / 5) if rounded else values
    values[rng.random(values.shape) < 0.2] = np.nan
    return values


@pytest.mark.parametrize("rounded", [False, True], ids=["no ties", "ties"])
def test_slope_and_interval_are_those_of_scipy(rounded: bool) -> None:
    values = random_values(1, rounded=rounded)
    found = trend(YEARS, values)
    for cell, column in enumerate(values.T):
        known = np.isfinite(column)
        if known.sum() < 4:
            assert np.isnan(found.slope[cell])
            continue
        expected = theilslopes(column[known], YEARS[known], alpha=0.95)
        assert (found.slope[cell], found.lower[cell], found.upper[cell]) == pytest.approx(
            (expected.slope, expected.low_slope, expected.high_slope)
        )


@pytest.mark.parametrize("rounded", [False, True], ids=["no ties", "ties"])
def test_p_value_is_mann_kendalls(rounded: bool) -> None:
    """S from scipy's tau-b and its denominator; variance as in Kendall (1975), here by groups of ties."""
    values = random_values(2, rounded=rounded)
    found = trend(YEARS, values)
    for cell, column in enumerate(values.T):
        known = column[np.isfinite(column)]
        n, (_, ties) = len(known), np.unique(known, return_counts=True)
        variance = (n * (n - 1) * (2 * n + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18
        if n < 4 or variance == 0:
            continue
        pairs = n * (n - 1) / 2
        tau = kendalltau(np.arange(n), known).statistic
        statistic = round(tau * np.sqrt(pairs * (pairs - (ties * (ties - 1) / 2).sum())))
        z = np.sign(statistic) * max(abs(statistic) - 1, 0) / np.sqrt(variance)
        assert found.p_value[cell] == pytest.approx(2 * norm.sf(abs(z)))


def test_a_straight_line_by_hand() -> None:
    """Ten rising years: S = 45, variance 125, z = 44 / 11.18."""
    found = trend(np.arange(2011, 2021), np.arange(10.0)[:, np.newaxis] * 0.5)
    assert [float(layer[0]) for layer in found[:3]] == pytest.approx([0.5, 0.5, 0.5])
    assert found.p_value[0] == pytest.approx(2 * norm.sf(44 / 125**0.5))


@settings(deadline=None)
@given(st.floats(-5, 5), st.floats(0.1, 10))
def test_adding_a_trend_adds_its_slope(slope: float, scale: float) -> None:
    values = random_values(3, 20)
    before, after = trend(YEARS, values), trend(YEARS, values * scale + slope * (YEARS - 2015)[:, np.newaxis])
    if slope == 0:
        assert after.p_value == pytest.approx(before.p_value, nan_ok=True)
    assert after.slope.shape == (20,)
    line = trend(YEARS, values * scale)
    assert after.slope == pytest.approx(line.slope + slope, rel=1e-6, abs=1e-6, nan_ok=True)


def test_one_gross_error_leaves_the_slope() -> None:
    values = (YEARS - 2015.0)[:, np.newaxis].repeat(2, axis=1)
    values[3, 1] = 500
    slopes = trend(YEARS, values).slope
    assert slopes[0] == pytest.approx(1)
    assert slopes[1] == pytest.approx(1, abs=0.3)


def test_three_years_have_no_trend() -> None:
    values = random_values(4)
    values[3:] = np.nan
    assert all(np.isnan(layer).all() for layer in trend(YEARS, values))


def test_p_value_falls_with_the_number_of_rising_years() -> None:
    p_values = [float(trend(np.arange(n), np.arange(n, dtype=float)[:, np.newaxis]).p_value[0]) for n in range(4, 12)]
    assert all(first > second for first, second in pairwise(p_values))
