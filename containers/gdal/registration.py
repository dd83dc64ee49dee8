"""How far one image lies from another, to a small part of a cell."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float64]

_UPSAMPLING = 50
"""Steps per cell of the refined search."""
_SEARCH_PX = 1.5
_MAX_FREQUENCY = 0.25
"""Cycles per cell."""
_MIN_PEAK_TO_NOISE = 2.0
"""How far a correlation peak stands above the highest one that is expected between unrelated windows."""

_MIN_VALID_SHARE = 0.9


class Shift(NamedTuple):
    """Where the second image lies: positive is down and to the right of the first, in cells."""

    rows: float
    cols: float
    is_reliable: bool
    """Whether the two windows have anything in common."""


def texture(windows: list[NDArray[Any]], nodata: float | None) -> float:
    """Standard deviation of the flattest of some periods' windows; 0 where one of them has too little data."""
    valid = [window[window != nodata] for window in windows]
    if min(values.size for values in valid) < _MIN_VALID_SHARE * windows[0].size:
        return 0.0
    return float(min(values.std() for values in valid))


def filled(window: NDArray[Any], nodata: float | None) -> Image:
    """The window with its mean where it has no data."""
    image: Image = window.astype(np.float64)
    image[window == nodata] = image[window != nodata].mean()
    return image


def phase_shift(first: Image, second: Image) -> Shift:
    """Shift between two windows of the same shape, by phase correlation, refined by an upsampled Fourier transform.

    Kuglin and Hines (1975); Guizar-Sicairos, Thurman and Fienup (2008), doi:10.1364/OL.33.000156. Windows are
    tapered, so that their edges do not correlate, and the aliased high frequencies are left out, which would pull
    the shift towards whole cells (Stone et al. 2001, doi:10.1109/36.957286).
    """
    taper = np.outer(np.hanning(first.shape[0]), np.hanning(first.shape[1]))
    spectra = [np.fft.fft2((image - image.mean()) * taper) for image in (first, second)]
    cross = np.conj(spectra[0]) * spectra[1]
    frequencies = [np.fft.fftfreq(size) for size in first.shape]
    kept = np.hypot(*np.meshgrid(*frequencies, indexing="ij")) < _MAX_FREQUENCY
    cross *= kept / np.maximum(np.abs(cross), np.finfo(float).tiny)
    correlation = np.fft.ifft2(cross).real
    row, col = np.unravel_index(correlation.argmax(), correlation.shape)
    around = np.arange(-_SEARCH_PX, _SEARCH_PX + 1 / _UPSAMPLING, 1 / _UPSAMPLING)
    down = np.exp(2j * np.pi * np.outer(row + around, frequencies[0]))
    across = np.exp(2j * np.pi * np.outer(frequencies[1], col + around))
    refined = (down @ cross @ across).real / kept.sum()
    noise = np.sqrt(2 * np.log(cross.size) / kept.sum())
    fine_row, fine_col = np.unravel_index(refined.argmax(), refined.shape)
    return Shift(
        _wrapped(float(row + around[fine_row]), first.shape[0]),
        _wrapped(float(col + around[fine_col]), first.shape[1]),
        bool(refined.max() > _MIN_PEAK_TO_NOISE * noise),
    )


def median_shift(shifts: list[Shift]) -> tuple[float, int]:
    """Length in cells of the median displacement over the windows that correlate, and how many do."""
    found = [(shift.rows, shift.cols) for shift in shifts if shift.is_reliable]
    return (float(np.hypot(*np.median(found, axis=0))), len(found)) if found else (0.0, 0)


def _wrapped(shift: float, size: int) -> float:
    return (shift + size / 2) % size - size / 2
