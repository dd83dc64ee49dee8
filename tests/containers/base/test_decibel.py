"""Decibels by hand, and gaps of known shapes."""

import numpy as np
import pytest

from containers.base.decibel import DB_NODATA, GAP_PX, filled_gaps, to_decibel


def test_decibels_by_hand_and_once() -> None:
    power = np.array([1.0, 0.5, 2e-3, 0.0, -1e-9, np.nan, np.inf], np.float32)
    assert to_decibel(power).tolist() == [0, -301, -2699, *[DB_NODATA] * 4]


def test_extremes_never_become_nodata_or_wrap() -> None:
    assert to_decibel(np.array([1e-40, 1e40])).tolist() == [-32767, 32767]


def gap(height: int, width: int, value: float = np.nan) -> np.ndarray:
    power = np.random.default_rng(0).uniform(0.01, 0.3, (30, 40)).astype(np.float32)
    power[10 : 10 + height, 12 : 12 + width] = value
    return power


def test_a_lone_gap_gets_the_mean_power_of_its_eight_neighbours() -> None:
    power = gap(1, 1, value=-0.2)
    around = power[9:12, 11:14]
    assert filled_gaps(power)[10, 12] == pytest.approx((around.sum(dtype=float) + 0.2) / 8)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 20), (GAP_PX, GAP_PX), (GAP_PX, 25)])
def test_narrow_gaps_are_closed_within_the_range_of_what_surrounds_them(height, width) -> None:
    power = gap(height, width, value=0)
    filled = filled_gaps(power)
    known = power > 0
    assert (filled[known] == power[known]).all()
    assert filled.min() >= power[known].min()
    assert filled.max() <= power[known].max()


@pytest.mark.parametrize(("height", "width"), [(GAP_PX + 1, GAP_PX + 1), (10, 12)])
def test_wide_gaps_stay_as_they_are(height, width) -> None:
    power = gap(height, width)
    assert (np.isnan(filled_gaps(power)) == np.isnan(power)).all()


def test_the_edge_of_a_swath_is_no_gap() -> None:
    power = gap(1, 1)
    power[:, -2:] = np.nan
    filled = filled_gaps(power)
    assert np.isnan(filled[:, -2:]).all()
    assert np.isfinite(filled[:, :-2]).all()


def test_nothing_comes_of_nothing() -> None:
    assert np.isnan(filled_gaps(np.full((8, 8), np.nan))).all()
