"""What holds for every engine, and the codes that say where a value comes from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.gdal.contract.fill import Filling
from containers.gdal.curve_engines import CODES, fitted
from containers.gdal.outliers import dips

ENGINES = ("seasonal", "harmonic", "ridge", "whittaker", "savitzky_golay", "linear")
DAYS = np.arange(17_000, 17_730, 5, dtype=np.int32)
OUT = np.arange(17_003, 17_700, 10, dtype=np.int32)


def series(seed: int, n_cells: int = 8):
    rng = np.random.default_rng(seed)
    curve = 0.45 + 0.3 * np.sin(DAYS[:, np.newaxis] / 58 + rng.normal(0, 0.5, n_cells))
    return curve + rng.normal(0, 0.03, curve.shape), rng.random(curve.shape) < rng.uniform(0.1, 0.9)


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_cells_do_not_know_of_each_other(engine, seed) -> None:
    values, seen = series(seed)
    filling = Filling(engine=engine)
    whole = fitted(filling, DAYS, OUT, values, seen)
    turned = fitted(filling, DAYS, OUT, values[:, ::-1], seen[:, ::-1])
    alone = fitted(filling, DAYS, OUT, values[:, 2:3], seen[:, 2:3])
    assert np.allclose(whole.values, turned.values[:, ::-1], atol=1e-9, equal_nan=True)
    assert np.allclose(whole.values[:, 2:3], alone.values, atol=1e-9, equal_nan=True)
    assert (whole.quality == turned.quality[:, ::-1]).all()


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), level=st.floats(-0.9, 0.9))
def test_a_constant_stays_constant(engine, seed, level) -> None:
    _, seen = series(seed)
    curve = fitted(Filling(engine=engine), DAYS, OUT, np.full(seen.shape, level), seen)
    assert curve.values[np.isfinite(curve.values)] == pytest.approx(level, abs=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_values_stay_inside(engine) -> None:
    """Also where observations jump between the ends of the scale and beyond long gaps."""
    rng = np.random.default_rng(3)
    values = rng.choice([-0.9999, 0.9999], (len(DAYS), 50))
    seen = rng.random(values.shape) < rng.choice([0.03, 0.5], 50)
    curve = fitted(Filling(engine=engine, dip=0), DAYS, OUT, values, seen)
    assert np.nanmax(np.abs(curve.values)) < 1
    assert (np.isnan(curve.values) == (curve.quality == 0)).all()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("filled", [-9.0, np.nan])
def test_unseen_values_are_not_looked_at(engine, filled) -> None:
    values, seen = series(5)
    filling = Filling(engine=engine)
    one = fitted(filling, DAYS, OUT, values, seen)
    other = fitted(filling, DAYS, OUT, np.where(seen, values, filled), seen)
    assert np.array_equal(one.values, other.values, equal_nan=True)


@pytest.mark.parametrize("engine", ENGINES)
def test_observed_wins_but_not_for_an_undetected_cloud(engine) -> None:
    values, seen = series(6)
    seen[:] = True
    values[70] = 0.0
    cloud = dips(DAYS, values, seen, 0.1)
    assert cloud[70].any()
    curve = fitted(Filling(engine=engine), DAYS, DAYS, values, seen)
    assert ((curve.quality == -1) == ~cloud).all()
    assert (curve.values == values)[~cloud].all()
    smooth = fitted(Filling(engine=engine, observed_wins=False), DAYS, DAYS, values, seen)
    assert not (smooth.quality == -1).any()
    trusting = fitted(Filling(engine=engine, dip=0), DAYS, DAYS, values, seen)
    assert (trusting.values == values).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_cells_without_an_observation_have_no_value(engine) -> None:
    values, seen = series(7)
    seen[:, 3] = False
    curve = fitted(Filling(engine=engine), DAYS, OUT, values, seen)
    assert np.isnan(curve.values[:, 3]).all()
    assert (curve.quality[:, 3] == 0).all()


@pytest.mark.parametrize("engine", ["seasonal", "whittaker", "savitzky_golay", "linear"])
def test_codes_tell_values_beyond_the_observations(engine) -> None:
    values, seen = series(8)
    seen[:40] = seen[100:] = False
    seen[40:100] = True
    quality = fitted(Filling(engine=engine, dip=0), DAYS, OUT, values, seen).quality
    beyond = (DAYS[40] > OUT) | (DAYS[99] < OUT)
    outer = CODES["linear"] if engine == "savitzky_golay" else CODES[engine]
    assert (quality[~beyond] == CODES[engine]).all()
    assert (quality[beyond] == outer + 1).all()


@pytest.mark.parametrize("engine", ["seasonal", "whittaker", "linear", "savitzky_golay", "ridge"])
@pytest.mark.parametrize("n_seen", [1, 2, 3])
def test_few_observations_give_something_between_them(engine, n_seen) -> None:
    values, seen = series(9)
    seen[:] = False
    seen[[60, 80, 90][:n_seen]] = True
    values = np.where(seen, 0.4, 0.9)
    curve = fitted(Filling(engine=engine), DAYS, OUT, values, seen)
    assert curve.values == pytest.approx(0.4, abs=1e-4)
