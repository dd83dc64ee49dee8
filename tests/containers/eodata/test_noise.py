import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.eodata.noise import Noise

AXIS = np.arange(4_400_005.0, 4_404_005.0, 10.0)


@given(first=st.integers(0, 300), count=st.integers(2, 90), seed=st.integers(0, 2**31 - 1))
@settings(max_examples=15, deadline=None)
def test_a_window_equals_the_same_part_of_the_whole(first: int, count: int, seed: int) -> None:
    noise, part = Noise(seed), slice(first, first + count)
    whole = noise.smooth(AXIS[:60], AXIS, 470, "x", 3)
    np.testing.assert_array_equal(noise.smooth(AXIS[:60], AXIS[part], 470, "x", 3), whole[:, part])


def test_sites_of_a_window_equal_those_of_the_whole() -> None:
    noise = Noise(3)
    whole, part = noise.sites(AXIS[:80], AXIS, 115, "s"), noise.sites(AXIS[40:80], AXIS[100:200], 115, "s")
    np.testing.assert_array_equal(part.row, whole.row[40:80, 100:200])
    np.testing.assert_array_equal(part.column, whole.column[40:80, 100:200])
    np.testing.assert_allclose(part.edge_m, whole.edge_m[40:80, 100:200], atol=0.01)


def test_sites_are_the_nearest_seed_points() -> None:
    noise, y_m, x_m = Noise(5), AXIS[:12], AXIS[:12]
    sites = noise.sites(y_m, x_m, 90, "s")
    rows, columns = np.arange(y_m[0] // 90 - 4, y_m[-1] // 90 + 5), np.arange(x_m[0] // 90 - 4, x_m[-1] // 90 + 5)
    site_y, site_x = noise.site(rows.astype(int)[:, None], columns.astype(int)[None, :], 90, "s")
    for row, column in ((0, 0), (5, 7), (11, 11)):
        distance = np.hypot(site_y - y_m[row], site_x - x_m[column])
        nearest = np.unravel_index(distance.argmin(), distance.shape)
        assert (sites.row[row, column], sites.column[row, column]) == (rows[nearest[0]], columns[nearest[1]])
        assert sites.edge_m[row, column] == pytest.approx(np.diff(np.sort(distance.ravel())[:2])[0], abs=0.02)


def test_smooth_noise_has_about_unit_variance_and_no_mean() -> None:
    field = Noise(1).smooth(np.arange(0.0, 40_000, 40), np.arange(0.0, 40_000, 40), 400, "v", 4)
    assert field.std() == pytest.approx(1, abs=0.05)
    assert field.mean() == pytest.approx(0, abs=0.05)


def test_uniform_numbers_fill_the_unit_interval_evenly() -> None:
    counts, _ = np.histogram(Noise(1).uniform(np.arange(400)[:, None], np.arange(250)[None, :], "u"), 10, (0, 1))
    assert counts.sum() == 100_000
    assert np.abs(counts - 10_000).max() < 400


def test_seeds_and_purposes_are_independent() -> None:
    rows, columns = np.arange(100)[:, None], np.arange(100)[None, :]
    one = Noise(1).uniform(rows, columns, "a").ravel()
    for other in (
        Noise(2).uniform(rows, columns, "a"),
        Noise(1).uniform(rows, columns, "b"),
        Noise(1).uniform(columns, rows, "a"),
    ):
        assert abs(np.corrcoef(one, np.broadcast_to(other, (100, 100)).ravel())[0, 1]) < 0.04
