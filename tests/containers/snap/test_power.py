"""Non-positive cells against a loop over cells and neighbours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from containers.snap.power import positive_power

values = st.sampled_from([np.nan, 0.0, -0.0, -0.3, -2.0, 0.1, 1.0, 5.0, np.inf])
blocks = arrays(np.float32, array_shapes(min_dims=2, max_dims=2, min_side=3, max_side=9), elements=values)


def slow(power):
    """One cell at a time."""
    height, width = power.shape
    result = np.full((height - 2, width - 2), np.nan, np.float32)
    for row in range(1, height - 1):
        for col in range(1, width - 1):
            value = power[row, col]
            around = [
                float(power[row + down, col + right])
                for down in (-1, 0, 1)
                for right in (-1, 0, 1)
                if (down, right) != (0, 0)
            ]
            good = [each for each in around if np.isfinite(each) and each > 0]
            if np.isfinite(value) and value > 0:
                result[row - 1, col - 1] = value
            elif good and (value < 0 or len(good) >= 5):
                result[row - 1, col - 1] = sum(good) / len(good)
    return result


@settings(max_examples=300, deadline=None)
@given(blocks)
def test_equals_one_cell_at_a_time(power) -> None:
    result, filled = positive_power(power)
    np.testing.assert_allclose(result, slow(power), rtol=1e-6)
    positive = np.isfinite(power) & (power > 0)
    assert filled == (np.isfinite(result) & ~positive[1:-1, 1:-1]).sum()


@settings(deadline=None)
@given(blocks)
def test_is_above_0_or_nan(power) -> None:
    result, _ = positive_power(power)
    assert (np.isnan(result) | (result > 0)).all()


def test_the_edge_of_the_swath_stays_where_it_is() -> None:
    power = np.ones((9, 9), np.float32)
    power[:, :4] = 0
    result, filled = positive_power(power)
    assert filled == 0
    assert (np.isnan(result) == (power[1:-1, 1:-1] == 0)).all()


@pytest.mark.parametrize("hole", [0.0, -1.0, np.nan])
def test_a_hole_gets_the_mean_of_its_neighbours(hole: float) -> None:
    power = np.arange(1, 10, dtype=np.float32).reshape(3, 3)
    power[1, 1] = hole
    assert positive_power(power)[0].tolist() == [[5.0]]


def test_a_negative_cell_without_positive_neighbours_is_nodata() -> None:
    assert np.isnan(positive_power(np.full((3, 3), -1, np.float32))[0]).all()
