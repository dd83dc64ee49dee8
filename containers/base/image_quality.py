"""How far an image is from the truth, with the true range of its data: reflectance spans 1, whatever its scale.

Images are float arrays with NaN where there is no data; such cells never count. `counted` says which of the others do.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Counted = NDArray[np.bool_] | None

REFLECTANCE_RANGE: Final = 1.0
"""`data_range` of surface reflectance."""
SSIM_REACH: Final = 5
"""Cells between the centre of an SSIM window and its edge: 11 × 11 cells."""
_SSIM_SIGMA, _K1, _K2 = 1.5, 0.01, 0.03


def mae(found: Array, truth: Array, counted: Counted = None) -> float:
    """Mean absolute error over all counted values, in their unit; NaN where there are none.

    `counted` has the images' shape or is broadcast to it.
    """
    return _mean(np.abs(_difference(found, truth)), counted)


def mse(found: Array, truth: Array, counted: Counted = None) -> float:
    """Mean squared error, in their unit squared."""
    return _mean(_difference(found, truth) ** 2, counted)


def rmse(found: Array, truth: Array, counted: Counted = None) -> float:
    """Root of the mean squared error, in their unit."""
    return float(np.sqrt(mse(found, truth, counted)))


def psnr_db(mean_squared_error: Any, data_range: float) -> Any:
    """Peak signal-to-noise ratio in dB, 10 · log10(data_range² / mse): infinite for equal images."""
    with np.errstate(divide="ignore"):
        return 10 * np.log10(data_range**2 / np.asarray(mean_squared_error, np.float64))


def ssim_map(found: Array, truth: Array, data_range: float) -> NDArray[np.float64]:
    """Structural similarity of two images (…, y, x) around every cell, −1 to 1; same shape.

    NaN where the window of 11 × 11 cells holds a cell without data or reaches beyond the image. Gaussian weights of
    sigma 1.5, K1 0.01, K2 0.03, population covariances: Wang et al. (2004, doi:10.1109/TIP.2003.819861).
    """
    one, other = np.asarray(found, np.float64), np.asarray(truth, np.float64)
    similarity = np.full(one.shape, np.nan)
    if min(one.shape[-2:]) <= 2 * SSIM_REACH:
        return similarity
    mean_1, mean_2 = _smoothed(one), _smoothed(other)
    variance_1, variance_2 = _smoothed(one**2) - mean_1**2, _smoothed(other**2) - mean_2**2
    covariance = _smoothed(one * other) - mean_1 * mean_2
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    luminance = (2 * mean_1 * mean_2 + c1) / (mean_1**2 + mean_2**2 + c1)
    inner = slice(SSIM_REACH, -SSIM_REACH)
    similarity[..., inner, inner] = luminance * (2 * covariance + c2) / (variance_1 + variance_2 + c2)
    return similarity


def ssim(found: Array, truth: Array, data_range: float, counted: Counted = None) -> float:
    """Mean of `ssim_map` over the windows around counted cells; NaN where there are none."""
    return _mean(ssim_map(found, truth, data_range), counted)


def sam_map_deg(found: Array, truth: Array, axis: int) -> NDArray[np.float64]:
    """Spectral angle in degrees between two images, whose bands lie along `axis`, which goes; NaN for a zero spectrum.

    Kruse et al. (1993, doi:10.1016/0034-4257(93)90013-N), by Kahan's formula, which keeps small angles.
    """
    one, other = (_unit(np.asarray(image, np.float64), axis) for image in (found, truth))
    across, along = np.linalg.norm(one - other, axis=axis), np.linalg.norm(one + other, axis=axis)
    angle: NDArray[np.float64] = np.degrees(2 * np.arctan2(across, along))
    return angle


def sam_deg(found: Array, truth: Array, axis: int, counted: Counted = None) -> float:
    """Mean of `sam_map_deg` over counted cells; `counted` lacks the bands' axis."""
    return _mean(sam_map_deg(found, truth, axis), counted)


def _difference(found: Array, truth: Array) -> NDArray[np.float64]:
    return np.subtract(found, truth, dtype=np.float64)


def _mean(values: NDArray[np.float64], counted: Counted) -> float:
    counts = ~np.isnan(values) if counted is None else ~np.isnan(values) & counted
    return float(values[counts].mean()) if counts.any() else float("nan")


def _unit(spectra: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    length = np.linalg.norm(spectra, axis=axis, keepdims=True)
    unit: NDArray[np.float64] = np.divide(spectra, length, out=np.full_like(spectra, np.nan), where=length > 0)
    return unit


def _smoothed(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaussian means of the windows that lie inside the image, along both axes."""
    offsets = np.arange(-SSIM_REACH, SSIM_REACH + 1)
    weights = np.exp(-0.5 * (offsets / _SSIM_SIGMA) ** 2)
    weights /= weights.sum()
    height, width = image.shape[-2] - 2 * SSIM_REACH, image.shape[-1] - 2 * SSIM_REACH
    down: NDArray[np.float64] = sum(w * image[..., k : k + height, :] for k, w in enumerate(weights))
    both: NDArray[np.float64] = sum(w * down[..., k : k + width] for k, w in enumerate(weights))
    return both
