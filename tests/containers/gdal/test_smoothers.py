"""Smoothers against slow or stock ways to the same curves."""

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.gdal import smoothers
from containers.gdal.smoothers import distances, linear, neighbours, savitzky_golay, solve_five_diagonals, whittaker

N_CELLS = 6


def observations(seed: int, n_dates: int = 40):
    rng = np.random.default_rng(seed)
    days = np.sort(rng.choice(400, n_dates, replace=False)).astype(np.int32) + 17_000
    seen = rng.random((n_dates, N_CELLS)) < 0.6
    return days, np.where(seen, rng.uniform(0, 0.9, seen.shape), 0.0), seen


OUT = np.arange(17_000, 17_400, 7, dtype=np.int32)


@pytest.mark.parametrize("seed", range(3))
def test_linear_equals_numpy(seed) -> None:
    days, values, seen = observations(seed)
    found = linear(days, OUT, values, neighbours(days, OUT, seen))
    for cell in range(N_CELLS):
        there = seen[:, cell]
        assert found[:, cell] == pytest.approx(np.interp(OUT, days[there], values[there, cell]))


def test_neighbours_and_distances_by_hand() -> None:
    days = np.array([10, 20, 40], np.int32)
    seen = np.array([[1, 0], [0, 0], [1, 0]], bool)
    out = np.array([5, 10, 25, 40, 50], np.int32)
    near = neighbours(days, out, seen)
    assert near.before.tolist() == [[-1, -1], [0, -1], [0, -1], [2, -1], [2, -1]]
    assert near.after.tolist() == [[0, 3], [0, 3], [2, 3], [2, 3], [3, 3]]
    before, after = distances(days, out, near)
    assert before[:, 0].tolist() == [np.inf, 0, 15, 0, 10]
    assert after[:, 0].tolist() == [5, 0, 15, 0, np.inf]
    assert np.isinf(before[:, 1]).all()


@pytest.mark.parametrize("smoothness", [10.0, 1e4, 1e6])
@pytest.mark.parametrize("hold", [0.0, 0.2])
def test_whittaker_equals_its_dense_system(smoothness, hold) -> None:
    days, values, seen = observations(1)
    found = whittaker(days, OUT, values, seen.astype(float), smoothness, hold)
    step = 5
    first = min(days[0], OUT[0])
    nodes = first + step * np.arange((max(days[-1], OUT[-1]) - first) // step + 3)
    hats = np.maximum(0, 1 - np.abs(days[:, np.newaxis] - nodes) / step)
    second, slope = np.diff(np.eye(len(nodes)), n=2, axis=0), np.diff(np.eye(len(nodes)), axis=0)
    rough = smoothness * (second.T @ second / step**3 + slope.T @ slope / step / 60**2) + hold * np.eye(len(nodes))
    for cell in range(N_CELLS):
        there = hats[seen[:, cell]]
        curve = np.linalg.solve(there.T @ there + rough, there.T @ values[seen[:, cell], cell])
        assert found[:, cell] == pytest.approx(np.interp(OUT, nodes, curve), abs=1e-7)


@pytest.mark.parametrize("smoothness", [100.0, 1e4])
def test_whittaker_equals_another_implementation_on_daily_nodes(smoothness, monkeypatch) -> None:
    """Eilers' smoother as the package whittaker-eilers has it; without our term against overshooting."""
    eilers = pytest.importorskip("whittaker_eilers")
    monkeypatch.setattr(smoothers, "_BEND_DAYS", 1e9)
    days, values, seen = observations(2)
    daily = np.arange(days[0], days[-1] + 3, dtype=np.int32)
    found = whittaker(days, daily, values, seen.astype(float), smoothness, node_days=1)
    for cell in range(N_CELLS):
        series, weights = np.zeros(len(daily)), np.zeros(len(daily))
        series[days - days[0]], weights[days - days[0]] = values[:, cell], seen[:, cell]
        rival = eilers.WhittakerSmoother(smoothness, 2, len(daily), weights=weights.tolist())
        assert found[:, cell] == pytest.approx(rival.smooth(series.tolist()), abs=1e-5)


def test_nodes_every_five_days_are_fine_enough() -> None:
    """Against daily nodes, on a season with noise: below the resolution that matters, a tenth of the noise."""
    rng = np.random.default_rng(4)
    days = np.arange(17_000, 17_730, 5, dtype=np.int32)[rng.random(146) < 0.6]
    values = (0.5 + 0.3 * np.sin(days / 58) + rng.normal(0, 0.03, len(days)))[:, np.newaxis]
    curves = [whittaker(days, days, values, np.ones_like(values), 10_000.0, node_days=step) for step in (5, 1)]
    assert np.abs(curves[0] - curves[1]).max() < 0.003


def test_savitzky_golay_equals_scipy_on_even_dates() -> None:
    values = np.random.default_rng(5).uniform(0, 1, (60, N_CELLS))
    days = np.arange(60, dtype=np.int32) * 10
    found = savitzky_golay(days, days, values, np.ones_like(values), window_days=60, degree=2)
    expected = scipy.signal.savgol_filter(values, 7, 2, axis=0)
    assert found[3:-3] == pytest.approx(expected[3:-3])


def test_savitzky_golay_leaves_out_what_it_cannot_hold() -> None:
    days = np.array([0, 10, 20, 200, 210], np.int32)
    values = np.full((5, 1), 0.5)
    out = np.array([10, 100, 205], np.int32)
    found = savitzky_golay(days, out, values, np.ones_like(values), window_days=60, degree=2)
    assert np.isfinite(found[:, 0]).tolist() == [True, False, False]


def test_five_diagonals_against_a_dense_solver() -> None:
    rng = np.random.default_rng(6)
    diagonal, beside, right = rng.uniform(6, 9, (9, 4)), rng.uniform(-1, 1, (9, 4)), rng.normal(size=(9, 4))
    for cell in range(4):
        dense = np.diag(diagonal[:, cell]) + np.diag(np.full(7, 1.5), 2) + np.diag(np.full(7, 1.5), -2)
        dense += np.diag(beside[:-1, cell], 1) + np.diag(beside[:-1, cell], -1)
        expected = np.linalg.solve(dense, right[:, cell])
        solved = solve_five_diagonals(
            *(part[:, cell : cell + 1].copy() for part in (diagonal, beside)), 1.5, right[:, cell : cell + 1].copy()
        )
        assert solved[:, 0] == pytest.approx(expected)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), level=st.floats(-0.5, 0.5))
def test_adding_a_constant_moves_the_curve_by_it(seed, level) -> None:
    days, values, seen = observations(seed, 20)
    weights = seen.astype(float)
    for smooth in (
        lambda cells: whittaker(days, OUT, cells, weights, 1e4),
        lambda cells: savitzky_golay(days, OUT, cells, weights, 90, 1),
        lambda cells: linear(days, OUT, cells, neighbours(days, OUT, seen)),
    ):
        moved = smooth(np.where(seen, values + level, 0.0)) - smooth(values)
        assert moved[np.isfinite(moved)] == pytest.approx(level, abs=1e-5)
