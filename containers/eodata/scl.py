"""The scene classification of an acquisition: as it truly is, and as a processor would have mapped it."""

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.eodata.noise import FloatArray, Noise
from containers.eodata.place import PIXEL_M
from containers.eodata.weather import Air

HIDING_CLOUD, HIDING_SHADOW = 0.10, 0.20
"""Opacity of clouds, and share of direct light missing, from which the ground counts as hidden."""


class Scl(IntEnum):
    """Codes of the Level-2A scene classification."""

    NODATA = 0
    SATURATED = 1
    DARK = 2
    SHADOW = 3
    VEGETATION = 4
    NOT_VEGETATED = 5
    WATER = 6
    UNCLASSIFIED = 7
    CLOUD_MEDIUM = 8
    CLOUD_HIGH = 9
    CIRRUS = 10
    SNOW = 11


class Surface(NamedTuple):
    """What lies on the ground of each 20 m cell."""

    canopy: FloatArray
    """Share under green canopy."""
    water: FloatArray
    """Share under water."""
    red: FloatArray
    """Reflectance in B04 without the air."""


def true_classes(surface: Surface, air: Air) -> npt.NDArray[np.uint8]:
    """The class that a careful interpreter would give: any cloud, cirrus or shadow that spoils the cell counts."""
    classes = np.where(surface.canopy > 0.5, Scl.VEGETATION, Scl.NOT_VEGETATED)
    classes = np.where(surface.water > 0.5, Scl.WATER, classes)
    classes = np.where(air.shadow > HIDING_SHADOW, Scl.SHADOW, classes)
    classes = np.where(air.cirrus > 0.30, Scl.CIRRUS, classes)
    classes = np.where(air.cloud > HIDING_CLOUD, Scl.CLOUD_MEDIUM, classes)
    return np.where(air.cloud > 0.6, Scl.CLOUD_HIGH, classes).astype(np.uint8)


class Missed(NamedTuple):
    """Deviates below which the processor misses what is there."""

    shadow: float
    cirrus: float


MISSED_IN_SPRING: Final = Missed(0.05, 0.0)


def true_snow(classes: npt.NDArray[np.uint8], snow: FloatArray) -> npt.NDArray[np.uint8]:
    """The classes with snow where it covers more than half of a cell whose ground is seen, in shadow or not."""
    on_ground = np.isin(classes, (Scl.VEGETATION, Scl.NOT_VEGETATED, Scl.WATER))
    return np.where(on_ground & (snow > 0.5), Scl.SNOW, classes).astype(np.uint8)


def mapped_snow(
    classes: npt.NDArray[np.uint8], snow: FloatArray, cloud: FloatArray, noise: Noise, first_row: int
) -> npt.NDArray[np.uint8]:
    """The mapped classes with snow as the processor finds it: edges missed, some taken for cloud."""
    y_m = (np.arange(snow.shape[0], dtype=np.float64) + first_row) * PIXEL_M
    doubt = noise.smooth(y_m, np.arange(snow.shape[1], dtype=np.float64) * PIXEL_M, 700, "snowy", 2)
    found = (snow + 0.12 * doubt > 0.55) & (cloud < 0.4) & (doubt < 1.2)
    return np.where(found, Scl.SNOW, classes).astype(np.uint8)


def mapped_classes(
    surface: Surface, air: Air, noise: Noise, first_row: int, missed: Missed = MISSED_IN_SPRING
) -> npt.NDArray[np.uint8]:
    """What the processor maps: nothing dilated, thin cloud and much shadow missed, bright roofs taken for cloud.

    Shadows and cirrus are missed wherever a field of unit variance lies below the numbers of `missed`.
    """
    rows, columns = surface.red.shape
    y_m = (np.arange(rows, dtype=np.float64) + first_row) * PIXEL_M
    x_m = np.arange(columns, dtype=np.float64) * PIXEL_M

    def doubt(wavelength_m: float, salt: str) -> FloatArray:
        return noise.smooth(y_m, x_m, wavelength_m, salt, 2)

    cloudy, shady = doubt(260, "cloudy"), doubt(600, "shady")
    classes = np.where(surface.canopy + 0.13 * doubt(150, "green") > 0.5, Scl.VEGETATION, Scl.NOT_VEGETATED)
    classes = np.where((surface.red < 0.024) & (shady > 1.4), Scl.DARK, classes)
    classes = np.where(surface.water + 0.12 * cloudy > 0.5, Scl.WATER, classes)
    classes = np.where((surface.water > 0.5) & (shady > 0.9), Scl.SHADOW, classes)
    classes = np.where((air.shadow + 0.10 * cloudy > 0.38) & (shady > missed.shadow), Scl.SHADOW, classes)
    classes = np.where((air.shadow > 0.5) & (shady < -1.1), Scl.DARK, classes)
    classes = np.where((air.cirrus > 0.45) & (doubt(900, "streak") > missed.cirrus), Scl.CIRRUS, classes)
    classes = np.where((air.cloud > 0.30) & (cloudy > 0.8), Scl.UNCLASSIFIED, classes)
    seen = air.cloud + 0.16 * cloudy + 3.5 * np.clip(surface.red - 0.15, 0, 0.15)
    classes = np.where(seen > 0.70, Scl.CLOUD_MEDIUM, classes)
    return np.where(seen > 0.88, Scl.CLOUD_HIGH, classes).astype(np.uint8)
