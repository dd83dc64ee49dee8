"""Curves between dates, against scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from containers.gdal.curve import Curves, bridged

DAYS = np.array([0, 5, 25, 30, 60, 61, 90], dtype=np.float32)
N_CELLS = 50


def random_curves(between: str, seed: int = 0) -> Curves:
    values = np.random.default_rng(seed).random((len(DAYS), N_CELLS)).astype(np.float32)
    return Curves.through(DAYS, values, between)


def oracle(curves: Curves, between: str, cell: int):
    if between == "linear":
        return lambda day: np.interp(day, curves.days, curves.values[:, cell])
    return PchipInterpolator(curves.days.astype(float), curves.values[:, cell].astype(float))


@pytest.mark.parametrize("between", ["linear", "pchip"])
def test_values_between_dates(between: str) -> None:
    curves = random_curves(between)
    for interval in range(len(DAYS) - 1):
        at = np.full(N_CELLS, interval)
        for share in (0.0, 0.3, 0.9):
            shares = np.full(N_CELLS, share, dtype=np.float32)
            day = float(curves.day(at, shares)[0])
            expected = [float(oracle(curves, between, cell)(day)) for cell in range(N_CELLS)]
            assert curves.value(at, shares) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("between", ["linear", "pchip"])
def test_integral_from_anywhere_to_anywhere(between: str) -> None:
    curves = random_curves(between)
    first = (np.full(N_CELLS, 1), np.full(N_CELLS, 0.25, dtype=np.float32))
    last = (np.full(N_CELLS, 4), np.full(N_CELLS, 0.0, dtype=np.float32))
    found = curves.integral(first, last)
    fine = np.linspace(10, 60, 50_001)
    expected = [np.trapezoid(oracle(curves, between, cell)(fine), fine) for cell in range(N_CELLS)]
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("between", ["linear", "pchip"])
@settings(deadline=None)
@given(level=st.floats(0.05, 0.95), falling=st.booleans())
def test_crossing_is_where_the_curve_has_the_level(between: str, level: float, falling: bool) -> None:
    first, last = (1, 0) if falling else (0, 1)
    values = np.array([[first], [first], [last], [last]], dtype=np.float32)
    curves = Curves.through(np.array([0, 10, 40, 50], np.float32), values, between)
    interval, levels = np.array([1]), np.array([level], dtype=np.float32)
    assert curves.value(interval, curves.crossing(interval, levels)) == pytest.approx(level, abs=1e-4)


def test_bridging_by_hand() -> None:
    nan = np.nan
    values = np.array([[nan, 0.1], [0.2, nan], [nan, nan], [0.6, nan], [nan, 0.5]], dtype=np.float32)
    days = np.array([0, 10, 20, 30, 50], dtype=np.float32)
    assert bridged(days, values).T.tolist() == [
        pytest.approx([0.2, 0.2, 0.4, 0.6, 0.6]),
        pytest.approx([0.1, 0.18, 0.26, 0.34, 0.5]),
    ]


def test_cells_without_a_value_stay_without() -> None:
    values = np.array([[np.nan, 1.0], [np.nan, np.nan]], dtype=np.float32)
    known = bridged(np.array([0, 1], np.float32), values)
    assert np.isnan(known[:, 0]).all()
    assert known[:, 1].tolist() == [1, 1]
