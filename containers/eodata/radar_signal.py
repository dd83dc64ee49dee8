"""From the power that a radar receives to the digital numbers of the image: speckle, noise, the swath's edges."""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from containers.eodata.radar_noise import BETA_NOUGHT
from containers.eodata.radar_orbit import Array

LOOK_WEIGHTS: Final = np.array([1.0, 1.0, 1.0, 1.0, 0.2207])
"""Five overlapping looks in range, as IW GRD has: (Σw)² / Σw² = 4.4 looks in effect."""
_RESOLUTION_PX: Final = 0.75
"""Standard deviation of the impulse response of the complex image; neighbours' intensities correlate by 0.4."""
_LARGEST: Final = np.iinfo(np.uint16).max
_EDGE_LINES: Final = 150
_ZERO_PX: Final = (4, 24)
_GARBAGE_PX: Final = (3, 12)
_GARBAGE_DN: Final = 30

Image = npt.NDArray[np.float32]


def speckle(shape: tuple[int, int], random: np.random.Generator) -> Image:
    """Fully developed speckle of mean 1 and 4.4 equivalent looks, correlated between neighbours: (lines, samples)."""
    intensity = np.zeros(shape, np.float32)
    response = np.zeros((9, 9))
    response[4, 4] = 1
    kept = float((gaussian_filter(response, _RESOLUTION_PX, truncate=4) ** 2).sum())
    for weight in LOOK_WEIGHTS / LOOK_WEIGHTS.sum() / kept / 2:
        for _ in ("real", "imaginary"):
            field = random.standard_normal(shape, dtype=np.float32)
            intensity += weight * gaussian_filter(field, _RESOLUTION_PX, truncate=4, mode="wrap") ** 2
    return intensity


def digital_numbers(beta0: Image, noise_dn2: Array, random: np.random.Generator) -> npt.NDArray[np.uint16]:
    """Amplitude as the product holds it: the noise, being received like the signal, has the same speckle."""
    power = (beta0.astype(np.float64) * BETA_NOUGHT**2 + noise_dn2) * speckle(beta0.shape, random)
    return np.clip(np.rint(np.sqrt(power)), 1, _LARGEST).astype(np.uint16)


def with_swath_edges(image: npt.NDArray[np.uint16], random: np.random.Generator) -> npt.NDArray[np.uint16]:
    """The image with the border that products had before processor version 2.90: jagged fringes of 0 along both ends
    of range and of the datatake, 4 to 24 pixels wide, and behind them 3 to 12 pixels of numbers from 1 to 30."""
    image = image.copy()
    for view in (image, image[:, ::-1], image.T, image.T[:, ::-1]):
        for first in range(0, len(view), _EDGE_LINES):
            zeros = int(random.integers(*_ZERO_PX, endpoint=True))
            end = zeros + int(random.integers(*_GARBAGE_PX, endpoint=True))
            block = view[first : first + _EDGE_LINES]
            garbage = random.integers(1, _GARBAGE_DN, (len(block), end - zeros), endpoint=True)
            block[:, zeros:end] = np.minimum(block[:, zeros:end], garbage)
            block[:, :zeros] = 0
    return image
