"""What lies on the ground: cover types with their codes in the public legends."""

from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from containers.base.contract.legend import LandCover


class Cover(IntEnum):
    """Cover types of the fine landscape, uint8."""

    NONE = 0
    TILE_ROOF = 1
    GREY_ROOF = 2
    ASPHALT = 3
    CONCRETE = 4
    HALL = 5
    GARDEN = 6
    TREES = 7
    WINTER_CEREAL = 8
    RAPESEED = 9
    SPRING_CEREAL = 10
    MAIZE = 11
    ROOT_CROP = 12
    FALLOW = 13
    GRASSLAND = 14
    VINEYARD = 15
    BROADLEAF = 16
    CONIFER = 17
    MOOR = 18
    MARSH = 19
    PEATBOG = 20
    ROCK = 21
    WATER = 22
    REGROWTH = 23


_SEALED: Final = (Cover.TILE_ROOF, Cover.GREY_ROOF, Cover.ASPHALT, Cover.CONCRETE, Cover.HALL)
_CROPS: Final = (
    Cover.WINTER_CEREAL, Cover.RAPESEED, Cover.SPRING_CEREAL, Cover.MAIZE, Cover.ROOT_CROP, Cover.FALLOW,
)  # fmt: skip

S2GLC_CODES: Final[dict[Cover, int]] = {
    **dict.fromkeys(_SEALED, 62),
    **dict.fromkeys(_CROPS, 73),
    **dict.fromkeys((Cover.GARDEN, Cover.GRASSLAND, Cover.REGROWTH), 102),
    **dict.fromkeys((Cover.TREES, Cover.BROADLEAF), 82),
    Cover.VINEYARD: 75,
    Cover.CONIFER: 83,
    Cover.MOOR: 103,
    Cover.MARSH: 105,
    Cover.PEATBOG: 106,
    Cover.ROCK: 121,
    Cover.WATER: 162,
}
"""Codes of S2GLC Europe 2017 v1.2."""

CLC_PLUS_CODES: Final[dict[Cover, int]] = {
    **dict.fromkeys(_SEALED, 1),
    **dict.fromkeys(_CROPS, 7),
    **dict.fromkeys((Cover.GARDEN, Cover.GRASSLAND, Cover.REGROWTH, Cover.MARSH, Cover.PEATBOG), 6),
    **dict.fromkeys((Cover.TREES, Cover.BROADLEAF), 3),
    **dict.fromkeys((Cover.VINEYARD, Cover.MOOR), 5),
    Cover.CONIFER: 2,
    Cover.ROCK: 9,
    Cover.WATER: 10,
}
"""Codes of CLC+ Backbone 2018, whose legend has no wetlands."""

_OTHER: Final = (Cover.MARSH, Cover.PEATBOG, Cover.WATER)


def land_cover(cover: Cover) -> LandCover:
    """The class of a cover type: natural surfaces count as impervious, wetlands and water as other."""
    if cover is Cover.NONE:
        return LandCover.UNKNOWN
    if cover in _SEALED or cover is Cover.ROCK:
        return LandCover.IMPERVIOUS
    return LandCover.OTHER if cover in _OTHER else LandCover.GREEN


def table(codes: dict[Cover, int]) -> npt.NDArray[np.uint8]:
    """Look-up array from cover type to code."""
    return np.array([codes.get(cover, 0) for cover in Cover], dtype=np.uint8)


LAND_COVER: Final = table({cover: int(land_cover(cover)) for cover in Cover})
S2GLC: Final = table(S2GLC_CODES)
CLC_PLUS: Final = table(CLC_PLUS_CODES)
