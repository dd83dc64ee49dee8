"""Errors of images against hand-computed cases, one window at a time, and scikit-image where it is installed."""

import math

import numpy as np
import pytest

from containers.base.image_quality import mae, mse, psnr_db, rmse, sam_deg, sam_map_deg, ssim, ssim_map

RNG = np.random.default_rng(1)
ONE = RNG.random((23, 31))
OTHER = ONE + RNG.normal(0, 0.1, ONE.shape)


def test_errors_by_hand() -> None:
    found, truth = np.array([0.1, 0.4, np.nan, 0.0]), np.array([0.2, 0.2, 0.2, 0.6])
    assert mae(found, truth) == pytest.approx(0.3)
    assert mse(found, truth) == pytest.approx((0.01 + 0.04 + 0.36) / 3)
    assert rmse(found, truth, np.array([True, False, True, False])) == pytest.approx(0.1)
    assert math.isnan(mae(found, truth, np.zeros(4, bool)))


def test_psnr_by_hand() -> None:
    """An error of a tenth of the range is 20 dB; the reference's 4095 on data of range 2 gave 66.2 dB more."""
    assert psnr_db(0.01, 1.0) == pytest.approx(20)
    assert psnr_db(0.01, 4095) - psnr_db(0.01, 2) == pytest.approx(66.2, abs=0.05)
    assert psnr_db(0.0, 1.0) == math.inf


def slow_ssim(one: np.ndarray, other: np.ndarray, row: int, col: int, data_range: float) -> float:
    """Wang et al. (2004), equations 13 to 16, of one window."""
    offsets = np.arange(-5, 6)
    weights = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    weights /= weights.sum()
    x, y = (image[row - 5 : row + 6, col - 5 : col + 6] for image in (one, other))
    mean_x, mean_y = (weights * x).sum(), (weights * y).sum()
    var_x, var_y = (weights * (x - mean_x) ** 2).sum(), (weights * (y - mean_y) ** 2).sum()
    covariance = (weights * (x - mean_x) * (y - mean_y)).sum()
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    above = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return above / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))


@pytest.mark.parametrize("data_range", [1.0, 0.2])
def test_ssim_equals_one_window_at_a_time(data_range) -> None:
    found = ssim_map(ONE, OTHER, data_range)
    for row, col in np.ndindex(ONE.shape):
        if 5 <= row < ONE.shape[0] - 5 and 5 <= col < ONE.shape[1] - 5:
            assert found[row, col] == pytest.approx(slow_ssim(ONE, OTHER, row, col, data_range), abs=1e-12)
        else:
            assert np.isnan(found[row, col])


def test_ssim_equals_scikit_image() -> None:
    metrics = pytest.importorskip("skimage.metrics")
    options = {"data_range": 1.0, "gaussian_weights": True, "use_sample_covariance": False, "sigma": 1.5}
    assert ssim(ONE, OTHER, 1.0) == pytest.approx(metrics.structural_similarity(ONE, OTHER, **options), abs=1e-12)
    assert psnr_db(mse(OTHER, ONE), 1.0) == pytest.approx(metrics.peak_signal_noise_ratio(ONE, OTHER, data_range=1.0))


def test_ssim_leaves_out_windows_without_data_and_cells_not_counted() -> None:
    gap = ONE.copy()
    gap[11, 15] = np.nan
    found = ssim_map(np.stack([ONE, gap]), np.stack([OTHER, OTHER]), 1.0)
    known = ~np.isnan(found)
    assert known[0].sum() == 13 * 21
    assert known[1].sum() == 13 * 21 - 11 * 11
    assert (found[0][known[1]] == found[1][known[1]]).all()
    counted = np.zeros(ONE.shape, bool)
    counted[[0, 7], [0, 9]] = True
    assert ssim(ONE, OTHER, 1.0, counted) == found[0, 7, 9]
    assert ssim(ONE, ONE, 1.0) == pytest.approx(1)
    assert np.isnan(ssim(ONE[:10], OTHER[:10], 1.0))


def test_spectral_angle_by_hand() -> None:
    one = np.array([[1.0, 0.0, 3.0, 0.0], [0.0, 0.0, 4.0, 2.0]])
    other = np.array([[1.0, 1.0, 6.0, 2.0], [1.0, 1.0, 8.0, 0.0]])
    assert np.allclose(sam_map_deg(one, other, axis=0), [45, np.nan, 0, 90], equal_nan=True)
    assert sam_deg(one, other, axis=0) == pytest.approx(45)
    assert sam_deg(one.T, other.T, axis=-1, counted=np.array([False, False, True, True])) == pytest.approx(45)


def test_small_angles_are_kept() -> None:
    turned = np.array([np.cos(1e-9), np.sin(1e-9)])
    assert sam_deg(np.array([1.0, 0.0]), turned, axis=0) == pytest.approx(np.degrees(1e-9), rel=1e-6)
