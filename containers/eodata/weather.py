"""Clouds, their shadows, cirrus and haze on one date, as functions of place in EPSG:3035."""

import math
import zlib
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy.ndimage import map_coordinates

from containers.base.contract.grid import Bounds
from containers.eodata.noise import Axis, FloatArray, Noise

CELL_M: Final = 40.0
_CLOUD_M: Final = 5200.0
_SURVEY_M: Final = 250.0
_SHADOW_M: Final = 3000.0
"""Furthest that a shadow falls from its cloud."""
_DENSITY: Final = 6.5


class Air(NamedTuple):
    """What stands between ground and sensor, each (row, column), 0 to 1."""

    cloud: FloatArray
    """Opacity of the clouds."""
    shadow: FloatArray
    """Share of direct light that clouds take away."""
    cirrus: FloatArray
    haze: FloatArray


@dataclass(frozen=True)
class Weather:
    """The air on one date over the whole archive."""

    noise: Noise
    threshold: float
    haze: float
    cirrus: float
    shift_x_m: float
    shift_y_m: float

    @classmethod
    def on(cls, seed: int, date: str, cover: float, bounds: Bounds) -> "Weather":
        """Clouds over the share `cover` of the bounds; shadows fall away from a May morning's sun."""
        noise = Noise((seed * 1_000_003 + zlib.crc32(date.encode())) % 2**31)
        y_m = np.arange(bounds.south, bounds.north, _SURVEY_M)
        x_m = np.arange(bounds.west, bounds.east, _SURVEY_M)
        threshold = float(np.quantile(_clouds(noise, y_m, x_m), 1 - cover)) if cover > 0 else math.inf
        height, azimuth, thin, haze = (float(noise.uniform(0, index, "sky")) for index in range(4))
        length_m, towards = 500 + 1500 * height, math.radians(315 + 30 * azimuth)
        return cls(
            noise,
            threshold,
            haze,
            max(0.0, 1.6 * thin - 0.8),
            length_m * math.sin(towards),
            length_m * math.cos(towards),
        )

    def at(self, east_m: Axis, north_m: Axis) -> Air:
        """The air over places in EPSG:3035, given as (row, column)."""
        west, south = east_m.min() - _SHADOW_M, north_m.min() - _SHADOW_M
        x_m, y_m = (
            np.arange(west, east_m.max() + _SHADOW_M, CELL_M),
            np.arange(south, north_m.max() + _SHADOW_M, CELL_M),
        )
        cloud = 1 - np.exp(-_DENSITY * np.clip(_clouds(self.noise, y_m, x_m) - self.threshold, 0, None))
        streaks = np.clip(self.noise.smooth(y_m, x_m, 7000, "cirrus", 3) - 0.9, 0, 1.5) * self.cirrus
        mist = np.clip(0.5 + 0.35 * self.noise.smooth(y_m, x_m, 9000, "haze", 2), 0, 1.5) * self.haze

        def sampled(field: FloatArray, x_shift: float = 0.0, y_shift: float = 0.0) -> FloatArray:
            places = np.array([(north_m - y_shift - y_m[0]) / CELL_M, (east_m - x_shift - x_m[0]) / CELL_M])
            values: FloatArray = map_coordinates(field, places, order=1, mode="nearest", output=np.float32)
            return values

        opacity = sampled(cloud)
        shadow = sampled(cloud, self.shift_x_m, self.shift_y_m) * (1 - opacity)
        return Air(opacity, shadow, sampled(streaks), sampled(mist))


def _clouds(noise: Noise, y_m: Axis, x_m: Axis) -> FloatArray:
    """Fractal field whose high parts are clouds, ragged at the edges."""
    return noise.smooth(y_m, x_m, _CLOUD_M, "cloud", 7)
