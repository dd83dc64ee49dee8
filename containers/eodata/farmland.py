"""Straight-edged parcels, and what grows on them from year to year."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.eodata.cover import Cover
from containers.eodata.noise import Axis, FloatArray, IntArray, Noise

_FARM_M: Final = 750.0
_LANE_M: Final = 8.0
_ROTATION: Final = (
    (Cover.WINTER_CEREAL, 0.28), (Cover.RAPESEED, 0.09), (Cover.SPRING_CEREAL, 0.08), (Cover.MAIZE, 0.29),
    (Cover.ROOT_CROP, 0.14), (Cover.FALLOW, 0.12),
)  # fmt: skip
_MEADOW_SHARE: Final = 0.24
_VINEYARD_SHARE: Final = 0.04


class Parcels(NamedTuple):
    """The parcel of every cell: two lattice indices that no other parcel shares, and what never changes there."""

    row: IntArray
    column: IntArray
    lane: npt.NDArray[np.bool_]
    """Lanes and hedges along the borders of the farms."""
    yard: npt.NDArray[np.uint8]
    """Cover of the farm's buildings and yard; NONE elsewhere."""


def parcels(noise: Noise, y_m: Axis, x_m: Axis) -> Parcels:
    """Strips of land in farms: every farm has its own bearing, strip width and strip length."""
    farm = noise.sites(y_m, x_m, _FARM_M, "farm")

    def of_farm(salt: str) -> FloatArray:
        return noise.per_site(farm, salt)

    bearing = of_farm("bearing") * np.float32(np.pi)
    across_m, along_m = 60 + 130 * of_farm("strip width"), 180 + 320 * of_farm("strip length")
    cosine, sine = np.cos(bearing), np.sin(bearing)
    strip = np.floor((farm.x_m * cosine - farm.y_m * sine) / across_m).astype(np.int64)
    stagger = noise.uniform(strip, farm.row, "stagger") * along_m
    piece = np.floor((farm.x_m * sine + farm.y_m * cosine + stagger) / along_m).astype(np.int64)
    yard_m = 90 * of_farm("yard") - 25
    building = noise.uniform(np.floor(farm.y_m / 17), np.floor(farm.x_m / 17), "building")
    yard = np.select(
        [building < 0.35, building < 0.6, building < 0.8],
        [Cover.TILE_ROOF, Cover.ASPHALT, Cover.CONCRETE],
        Cover.GARDEN,
    )
    yard = np.where(np.hypot(farm.x_m, farm.y_m) < yard_m, yard, Cover.NONE).astype(np.uint8)
    return Parcels(farm.row * 64 + strip, farm.column * 64 + piece, farm.edge_m < _LANE_M, yard)


def crops(noise: Noise, farm: Parcels, meadow: FloatArray, year: int) -> npt.NDArray[np.uint8]:
    """Cover of the farmland in a year: permanent meadow and vineyard, else a crop that rotates."""
    permanent = noise.uniform(farm.row, farm.column, "permanent") - 0.12 * meadow
    edges = np.cumsum([share for _, share in _ROTATION])[:-1].astype(np.float32)
    kinds = np.array([kind for kind, _ in _ROTATION], dtype=np.uint8)
    crop = kinds[np.searchsorted(edges, noise.uniform(farm.row, farm.column, f"crop {year}"))]
    crop = np.where(permanent < _MEADOW_SHARE, Cover.GRASSLAND, crop)
    crop = np.where(permanent > 1 - _VINEYARD_SHARE, Cover.VINEYARD, crop)
    paved = noise.uniform(farm.row // 64, farm.column // 64, "lane") < 0.35
    crop = np.where(farm.yard > 0, farm.yard, crop)
    return np.where(farm.lane, np.where(paved, Cover.ASPHALT, Cover.TREES), crop).astype(np.uint8)
