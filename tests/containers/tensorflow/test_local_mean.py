"""Means over windows, against a loop over cells."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.tensorflow.local_mean import local_mean


def test_a_mean_by_hand() -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    known = np.ones((3, 4, 1), bool)
    found = local_mean(values, known, 3)[..., 0]
    assert found[1, 1] == pytest.approx(5.0), "all of 0, 1, 2, 4, 5, 6, 8, 9, 10"
    assert found[0, 0] == pytest.approx((0 + 1 + 4 + 5) / 4), "the window is cut at the corner"
    known[0, 1] = False
    assert local_mean(values, known, 3)[0, 0, 0] == pytest.approx((0 + 4 + 5) / 3)


@given(st.integers(0, 2**32 - 1), st.sampled_from([3, 5, 9]), st.floats(0.0, 0.9))
def test_it_is_the_mean_of_each_window(seed: int, edge: int, unknown: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 10, (7, 6, 2)).astype(np.float32)
    known = rng.random(values.shape) >= unknown
    values[~known] = np.nan
    found = local_mean(values, known, edge)
    assert found.dtype == np.float32
    for row, col, channel in np.ndindex(*values.shape):
        window = np.s_[max(row - edge // 2, 0) : row + edge // 2 + 1, max(col - edge // 2, 0) : col + edge // 2 + 1]
        inside = values[..., channel][window][known[..., channel][window]]
        expected = inside.mean(dtype=np.float64) if inside.size else 0
        assert found[row, col, channel] == pytest.approx(expected, abs=1e-5)


def test_turning_an_image_turns_its_means() -> None:
    rng = np.random.default_rng(1)
    values, known = rng.normal(size=(8, 8, 2)).astype(np.float32), rng.random((8, 8, 2)) > 0.2
    turned = local_mean(np.rot90(values), np.rot90(known), 5)
    np.testing.assert_allclose(turned, np.rot90(local_mean(values, known, 5)), atol=1e-6)
