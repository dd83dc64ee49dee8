"""Reflectance of every cover type on a day of the year, with the variability inside the type.

Typical bottom-of-atmosphere spectra of central Europe, drawn by hand after published spectral libraries (ECOSTRESS,
KLUM for urban surfaces) at the Sentinel-2 bands. Bare soil and roof tiles, dark soil and asphalt nearly coincide, as
they do in reality.
"""

from typing import Final, NamedTuple

import numpy as np
from scipy.special import expit, ndtri

from containers.eodata.cover import Cover
from containers.eodata.noise import FloatArray

BANDS: Final = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
LEVELS: Final = 256
DEVIATE: Final[FloatArray] = ndtri((np.arange(LEVELS) + 0.5) / LEVELS).astype(np.float32)
"""Quantile level to standard normal deviate."""

SOIL: Final = (0.086, 0.108, 0.134, 0.153, 0.170, 0.185, 0.202, 0.213, 0.254, 0.222)
LEAF: Final = (0.030, 0.065, 0.034, 0.095, 0.280, 0.360, 0.390, 0.400, 0.190, 0.090)
BLOOM: Final = (0.045, 0.125, 0.095, 0.155, 0.320, 0.390, 0.420, 0.425, 0.205, 0.100)
GRASS: Final = (0.035, 0.070, 0.047, 0.105, 0.260, 0.330, 0.360, 0.370, 0.220, 0.120)
HAY: Final = (0.072, 0.098, 0.118, 0.155, 0.225, 0.255, 0.275, 0.285, 0.290, 0.205)
_URBAN_TREE: Final = (0.026, 0.052, 0.032, 0.078, 0.220, 0.290, 0.315, 0.325, 0.155, 0.075)
_BROAD_LEAF: Final = (0.022, 0.048, 0.026, 0.075, 0.235, 0.315, 0.340, 0.350, 0.150, 0.066)
_NEEDLE: Final = (0.018, 0.032, 0.020, 0.050, 0.140, 0.175, 0.190, 0.198, 0.090, 0.042)
_HEATH: Final = (0.030, 0.050, 0.050, 0.082, 0.155, 0.185, 0.205, 0.218, 0.190, 0.112)
_REED: Final = (0.035, 0.062, 0.050, 0.090, 0.190, 0.230, 0.250, 0.258, 0.166, 0.097)
_MOSS: Final = (0.034, 0.052, 0.056, 0.086, 0.148, 0.172, 0.190, 0.200, 0.174, 0.107)
_MUD: Final = (0.040, 0.050, 0.050, 0.055, 0.060, 0.064, 0.066, 0.068, 0.062, 0.042)


class Phenology(NamedTuple):
    """Canopy cover before and after green-up around `day_of_year`, and its `spread` per deviate of vigour."""

    lowest: float
    highest: float
    day_of_year: float
    spread: float


class Optics(NamedTuple):
    """What a cover type looks like."""

    canopy: tuple[float, ...]
    ground: tuple[float, ...]
    phenology: Phenology
    tone: float
    """Standard deviation of brightness, relative."""
    hue: float
    """Standard deviation of the short-wave infrared against the visible, relative."""
    grain: float
    """Standard deviation from cell to cell, relative."""


def _surface(*spectrum: float, tone: float, hue: float = 0.10, grain: float = 0.12) -> Optics:
    return Optics(spectrum, spectrum, Phenology(0, 0, 0, 0), tone, hue, grain)


def _plants(
    canopy: tuple[float, ...],
    *phenology: float,
    ground: tuple[float, ...] = SOIL,
    tone: float = 0.26,
    hue: float = 0.16,
    grain: float = 0.04,
) -> Optics:
    return Optics(canopy, ground, Phenology(*phenology), tone, hue, grain)


OPTICS: Final[dict[Cover, Optics]] = {
    Cover.NONE: _surface(*([0.0] * 10), tone=0, hue=0, grain=0),
    Cover.TILE_ROOF: _surface(0.070, 0.095, 0.150, 0.170, 0.185, 0.197, 0.212, 0.222, 0.262, 0.233, tone=0.32),
    Cover.GREY_ROOF: _surface(0.095, 0.110, 0.120, 0.128, 0.136, 0.143, 0.152, 0.158, 0.180, 0.166, tone=0.30),
    Cover.ASPHALT: _surface(0.085, 0.100, 0.110, 0.117, 0.124, 0.130, 0.138, 0.143, 0.165, 0.150, tone=0.32),
    Cover.CONCRETE: _surface(0.130, 0.155, 0.180, 0.197, 0.208, 0.218, 0.228, 0.236, 0.275, 0.250, tone=0.32),
    Cover.HALL: _surface(0.190, 0.210, 0.225, 0.230, 0.236, 0.242, 0.248, 0.254, 0.280, 0.245, tone=0.32),
    Cover.GARDEN: _plants(GRASS, 0.60, 0.75, 120, 0.15, grain=0.10),
    Cover.TREES: _plants(_URBAN_TREE, 0.7, 0.9, 118, 0.10, grain=0.12),
    Cover.WINTER_CEREAL: _plants(LEAF, 0.74, 0.86, 125, 0.18),
    Cover.RAPESEED: _plants(BLOOM, 0.85, 0.92, 125, 0.10),
    Cover.SPRING_CEREAL: _plants(LEAF, 0.10, 0.80, 132, 0.10),
    Cover.MAIZE: _plants(LEAF, 0.03, 0.85, 172, 0.04),
    Cover.ROOT_CROP: _plants(LEAF, 0.04, 0.85, 162, 0.05),
    Cover.FALLOW: _plants(HAY, 0.30, 0.45, 130, 0.26),
    Cover.GRASSLAND: _plants(GRASS, 0.66, 0.74, 125, 0.22, ground=HAY, grain=0.05),
    Cover.VINEYARD: _plants(LEAF, 0.22, 0.42, 140, 0.10, grain=0.08),
    Cover.BROADLEAF: _plants(_BROAD_LEAF, 0.8, 0.97, 118, 0.05, grain=0.10),
    Cover.CONIFER: _plants(_NEEDLE, 0.96, 0.96, 118, 0.04, grain=0.12),
    Cover.MOOR: _plants(_HEATH, 0.80, 0.90, 130, 0.12, ground=HAY, grain=0.09),
    Cover.MARSH: _plants(_REED, 0.64, 0.76, 135, 0.20, ground=_MUD, grain=0.14),
    Cover.PEATBOG: _plants(_MOSS, 0.70, 0.80, 135, 0.18, ground=_MUD, grain=0.12),
    Cover.ROCK: _surface(0.110, 0.135, 0.158, 0.175, 0.187, 0.198, 0.208, 0.216, 0.262, 0.232, tone=0.22, grain=0.12),
    Cover.WATER: _surface(0.045, 0.045, 0.030, 0.022, 0.016, 0.015, 0.014, 0.013, 0.009, 0.006, tone=0.30, grain=0.05),
    Cover.REGROWTH: _plants(HAY, 0.55, 0.70, 125, 0.18, ground=GRASS, grain=0.10),
}  # fmt: skip
HUE_SLOPE: Final = np.array([-1.0, -0.7, -0.4, -0.2, 0, 0, 0.1, 0.2, 0.8, 1.0], dtype=np.float32)
_GREEN_UP_DAYS: Final = 9.0
_EARLINESS_DAYS: Final = 7.0


class Palette(NamedTuple):
    """Look-up tables of one date, indexed by cover type × 256 + quantile level."""

    body: dict[str, FloatArray]
    """Band to reflectance by vigour."""
    hue: dict[str, FloatArray]
    """Band to factor by hue."""
    tone: FloatArray
    """Factor by tone."""
    grain: FloatArray
    """Factor by grain."""
    canopy: FloatArray
    """Share of green canopy by vigour."""


def palette(bands: tuple[str, ...], day_of_year: int, moisture: float) -> Palette:
    """Spectra on a day; `moisture` (0 dry to 1 wet) darkens bare ground by up to a third (Lobell & Asner 2002)."""
    cover = np.zeros((len(Cover), LEVELS), dtype=np.float32)
    for kind, optics in OPTICS.items():
        low, high, day, spread = optics.phenology
        grown = expit((day_of_year - day + _EARLINESS_DAYS * DEVIATE) / _GREEN_UP_DAYS)
        cover[kind] = np.clip(low + (high - low) * grown + spread * DEVIATE, 0, 1)
    wet = np.array([1 - 0.33 * moisture if optics.ground in (SOIL, HAY) else 1 for optics in OPTICS.values()])
    body, hue = {}, {}
    for band in bands:
        index = BANDS.index(band)
        canopy, ground = (
            np.array([getattr(optics, part)[index] for optics in OPTICS.values()], dtype=np.float32)[:, None]
            for part in ("canopy", "ground")
        )
        body[band] = (cover * canopy + (1 - cover) * ground * wet[:, None].astype(np.float32)).ravel()
        hue[band] = _spread("hue", float(HUE_SLOPE[index]))
    return Palette(body, hue, _spread("tone"), _spread("grain"), cover.ravel())


def _spread(what: str, slope: float = 1.0) -> FloatArray:
    deviations = np.array([getattr(optics, what) for optics in OPTICS.values()], dtype=np.float32)
    factors: FloatArray = np.exp(deviations[:, None] * slope * DEVIATE[None, :]).ravel().astype(np.float32)
    return factors
