"""The median filter against numpy's own median of every window."""

import numpy as np
import pytest

from containers.gdal import median
from containers.gdal.median import median_filter


def slow_median(values, size):
    found = np.full_like(values, np.nan)
    for (row, column), value in np.ndenumerate(values):
        if not np.isnan(value):
            top, left = max(0, row - size // 2), max(0, column - size // 2)
            found[row, column] = np.nanmedian(values[top : row + size // 2 + 1, left : column + size // 2 + 1])
    return found


@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("stack", [1, 10_000_000])
def test_equals_the_median_of_every_window(size, stack, monkeypatch) -> None:
    monkeypatch.setattr(median, "_STACK_VALUES", stack)
    rng = np.random.default_rng(3)
    values = rng.normal(size=(23, 17)).astype(np.float32)
    values[rng.random(values.shape) < 0.3] = np.nan
    np.testing.assert_allclose(median_filter(values, size), slow_median(values, size), rtol=1e-6)


def test_one_wild_cell_is_taken_out_and_a_gap_stays() -> None:
    values = np.zeros((5, 5), np.float32)
    values[2, 2], values[0, 0] = 9, np.nan
    filtered = median_filter(values, 3)
    assert np.isnan(filtered[0, 0])
    assert np.nansum(np.abs(filtered)) == 0
