"""Harmonics: precedence by hand, soundness, and the calendar."""

from datetime import date

import numpy as np
import pytest

from containers.gdal.harmonic import YEAR_DAYS, basis, by_precedence, ridge, sound
from containers.gdal.normal_equations import Fit, solve

EPOCH = date(1970, 1, 1)


def every(step: int, n_years: float = 2) -> np.ndarray:
    return np.arange(17_500, 17_500 + int(n_years * 365), step, dtype=np.int32)


def seasonal(days, order: int) -> np.ndarray:
    """A curve of that many harmonics, within (0, 1)."""
    phase = 2 * np.pi * days / YEAR_DAYS
    return 0.5 + 0.2 * np.cos(phase) + 0.1 * np.sin(order * phase + 1)


def filled(days, values, weights, out):
    gaps = np.zeros((len(out), values.shape[1]))
    return by_precedence(days, out, values, weights, gaps)


@pytest.mark.parametrize(("step", "order"), [(5, 10), (15, 5), (50, 1)])
def test_precedence_follows_the_number_of_observations(step, order) -> None:
    """Three observations per unknown: 66, 36 and 12."""
    days, out = every(step), every(10)
    values = seasonal(days, order)[:, np.newaxis]
    found, orders = filled(days, values, np.ones_like(values), out)
    assert set(orders.ravel()) == {order}
    assert found[:, 0] == pytest.approx(seasonal(out, order), abs=1e-6)


def test_fits_equal_one_cell_at_a_time() -> None:
    days, out = every(4), every(10)
    rng = np.random.default_rng(3)
    weights = (rng.random((len(days), 5)) < 0.8).astype(float)
    values = rng.uniform(0.2, 0.6, weights.shape) * weights
    found, _ = filled(days, values, weights, out)
    span = (int(days[0]), int(max(days[-1], out[-1])))
    for cell in range(5):
        seen = weights[:, cell] > 0
        coefficients = np.linalg.lstsq(basis(days[seen], 10, span), values[seen, cell], rcond=None)[0]
        assert found[:, cell] == pytest.approx(basis(out, 10, span) @ coefficients, abs=1e-9)


def test_values_outside_give_way_to_the_next_order() -> None:
    """Ten harmonics of a short high season overshoot; the yearly fit stays below."""
    days, out = every(4), every(1)
    values = np.where(days % YEAR_DAYS < 70, 0.99, 0.5)[:, np.newaxis]
    found, orders = filled(days, values, np.ones_like(values), out)
    span = (int(days[0]), int(max(days[-1], out[-1])))
    fits = {
        order: basis(out, order, span) @ solve(basis(days, order, span), np.ones_like(values), values).coefficients
        for order in (10, 5, 1)
    }
    assert (np.abs(fits[10]) >= 1).any()
    expected = np.where(np.abs(fits[10]) < 1, 10, np.where(np.abs(fits[5]) < 1, 5, np.where(np.abs(fits[1]) < 1, 1, 0)))
    assert (orders == expected).all()
    assert np.nanmax(np.abs(found)) < 1


def test_long_gaps_are_left_to_low_orders() -> None:
    """Half of the shortest period: 18, 36 and 182 days."""
    days = every(4)
    values = seasonal(days, 1)[:, np.newaxis] * np.ones(5)
    out = days[:1]
    gaps = np.array([[18.0, 19, 37, 182, 183]])
    _, orders = by_precedence(days, out, values, np.ones_like(values), gaps)
    assert orders.tolist() == [[10, 5, 1, 1, 0]]


def test_observations_of_one_season_only_are_not_sound() -> None:
    days = every(1, 0.2)
    values = seasonal(days, 1)[:, np.newaxis]
    fit = solve(basis(days, 1, (int(days[0]), int(days[-1]))), np.ones_like(values), values)
    assert not sound(fit, np.array([len(days)])).any()
    assert sound(Fit(np.zeros((4, 1)), np.array([0.06])), np.array([12])).all()
    assert not sound(Fit(np.zeros((4, 1)), np.array([0.06])), np.array([11])).any()


def test_phase_is_by_date_not_by_day_of_the_year() -> None:
    """Over a leap year the same dates keep their phase to within a day."""
    springs = [(date(year, 3, 21) - EPOCH).days for year in range(2015, 2025)]
    columns = basis(np.array(springs, np.int32), 1, (springs[0], springs[-1]))
    phase = np.unwrap(np.arctan2(columns[:, 3], columns[:, 2]))
    assert np.ptp(phase) * YEAR_DAYS / (2 * np.pi) < 1


def test_ridge_shrinks_amplitudes() -> None:
    days = every(20)
    values = seasonal(days, 3)[:, np.newaxis]
    swings = [np.ptp(ridge(days, days, values, np.ones_like(values), penalty)) for penalty in (0.0, 1.0, 100.0)]
    assert swings[0] == pytest.approx(np.ptp(seasonal(days, 3)), abs=1e-6)
    assert swings[0] > swings[1] > swings[2]


def test_curvature_shrinks_high_orders_most() -> None:
    days = every(20)
    values = seasonal(days, 3)[:, np.newaxis]
    found = ridge(days, days, values, np.ones_like(values), 0.3, 4)[:, 0]
    span = (int(days[0]), int(days[-1]))
    columns = basis(days, 3, span)
    shrunk = 0.3 * np.array([0, 1, 1, 16, 81, 1, 16, 81])
    expected = np.linalg.solve(columns.T @ columns + np.diag(shrunk), columns.T @ values[:, 0])
    assert found == pytest.approx(columns @ expected)
