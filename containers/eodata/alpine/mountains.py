"""The relief of the pastures: massifs with shoulders and gullies, as a function of place."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from containers.base.contract.grid import Bounds
from containers.eodata.contract.pastures import Pastures
from containers.eodata.noise import Axis, FloatArray, Noise
from containers.eodata.place import FINE_M

_SURVEY_M: Final = 60.0
_AROUND_M: Final = 90.0
"""How far off the surroundings are that make a place a hollow or a ridge."""


class Terrain(NamedTuple):
    """The ground of a window, each float32 (row, column)."""

    height: FloatArray
    """Metres above the geoid."""
    east: FloatArray
    """Rise eastwards in metres per metre; `north` likewise."""
    north: FloatArray
    hollow: FloatArray
    """Metres by which the surroundings are higher."""

    @property
    def steepness(self) -> FloatArray:
        """Metres per metre along the line of slope."""
        steepness: FloatArray = np.hypot(self.east, self.north)
        return steepness

    @property
    def northness(self) -> FloatArray:
        """Sine of the slope times how much it faces north: −1 to 1."""
        return (-self.north / np.sqrt(1 + self.steepness**2)).astype(np.float32)


@dataclass(frozen=True)
class Mountains:
    """Heights as a function of place."""

    noise: Noise
    floor_m: float
    height_m: float
    lowest: float
    """Value of the field of heights at the floor."""
    highest: float

    @classmethod
    def of(cls, noise: Noise, pastures: Pastures, bounds: Bounds) -> "Mountains":
        """Mountains whose lowest and highest ground within the bounds (EPSG:3035) is where it is wanted."""
        y_m = np.arange(bounds.south, bounds.north, _SURVEY_M)
        x_m = np.arange(bounds.west, bounds.east, _SURVEY_M)
        field = _field(noise, y_m, x_m)
        lowest, highest = (float(np.quantile(field, share)) for share in (0.01, 0.99))
        return cls(noise, pastures.floor_m, pastures.height_m, lowest, highest)

    def heights(self, y_m: Axis, x_m: Axis) -> FloatArray:
        """Metres above the geoid on the grid of two axes in EPSG:3035: (y, x), float32."""
        share = (_field(self.noise, y_m, x_m) - self.lowest) / (self.highest - self.lowest)
        heights: FloatArray = self.floor_m + self.height_m * share
        return heights.astype(np.float32)

    def terrain(self, y_m: Axis, x_m: Axis) -> Terrain:
        """Heights, slopes and hollows there."""
        height = self.heights(y_m, x_m)
        east, north = (
            (self.heights(y_m + step * up, x_m + step * right) - self.heights(y_m - step * up, x_m - step * right))
            / np.float32(2 * step)
            for step, up, right in ((FINE_M, 0, 1), (FINE_M, 1, 0))
        )
        around = [(_AROUND_M, 0.0), (-_AROUND_M, 0.0), (0.0, _AROUND_M), (0.0, -_AROUND_M)]
        mean = sum(self.heights(y_m + up, x_m + right) for up, right in around) / np.float32(len(around))
        return Terrain(height, east, north, (mean - height).astype(np.float32))


def _field(noise: Noise, y_m: Axis, x_m: Axis) -> FloatArray:
    field: FloatArray = noise.smooth(y_m, x_m, 3400, "massif", 2)
    field += np.float32(0.26) * noise.smooth(y_m, x_m, 1300, "shoulders", 2)
    field += np.float32(0.06) * noise.smooth(y_m, x_m, 380, "gullies", 2)
    return field
