"""Snow by its index."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import CLOUDY, REFLECTANCE_SCALE, Sky
from containers.gdal.features import Bands

INDEX: Final = 0.4
NIR: Final = 0.11
"""Keeps water and shade out, whose index is high, too."""
GREEN: Final = 0.1
NO_CIRRUS: Final = 0.012
"""The least that cirrus shows in its band, by the third decision tree."""


def is_snow(bands: Bands) -> NDArray[np.bool_]:
    """Cells (y, x) with NDSI = (green − SWIR) / (green + SWIR) > 0.4, near infrared > 0.11 and green > 0.1.

    Hall, Riggs and Salomonson, Remote Sensing of Environment 1995, 54, 127–140; the green test is that of Fmask (Zhu
    and Woodcock, Remote Sensing of Environment 2012, 118, 83–94). Water clouds are bright in the SWIR and fail; ice
    clouds may pass: see `may_be_snow`.
    """
    green, swir = bands["green"].astype(np.int32), bands["swir16"].astype(np.int32)
    # Without a division: with green > 0.1 the sum is positive wherever the difference is large enough.
    indexed = (green - swir) > INDEX * (green + swir)
    snow: NDArray[np.bool_] = indexed & (bands["nir"] > NIR / REFLECTANCE_SCALE) & (green > GREEN / REFLECTANCE_SCALE)
    return snow


def may_be_snow(sky: NDArray[np.uint8], bands: Bands) -> NDArray[np.bool_]:
    """Cells (y, x) whose class gives way to snow: clear ones and, below a cirrus band that shows nothing, cloudy ones.

    Of clouds only those of ice look like snow, and they stand so high that the cirrus band shows them. The decision
    trees take dirty snow for cirrus without asking that band.
    """
    gives_way: NDArray[np.bool_] = sky == Sky.CLEAR
    if "cirrus" in bands:
        gives_way |= np.isin(sky, CLOUDY) & (bands["cirrus"] < NO_CIRRUS / REFLECTANCE_SCALE)
    return gives_way
