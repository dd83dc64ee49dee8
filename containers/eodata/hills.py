"""Relief: hills between valleys, in which the landscape's rivers and lakes lie."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtr

from containers.base.sun import Sun
from containers.eodata.contract.scenario import Relief
from containers.eodata.landscape import Landscape, waters
from containers.eodata.noise import Axis, FloatArray, Noise

_RIVER_BANK, _LAKE_BANK = 0.34, 0.6
"""Distance from the water, in units of the water's field, over which valleys rise to the hills."""
_STEEPEST_GAIN: Final = 1.7
"""Most direct light that a slope gets against level ground."""


@dataclass(frozen=True)
class Hills:
    """Heights as a function of place."""

    noise: Noise
    relief: Relief
    river: float
    """Value of the river's field from which on there is water; `lake` likewise."""
    lake: float

    @classmethod
    def of(cls, ground: Landscape, relief: Relief) -> "Hills":
        """Hills around the landscape's own waters."""
        return cls(ground.noise, relief, ground.thresholds["river"], ground.thresholds["lake"])

    def heights(self, y_m: Axis, x_m: Axis) -> FloatArray:
        """Metres above the geoid on the grid of two axes in EPSG:3035: (y, x), float32."""
        river, lake = waters(self.noise, y_m, x_m)
        valley = _rise((self.river - river) / _RIVER_BANK) * _rise((self.lake - lake) / _LAKE_BANK)
        ridges = ndtr(1.25 * self.noise.smooth(y_m, x_m, 2600, "hills", 3))
        knolls = 0.035 * self.noise.smooth(y_m, x_m, 380, "knolls", 2)
        heights: FloatArray = self.relief.floor_m + self.relief.height_m * valley * np.clip(ridges + knolls, 0, None)
        return heights.astype(np.float32)


def _rise(distance: FloatArray) -> FloatArray:
    """From 0 at the water's edge to 1 far from it, smooth at both ends."""
    return 1 - np.exp(-(np.clip(distance, 0, None) ** 2))


def light_on_slopes(slope_east: FloatArray, slope_north: FloatArray, sun: Sun, diffuse: float) -> FloatArray:
    """Light on a slope against that on level ground, for slopes in metres per metre.

    Direct light goes by the cosine of its angle to the slope, diffuse light (a share of all) falls everywhere alike.
    The sun's azimuth is counted from the grid's north. No slope casts a shadow on another one.
    """
    zenith, azimuth = math.radians(sun.zenith_deg), math.radians(sun.azimuth_deg)
    towards_sun = slope_east * math.sin(azimuth) + slope_north * math.cos(azimuth)
    ratio = (1 - math.tan(zenith) * towards_sun) / np.sqrt(1 + slope_east**2 + slope_north**2)
    light: FloatArray = diffuse + (1 - diffuse) * np.clip(ratio, 0, _STEEPEST_GAIN)
    return light.astype(np.float32)
