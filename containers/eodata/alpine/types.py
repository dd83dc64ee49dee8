"""Vegetation types of the simulated pastures: what they are called, what they look like, when they grow.

Codes are invented; they stand for units that surveys of alpine pastures tell apart. Leaf and ground spectra are drawn
by hand around the grass, heath and rock of `spectra.py`, after what is common to published field spectra of mountain
grassland: leaves differ by a few hundredths in the near infrared (leaf area, angle) and by less elsewhere, dead matter
is bright in the short-wave infrared, wet ground dark. The courses are assumptions of the order that phenology studies
of alpine grassland report: green within one to three weeks after snow-melt, at its peak four to six weeks later.
"""

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np

from containers.eodata.cover import Cover
from containers.eodata.noise import FloatArray


class PlantType(IntEnum):
    """What grows on a cell, uint8."""

    NONE = 0
    """Woods, rock and water, which the cover tells."""
    NARD = 1
    FERT = 2
    DRYG = 3
    SNOW = 4
    TALL = 5
    HEAT = 6
    SCRE = 7
    WETM = 8
    SHRB = 9


NAMES: Final = {
    PlantType.NARD: "mat-grass", PlantType.FERT: "rich pasture", PlantType.DRYG: "dry sward",
    PlantType.SNOW: "snowbed", PlantType.TALL: "tall herbs", PlantType.HEAT: "dwarf shrub heath",
    PlantType.SCRE: "scree", PlantType.WETM: "wet meadow", PlantType.SHRB: "green alder and juniper shrub",
}  # fmt: skip
COVER_OF: Final = {
    PlantType.HEAT: Cover.MOOR, PlantType.SCRE: Cover.ROCK, PlantType.WETM: Cover.MARSH, PlantType.SHRB: Cover.MOOR,
}  # fmt: skip
"""Cover type in the legends of land cover; grassland otherwise."""


class Looks(NamedTuple):
    """Reflectance in the bands of `spectra.BANDS`."""

    leaf: tuple[float, ...]
    ground: tuple[float, ...]


class Growth(NamedTuple):
    """The year of a type. Days after the cell's snow-melt, or days of the year."""

    lowest: float
    """Share of ground under green leaves in winter, `peak` in full growth."""
    peak: float
    lag: float
    """Days from snow-melt to half of the rise."""
    rise: float
    end: float
    """Day of the year on which half of the leaves have withered, at 1,500 m."""
    fall: float
    drying: float
    """Share of the leaves that a dry summer withers on dry ground."""
    eaten: float
    """Share of the leaves that full grazing takes."""


_STRAW: Final = (0.075, 0.102, 0.125, 0.158, 0.215, 0.243, 0.262, 0.272, 0.290, 0.211)
_SOIL: Final = (0.062, 0.083, 0.103, 0.128, 0.160, 0.178, 0.195, 0.205, 0.248, 0.195)
_STONES: Final = (0.105, 0.128, 0.150, 0.168, 0.182, 0.194, 0.204, 0.212, 0.255, 0.225)
_PEAT: Final = (0.040, 0.052, 0.062, 0.080, 0.105, 0.117, 0.128, 0.134, 0.140, 0.098)
_TWIGS: Final = (0.048, 0.062, 0.078, 0.100, 0.130, 0.145, 0.160, 0.170, 0.205, 0.148)

LOOKS: Final = {
    PlantType.NARD: Looks((0.037, 0.069, 0.054, 0.107, 0.226, 0.285, 0.310, 0.322, 0.226, 0.130), _STRAW),
    PlantType.FERT: Looks((0.031, 0.069, 0.041, 0.102, 0.272, 0.350, 0.380, 0.390, 0.210, 0.109), _SOIL),
    PlantType.DRYG: Looks((0.040, 0.072, 0.059, 0.111, 0.226, 0.282, 0.305, 0.318, 0.236, 0.141), _STRAW),
    PlantType.SNOW: Looks((0.034, 0.065, 0.046, 0.100, 0.232, 0.294, 0.318, 0.329, 0.208, 0.116), _SOIL),
    PlantType.TALL: Looks((0.028, 0.064, 0.036, 0.096, 0.278, 0.363, 0.393, 0.403, 0.200, 0.098), _SOIL),
    PlantType.HEAT: Looks((0.029, 0.051, 0.042, 0.082, 0.188, 0.233, 0.256, 0.268, 0.182, 0.100), _TWIGS),
    PlantType.SCRE: Looks((0.037, 0.068, 0.052, 0.105, 0.228, 0.286, 0.310, 0.322, 0.222, 0.128), _STONES),
    PlantType.WETM: Looks((0.031, 0.060, 0.044, 0.094, 0.222, 0.284, 0.307, 0.317, 0.184, 0.097), _PEAT),
    PlantType.SHRB: Looks((0.025, 0.050, 0.031, 0.081, 0.228, 0.302, 0.328, 0.339, 0.168, 0.080), _TWIGS),
}
GROWTH: Final = {
    PlantType.NARD: Growth(0.18, 0.72, 22, 10, 241, 15, 0.32, 0.30),
    PlantType.FERT: Growth(0.28, 0.87, 11, 8, 258, 18, 0.14, 0.75),
    PlantType.DRYG: Growth(0.16, 0.64, 15, 9, 235, 15, 0.45, 0.45),
    PlantType.SNOW: Growth(0.14, 0.70, 10, 6, 244, 12, 0.12, 0.40),
    PlantType.TALL: Growth(0.16, 0.91, 17, 8, 245, 11, 0.10, 0.20),
    PlantType.HEAT: Growth(0.45, 0.76, 20, 12, 256, 18, 0.10, 0.06),
    PlantType.SCRE: Growth(0.06, 0.34, 15, 9, 239, 14, 0.25, 0.20),
    PlantType.WETM: Growth(0.18, 0.80, 17, 9, 251, 14, 0.04, 0.28),
    PlantType.SHRB: Growth(0.24, 0.88, 18, 8, 261, 9, 0.06, 0.04),
}
TONE, HUE, GRAIN = 0.11, 0.08, 0.06
"""Standard deviations within a type: of brightness, of short-wave infrared against visible, from cell to cell."""


def of_types(values: dict[PlantType, float]) -> FloatArray:
    """A look-up array by type; 0 for none."""
    return np.array([values.get(kind, 0.0) for kind in PlantType], dtype=np.float32)


def growth(name: str) -> FloatArray:
    """One number of every type's course."""
    return of_types({kind: float(getattr(course, name)) for kind, course in GROWTH.items()})


def code_table() -> dict[str, int]:
    """Survey code to the number in rasters."""
    return {kind.name: int(kind) for kind in NAMES}
