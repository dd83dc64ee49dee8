"""What a slope means for plants: how high it lies, how steep it is, how much sun it gets."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]
TERRAIN: Final = ("height_m", "slope_deg", "northness", "eastness", "exposure")
_LATITUDE_DEG = 45.0
"""Of the Alps; between 43° and 47° the exposure of a slope of 30° changes by less than 0.05."""


def terrain_of(terrain: Values) -> Values:
    """(TERRAIN, n) from (n, 3): height in metres, slope in degrees, aspect in degrees clockwise from north (−1 flat).

    Northness and eastness are the cosine and the sine of the aspect, 0 where it is flat. Exposure is the potential
    direct radiation of a year in MJ cm⁻² (McCune and Keon 2002, doi:10.1111/j.1654-1103.2002.tb02087.x, equation 3).
    """
    height, slope, aspect = terrain.T
    flat = aspect < 0
    angle = np.radians(np.where(flat, 0, aspect))
    northness, eastness = np.where(flat, 0, np.cos(angle)), np.where(flat, 0, np.sin(angle))
    return np.stack([height, slope, northness, eastness, exposure(slope, np.where(flat, 180, aspect))]).astype(
        np.float32
    )


def exposure(slope_deg: Values, aspect_deg: Values) -> Values:
    """Potential direct radiation of a year in MJ cm⁻², equation 3 of McCune and Keon (2002)."""
    latitude, slope = np.radians(_LATITUDE_DEG), np.radians(slope_deg)
    folded = np.radians(180 - np.abs(aspect_deg - 180))
    radiation: Values = (
        0.339
        + 0.808 * np.cos(latitude) * np.cos(slope)
        - 0.196 * np.sin(latitude) * np.sin(slope)
        - 0.482 * np.cos(folded) * np.sin(slope)
    )
    return radiation
