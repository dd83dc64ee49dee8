"""Soil moisture as rain of the last weeks has left it."""

import math
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np

from containers.eodata.noise import Axis, FloatArray, Noise
from containers.eodata.sky import field_at

_MEMORY_DAYS: Final = 25
_DRYING_DAYS: Final = 5.0
_RAINY_DAYS: Final = 0.33
_RAIN_MM: Final = 9.0
_FILLED_MM: Final = 14.0
DRIEST, WETTEST = 0.07, 0.38
"""Volumetric moisture of the topsoil, m³/m³."""
_SHOWER_M: Final = 7_000.0


class Wetness(NamedTuple):
    """Of one day and time, each (y, x)."""

    soil: FloatArray
    """Volumetric moisture, m³/m³."""
    leaves: FloatArray
    """Share of the canopy wet from rain of the day, 0 to 1."""


def wetness(noise: Noise, day: date, y_m: Axis, x_m: Axis) -> Wetness:
    """Showers of random days, amounts and tracks, drying exponentially within days."""
    north, east = np.meshgrid(y_m, x_m, indexing="ij")
    stored = np.zeros(north.shape, dtype=np.float32)
    today = stored
    for age in range(_MEMORY_DAYS):
        ordinal = (day - timedelta(days=age)).toordinal()
        if float(noise.uniform(ordinal, 0, "rain")) >= _RAINY_DAYS:
            continue
        amount = -_RAIN_MM * math.log(1 - float(noise.uniform(ordinal, 1, "rain")))
        fallen = np.float32(amount) * np.clip(1 + 0.8 * _shower(noise, ordinal, north, east), 0, None)
        today = fallen if age == 0 else today
        stored = stored + fallen * np.float32(math.exp(-age / _DRYING_DAYS))
    patches = 1 + 0.12 * field_at(north, east, 20.0, lambda y, x: noise.smooth(y, x, 350, "soil water", 3))
    soil = DRIEST + (WETTEST - DRIEST) * (1 - np.exp(-stored * patches / _FILLED_MM))
    return Wetness(soil.astype(np.float32), (1 - np.exp(-today / 4)).astype(np.float32))


def _shower(noise: Noise, ordinal: int, north: Axis, east: Axis) -> FloatArray:
    """How much more or less than its mean a day's rain falls here, of unit variance."""
    return field_at(north, east, 250.0, lambda y, x: noise.smooth(y, x, _SHOWER_M, f"shower {ordinal}", 3))
