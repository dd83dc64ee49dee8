"""Known shifts are found, also with noise, change and gaps."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from containers.gdal.registration import Shift, filled, median_shift, phase_shift, texture

GROUND = gaussian_filter(np.random.default_rng(0).normal(size=(800, 800)), 2) * 3000


def seen(rows: float, cols: float, seed: int, size: int = 128) -> NDArray[np.float64]:
    """The ground at a quarter of its resolution, displaced by a part of a cell, with noise."""
    grid = np.mgrid[:size, :size].astype(float)
    parts = [
        map_coordinates(GROUND, [60 + (grid[0] - rows) * 4 + down, 60 + (grid[1] - cols) * 4 + across], order=1)
        for down in range(4)
        for across in range(4)
    ]
    image: NDArray[np.float64] = np.mean(parts, axis=0)
    return image + np.random.default_rng(seed).normal(0, 0.3 * image.std(), image.shape)


@pytest.mark.parametrize("true", [(0, 0), (0.3, -0.2), (0.5, 0.5), (1.25, 3.4), (-2, 1)])
def test_shift_is_found_to_a_twentieth_of_a_cell(true: tuple[float, float]) -> None:
    first, second = seen(0, 0, 1), seen(*true, 2)
    second[20:45, 60:90] += 400
    shift = phase_shift(first, second)
    assert shift.is_reliable
    assert shift[:2] == pytest.approx(true, abs=0.05)
    assert phase_shift(second, first)[:2] == pytest.approx((-true[0], -true[1]), abs=0.05)


def test_unrelated_windows_are_not_taken_for_a_shift() -> None:
    rng = np.random.default_rng(3)
    shifts = [phase_shift(rng.normal(size=(64, 64)), rng.normal(size=(64, 64))) for _ in range(20)]
    assert not any(shift.is_reliable for shift in shifts)
    assert median_shift(shifts) == (0.0, 0)


def test_median_shift_is_the_length_of_the_median_displacement() -> None:
    shifts = [Shift(3, 4, True), Shift(3, 4, True), Shift(-60, 70, True), Shift(99, 99, False)]
    assert median_shift(shifts) == (5.0, 3)


def test_texture_is_that_of_the_flattest_period_and_zero_with_gaps() -> None:
    flat, rough = np.array([[4, 6]] * 10), np.array([[0, 10]] * 10)
    assert texture([flat, rough], None) == 1
    assert texture([np.where(rough == 0, -1, rough), rough], -1) == 0


def test_filled() -> None:
    assert filled(np.array([[1, 3, -9]]), -9).tolist() == [[1, 3, 2]]
