"""Pixels by hand: calibration, looks, and what is left below the noise."""

import numpy as np
import pytest

from containers.sarsen.image import calibrated, looked_shape, mean_of_looks, without_holes

NAN = np.float32(np.nan)


def test_calibration_by_hand() -> None:
    numbers = np.full((30, 30), 300, np.uint16)
    noise, amplitude = np.full((30, 30), 900, np.float32), np.full((30, 30), 600, np.float32)
    power, below = calibrated(numbers, noise, amplitude, 0)
    np.testing.assert_allclose(power, 0.25)
    np.testing.assert_allclose(below, 0.0025)


def test_the_largest_number_does_not_overflow() -> None:
    largest = np.full((30, 30), 65535, np.uint16)
    power, _ = calibrated(largest, np.ones((30, 30), np.float32), np.full((30, 30), 65535, np.float32), 0)
    np.testing.assert_allclose(power, 1)


def test_looks_by_hand() -> None:
    power = np.array([[1, 3, 5], [1, 3, NAN], [NAN, NAN, 9]], np.float32)
    np.testing.assert_array_equal(mean_of_looks(power, 2), np.array([[2, 5], [NAN, 9]], np.float32))
    assert looked_shape((3, 3), 2) == (2, 2)
    np.testing.assert_array_equal(mean_of_looks(power, 1), power)


def test_half_of_the_looks_must_hold_data() -> None:
    power = np.full((4, 4), NAN)
    power[0, :2] = 7
    power[2, 2] = 7
    assert np.isnan(mean_of_looks(power, 2)).tolist() == [[False, True], [True, True]]


def test_holes_are_filled_from_around() -> None:
    signal, floor = np.full((9, 9), 4.0, np.float32), np.full((9, 9), 0.01, np.float32)
    signal[4, 4] = -3
    signal[4, 5] = 0
    signal[0, 0] = NAN
    signal[3, 3] = 8
    power, filled = without_holes(signal, floor)
    assert filled.sum() == 2
    assert power[4, 4] == pytest.approx((46 * 4 + 8) / 47)
    assert np.isnan(power[0, 0])
    assert power[3, 3] == 8


def test_a_hole_without_neighbours_gets_the_floor() -> None:
    power, filled = without_holes(np.full((20, 20), -1, np.float32), np.full((20, 20), 0.01, np.float32))
    np.testing.assert_array_equal(power, np.float32(0.01))
    assert filled.all()
    power, _ = without_holes(np.zeros((20, 20), np.float32), np.zeros((20, 20), np.float32))
    assert np.isnan(power).all()
