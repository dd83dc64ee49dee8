"""The land-cover legend of the first job, and what its rasters hold."""

from enum import IntEnum
from typing import Final


class LandCover(IntEnum):
    """Classes of the land-cover rasters, uint8. UNKNOWN is their nodata: never counted as stable."""

    UNKNOWN = 0
    IMPERVIOUS = 1
    GREEN = 2
    OTHER = 3


CLASSES: Final = (LandCover.IMPERVIOUS, LandCover.GREEN, LandCover.OTHER)
"""The order of the probability bands."""

REFLECTANCE_SCALE: Final = 1e-4
"""Reflectance rasters are int16: reflectance = value * 1e-4."""
REFLECTANCE_NODATA: Final = -32768
REFLECTANCE_SATURATED: Final = 32767
PROBABILITY_SCALE: Final = 1 / 250
"""Probability and confidence rasters are uint8: probability = value / 250."""
PROBABILITY_NODATA: Final = 255


class Sky(IntEnum):
    """What stands between the ground and the sensor: the values of mask rasters, uint8. NODATA is never clear."""

    NODATA = 0
    CLEAR = 1
    CLOUD = 2
    CIRRUS = 3
    SHADOW = 4
    SNOW = 5


CLOUDY: Final = (Sky.CLOUD, Sky.CIRRUS)
"""The classes that count as cloud where only cloud and clear are told apart."""
HIDING: Final = (Sky.CLOUD, Sky.CIRRUS, Sky.SHADOW)
"""The classes under which the ground is not seen; snow is ground."""

INDEX_SCALE: Final = 1e-4
"""Series of vegetation indices are int16: index = value * 1e-4."""
INDEX_NODATA: Final = -32768
