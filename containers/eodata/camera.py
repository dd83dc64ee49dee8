"""One acquisition over one tile: from ground and air to digital numbers."""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from containers.eodata.noise import FloatArray
from containers.eodata.place import FINE_M, PIXEL_M
from containers.eodata.spectra import BANDS, Palette
from containers.eodata.weather import Air

MARGIN: Final = 6
"""Fine cells around the tile that the point spread reaches into."""
_BLUR_M: Final = {10: 6.0, 20: 10.0, 60: 22.0}
"""Standard deviation of the optics' point spread by cell size: about 0.2 of contrast at the Nyquist frequency."""
_NOISE: Final = 0.0018
"""Standard deviation of the sensor's noise in reflectance at 0.1."""
_CLOUD: Final = dict(zip(BANDS, (0.60, 0.60, 0.61, 0.62, 0.63, 0.64, 0.65, 0.65, 0.46, 0.34), strict=True))
_DIFFUSE: Final = dict(zip(BANDS, (0.52, 0.46, 0.40, 0.38, 0.35, 0.33, 0.31, 0.30, 0.22, 0.20), strict=True))
"""Share of light left in full shadow."""
_HAZE: Final = dict(zip(BANDS, (0.030, 0.022, 0.016, 0.013, 0.011, 0.010, 0.009, 0.008, 0.003, 0.002), strict=True))
_CIRRUS: Final = dict(zip(BANDS, (0.075, 0.072, 0.070, 0.068, 0.066, 0.064, 0.062, 0.060, 0.030, 0.022), strict=True))


class Ground(NamedTuple):
    """Fine layers under a strip of the tile, uint8, with the margin all around."""

    cover: npt.NDArray[np.uint8]
    tone: npt.NDArray[np.uint8]
    hue: npt.NDArray[np.uint8]
    vigour: npt.NDArray[np.uint8]
    grain: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Camera:
    """How one acquisition sees: misregistration, residual errors of the atmospheric correction, view angle."""

    shift_x_px: float
    shift_y_px: float
    gains: dict[str, float]
    view_slope: float

    @classmethod
    def drawn(cls, random: np.random.Generator, jitter_px: float) -> "Camera":
        """Misregistration evenly from a disc of `jitter_px` cells of 20 m; calibration errors of a few per cent."""
        radius, angle = jitter_px * math.sqrt(random.random()), 2 * math.pi * random.random()
        common = random.normal(1, 0.03)
        gains = {band: float(common * random.normal(1, 0.02)) for band in BANDS}
        return cls(radius * math.cos(angle), radius * math.sin(angle), gains, float(random.normal(0, 0.03)))

    def seen(self, fine: FloatArray, cell_m: int) -> FloatArray:
        """Fine values with their margin, blurred, shifted and gathered to cells of `cell_m`."""
        ratio = cell_m // FINE_M
        rows = _gather(fine, self.shift_y_px, cell_m, ratio)
        return _gather(rows.T, self.shift_x_px, cell_m, ratio).T


def _gather(values: FloatArray, shift_px: float, cell_m: int, ratio: int) -> FloatArray:
    """Weighted sums along the first axis: a box detector of `cell_m` behind Gaussian optics."""
    count = (values.shape[0] - 2 * MARGIN) // ratio
    centre = MARGIN + (ratio - 1) / 2 + shift_px * PIXEL_M / FINE_M
    taps = np.arange(MARGIN * 2 + ratio)
    offset, blur = taps - centre, _BLUR_M[cell_m] / FINE_M
    weights = ndtr((offset + ratio / 2) / blur) - ndtr((offset - ratio / 2) / blur)
    weights /= weights.sum()
    total = np.zeros((count, values.shape[1]), dtype=np.float32)
    for tap, weight in zip(taps, weights, strict=True):
        if weight > 1e-4:
            total += np.float32(weight) * values[tap : tap + ratio * count : ratio]
    return total


def fine_reflectance(ground: Ground, colours: Palette, bands: tuple[str, ...]) -> dict[str, FloatArray]:
    """Reflectance of the ground per band on the fine cells."""
    row = ground.cover.astype(np.uint16) << 8
    bright = colours.tone[row | ground.tone] * colours.grain[row | ground.grain]
    vigour, hue = row | ground.vigour, row | ground.hue
    return {band: colours.body[band][vigour] * colours.hue[band][hue] * bright for band in bands}


def through_air(
    reflectance: FloatArray, air: Air, band: str, camera: Camera, random: np.random.Generator
) -> FloatArray:
    """What the processor reports as surface reflectance: shadow, haze, cirrus, cloud and noise are still in it."""
    light = 1 - air.shadow * np.float32(1 - _DIFFUSE[band])
    across = np.linspace(-1, 1, reflectance.shape[1], dtype=np.float32) * np.float32(camera.view_slope)
    seen = reflectance * light * np.float32(camera.gains[band]) * (1 + across)
    seen += air.haze * np.float32(_HAZE[band]) + air.cirrus * np.float32(_CIRRUS[band])
    seen += air.cloud * (np.float32(_CLOUD[band]) * (0.8 + 0.3 * air.cloud) - seen)
    seen += sensor_noise(seen, random)
    return seen


def sensor_noise(seen: FloatArray, random: np.random.Generator) -> FloatArray:
    """Noise that grows with the square root of the signal."""
    noise: FloatArray = random.standard_normal(seen.shape, dtype=np.float32) * np.float32(_NOISE)
    return noise * np.sqrt(np.clip(seen, 0.01, None) * 10)


def digital_numbers(reflectance: FloatArray, offset_dn: int) -> npt.NDArray[np.uint16]:
    """Reflectance × 10 000 less the (negative) offset, rounded; at least 1, because 0 means no data."""
    scaled: npt.NDArray[np.uint16] = np.clip(np.rint(reflectance * 10_000) - offset_dn, 1, 65_535).astype(np.uint16)
    return scaled
