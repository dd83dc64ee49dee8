"""Snow of the mountains: the winter's, which melts by height, slope and year, and what falls in spring and autumn."""

from typing import Final, NamedTuple

import numpy as np

from containers.eodata.alpine.mountains import Terrain
from containers.eodata.noise import Axis, FloatArray, Noise

_MELT_DAY, _REFERENCE_M = 112.0, 1500.0
"""Day of the year on which level ground at that height is free of winter snow in a mean year."""
_DAYS_PER_M: Final = 0.062
_NORTH_DAYS: Final = 30.0
"""Days by which a slope that faces north keeps its snow longer, per unit of the slope's sine."""
_HOLLOW_DAYS: Final = 0.75
"""Days per metre that the surroundings are higher."""
_PATCH_DAYS: Final = 6.0
_FADING_DAYS: Final = 7.0
"""Days in which a cell of 10 m goes from white to bare."""
_LINE_M: Final = 120.0
"""Height over which fresh snow goes from none to all."""


def melt_day(noise: Noise, year: int, terrain: Terrain, y_m: Axis, x_m: Axis) -> FloatArray:
    """Day of the year (1 is 1 January) from which half of a cell is free of winter snow, float32."""
    early = 2 * float(noise.uniform(year, 0, "melt")) - 1
    slower = 2 * float(noise.uniform(year, 1, "melt")) - 1
    day = _MELT_DAY + 13 * early + (_DAYS_PER_M + 0.006 * slower) * (terrain.height - np.float32(_REFERENCE_M))
    day += np.float32(_NORTH_DAYS) * terrain.northness
    day += np.clip(np.float32(_HOLLOW_DAYS) * terrain.hollow, -14, 22)
    day += np.float32(_PATCH_DAYS) * noise.smooth(y_m, x_m, 110, "drift", 2)
    day += np.float32(0.5 * _PATCH_DAYS) * noise.smooth(y_m, x_m, 240, f"drift {year}", 2)
    melt: FloatArray = np.clip(day, 45, 215).astype(np.float32)
    return melt


class Fall(NamedTuple):
    """Snow that falls after the winter or before the next one, and lies for days."""

    day: float
    line_m: float
    """Height down to which it lies."""
    days_at_line: float


def falls(noise: Noise, year: int) -> list[Fall]:
    """Two in spring and three in autumn, the later in autumn the lower."""
    found = []
    for index, (first, last) in enumerate(((112, 140), (140, 166), (258, 274), (274, 290), (290, 306))):
        when, where, lasts = (float(noise.uniform(year, 10 * index + part, "snow fall")) for part in range(3))
        day = first + when * (last - first)
        line_m = 1450 + 16 * (day - 112) if index < 2 else 2350 - 21 * (day - 258)
        found.append(Fall(day, line_m + 500 * (where - 0.5), 1.5 + 3 * lasts))
    return found


def snow_on(day: float, fallen: list[Fall], melt: FloatArray, height: FloatArray) -> FloatArray:
    """Share of each cell under snow on a day of the year, 0 to 1."""
    snow: FloatArray = np.clip(0.5 + (melt - np.float32(day)) / np.float32(_FADING_DAYS), 0, 1).astype(np.float32)
    for fall in fallen:
        if fall.day <= day:
            above = height - np.float32(fall.line_m)
            lasts = np.float32(fall.days_at_line) + above / np.float32(150)
            lying = np.clip((np.float32(fall.day - day) + lasts) / 2 + 0.5, 0, 1) * np.clip(above / _LINE_M, 0, 1)
            snow = np.maximum(snow, lying.astype(np.float32))
    return snow
