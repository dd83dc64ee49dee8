"""Uncertainty: noise that is known comes out, and the bands hold what they promise."""

import numpy as np
import pytest

from containers.gdal.contract.fill import Filling
from containers.gdal.curve_engines import fitted
from containers.gdal.uncertainty import NORMAL_90, Calibration, calibrate, noise, residuals, standard_deviation

DAYS = np.arange(17_000, 17_730, 5, dtype=np.int32)


def series(n_cells: int, deviation: float, seed: int = 0):
    """Seasons with noise, seen where clouds of some days' length let it."""
    rng = np.random.default_rng(seed)
    peak = rng.normal(0, 15, n_cells)
    curve = 0.45 + 0.3 * np.sin((DAYS[:, np.newaxis] - 17_000 + peak) / 58)
    clouds = rng.normal(size=(len(DAYS) + 4, n_cells))
    seen = sum(clouds[start : start + len(DAYS)] for start in range(5)) > -0.5
    return curve + rng.normal(0, deviation, curve.shape), seen


@pytest.mark.parametrize("deviation", [0.02, 0.05])
def test_noise_that_is_known_comes_out(deviation) -> None:
    values, seen = series(400, deviation)
    squares, count = residuals(DAYS, values, seen)
    assert np.sqrt(squares.sum() / count.sum()) == pytest.approx(deviation, rel=0.1)


def test_residuals_by_hand() -> None:
    """Unevenly spaced: the line through the neighbours is at 0.1 + 0.3 · 1/3."""
    days = np.array([0, 10, 20, 30], np.int32)
    values = np.array([[0.1], [0.5], [9.9], [0.4]])
    seen = np.array([[1], [1], [0], [1]], bool)
    squares, count = residuals(days, values, seen)
    assert squares[0] == pytest.approx(0.3**2 / (1 + (1 / 3) ** 2 + (2 / 3) ** 2))
    assert count[0] == 1


def test_cells_with_few_observations_have_the_typical_noise() -> None:
    values, seen = series(3, 0.3)
    seen[:, 0] = False
    assert noise(DAYS, values, seen, typical=0.01**2)[0] == pytest.approx(0.01)
    assert noise(DAYS, values, seen, typical=0.01**2)[1] > 0.1


@pytest.mark.parametrize("engine", ["seasonal", "harmonic", "ridge", "whittaker", "savitzky_golay", "linear"])
def test_bands_hold_hidden_observations_of_other_cells(engine) -> None:
    filling = Filling(engine=engine)
    values, seen = series(400, 0.04)
    calibration = calibrate(filling, DAYS, values, seen)
    values, seen = series(400, 0.04, seed=1)
    hidden = seen & (np.random.default_rng(2).random(seen.shape) < 0.3)
    curve = fitted(filling, DAYS, DAYS, values, seen & ~hidden)
    deviation = standard_deviation(calibration, noise(DAYS, values, seen & ~hidden, calibration.variance), curve.reach)
    tried = hidden & np.isfinite(curve.values)
    assert tried.sum() > 1000
    inside = np.abs(curve.values - values)[tried] <= NORMAL_90 * deviation[tried]
    assert 0.85 <= inside.mean() <= 0.95


def test_uncertainty_grows_with_the_distance_from_observations() -> None:
    values, seen = series(300, 0.02)
    calibration = calibrate(Filling(engine="linear"), DAYS, values, seen)
    reach = np.array([[0.0], [2], [10], [30], [90], [np.inf]])
    deviation = standard_deviation(calibration, np.array([0.02]), reach)[:, 0]
    assert (np.diff(deviation) >= 0).all()
    assert deviation[-1] > deviation[0]


def test_too_few_observations_to_calibrate_leave_the_noise() -> None:
    days = np.array([0, 40], np.int32)
    calibration = calibrate(Filling(), days, np.full((2, 1), 0.5), np.array([[True], [False]]))
    assert isinstance(calibration, Calibration)
    assert calibration.factors.tolist() == [1.0]
