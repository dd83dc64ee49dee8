"""Gamma nought of the ground at C band: what grows, stands or burned there, how wet it is, and how rough.

Crops, meadows and woods follow the water cloud model (Attema & Ulaby 1978, doi 10.1029/RS013i002p00357): a canopy that
scatters, and soil seen through it. Levels are those of temperate Europe: woods −8 dB in VV and −14 dB in VH, crops −10
to −14 and −15 to −20, bare soil −17 to −9 and −26 to −18 by moisture (Veloso et al. 2017,
doi 10.1016/j.rse.2017.07.015; Vreugdenhil et al. 2018, doi 10.3390/rs10091396), towns −4 and −11, water −24 to −15 by
wind. Burned woods lose up to 3 dB in VH; in VV wet soil shows through the opened canopy, so that it falls where it is
dry and rises where it is wet (Tanase et al. 2010, doi 10.1109/TGRS.2010.2049653; Belenguer-Plomer et al. 2019,
doi 10.3390/rs11222661).
"""

from typing import Final, NamedTuple

import numpy as np

from containers.base.contract.radar import Polarisation
from containers.eodata.colours import Plants
from containers.eodata.cover import Cover
from containers.eodata.moisture import Wetness
from containers.eodata.noise import Axis, FloatArray, Noise
from containers.eodata.seasons import Greenness
from containers.eodata.spectra import DEVIATE, LEVELS

POLARISATIONS: Final[tuple[Polarisation, ...]] = ("vv", "vh")


class _Canopy(NamedTuple):
    """Full canopy, in dB, and its optical depth along the way down, per polarisation (vv, vh)."""

    vv_db: float
    vh_db: float
    vv_depth: float
    vh_depth: float


_CANOPIES: Final = {
    Cover.WINTER_CEREAL: _Canopy(-14.5, -19.5, 0.95, 0.55), Cover.SPRING_CEREAL: _Canopy(-14.0, -19.0, 0.85, 0.50),
    Cover.RAPESEED: _Canopy(-9.8, -14.6, 1.10, 1.00), Cover.MAIZE: _Canopy(-10.6, -16.0, 0.75, 0.75),
    Cover.ROOT_CROP: _Canopy(-9.6, -15.6, 0.85, 0.80), Cover.FALLOW: _Canopy(-12.5, -18.5, 0.45, 0.40),
    Cover.GRASSLAND: _Canopy(-13.2, -19.8, 0.55, 0.50), Cover.GARDEN: _Canopy(-11.0, -16.5, 0.50, 0.50),
    Cover.VINEYARD: _Canopy(-10.5, -16.5, 0.35, 0.35), Cover.BROADLEAF: _Canopy(-8.3, -13.6, 1.60, 1.60),
    Cover.CONIFER: _Canopy(-8.0, -13.9, 1.50, 1.50), Cover.TREES: _Canopy(-8.4, -14.2, 1.10, 1.10),
    Cover.MOOR: _Canopy(-11.5, -17.3, 0.60, 0.60), Cover.MARSH: _Canopy(-10.0, -17.0, 0.55, 0.55),
    Cover.PEATBOG: _Canopy(-11.8, -18.0, 0.50, 0.50), Cover.REGROWTH: _Canopy(-10.6, -16.2, 0.80, 0.80),
}  # fmt: skip
_WOODS: Final = (Cover.CONIFER, Cover.BROADLEAF, Cover.TREES, Cover.MOOR, Cover.REGROWTH)
_LEAST_WOOD: Final = 0.75
"""Stems and branches scatter without leaves too."""
_STONE: Final = {
    Cover.TILE_ROOF: (-1.0, -8.5, 4.0), Cover.GREY_ROOF: (-1.5, -9.0, 4.0), Cover.HALL: (0.5, -10.0, 5.0),
    Cover.CONCRETE: (-8.0, -15.0, 3.0), Cover.ASPHALT: (-11.5, -18.5, 2.5), Cover.ROCK: (-12.5, -20.0, 1.5),
}  # fmt: skip
"""Gamma nought in dB (vv, vh) and its standard deviation from lot to lot, half of it by the track."""
_SOIL: Final[dict[Polarisation, tuple[float, float]]] = {"vv": (-18.8, 26.0), "vh": (-27.0, 24.0)}
"""Dry soil in dB, and dB per m³/m³ of moisture."""
_WATER: Final[dict[Polarisation, tuple[float, float]]] = {"vv": (-24.5, 9.0), "vh": (-30.0, 5.0)}
"""Calm water in dB, and dB from calm to windy."""
_ROUGHNESS_DB, _TRACK_DB, _UNIT_DB, _TEXTURE_DB = 1.6, 0.8, 0.6, 0.7
_VISIT_DB: Final = 0.6
"""What differs from visit to visit for no reason that is modelled: dew, wind in the leaves."""
_WET_LEAVES_DB: Final = 0.9
_BURNED_DB: Final[dict[Polarisation, tuple[float, float]]] = {"vv": (-1.6, 8.0), "vh": (-3.4, 4.0)}
"""Burned canopy of woods at full severity in dB on dry soil, and dB per m³/m³ of moisture."""


class Visit(NamedTuple):
    """When the radar passes, and from where."""

    ordinal: int
    """Day of the pass, which has one wind."""
    track: int
    """Relative orbit: rows and walls face each track otherwise."""


def gamma_nought(
    noise: Noise, plants: Plants, green: Greenness, severity: FloatArray, wet: Wetness, visit: Visit,
    y_m: Axis, x_m: Axis,
) -> dict[Polarisation, FloatArray]:  # fmt: skip
    """Gamma nought per polarisation, linear power, float32 (y, x). `severity` is that of a fire that has been."""
    cover = plants.cover
    kind = cover.astype(np.uint16) << 8
    canopy = green.canopy(kind, plants.timing, plants.vigour)
    woods = np.isin(cover, _WOODS)
    canopy = np.where(woods, np.maximum(canopy, _LEAST_WOOD), canopy * (1 - severity))
    own, rough, track = (_drawn(noise, salt)[plants.timing] for salt in ("radar", "rough", f"radar {visit.track}"))
    texture = _TEXTURE_DB * noise.smooth(y_m, x_m, 60, "radar texture", 2)
    texture += _VISIT_DB * noise.smooth(y_m, x_m, 130, f"radar on {visit.ordinal}", 3)
    wind = float(noise.uniform(visit.ordinal, visit.track, "wind speed"))
    waves = 1.2 * noise.smooth(y_m, x_m, 700, f"waves {visit.ordinal}", 3)
    power: dict[Polarisation, FloatArray] = {}
    for index, band in enumerate(POLARISATIONS):
        dry_db, per_moisture = _SOIL[band]
        soil_db = dry_db + per_moisture * wet.soil + _ROUGHNESS_DB * rough + _TRACK_DB * track
        leaf_db = _LEAF_DB[index][cover] + _WET_LEAVES_DB * wet.leaves + _UNIT_DB * own + 0.5 * _TRACK_DB * track
        lost_db, regained = _BURNED_DB[band]
        leaf_db = leaf_db + np.where(woods, severity * (lost_db + regained * wet.soil), 0)
        through = np.exp(-2 * _DEPTH[index][cover] * canopy)
        seen = _linear(leaf_db) * (1 - through) + _linear(soil_db) * through
        stone_db = _STONE_DB[index][cover] + _STONE_SPREAD[cover] * (0.7 * own + 0.7 * track)
        seen = np.where(np.isin(cover, list(_STONE)), _linear(np.minimum(stone_db, 8)), seen)
        calm_db, windy_db = _WATER[band]
        seen = np.where(cover == Cover.WATER, _linear(calm_db + windy_db * wind + waves), seen)
        power[band] = (seen * _linear(texture)).astype(np.float32)
    return power


def _drawn(noise: Noise, salt: str) -> FloatArray:
    """A standard normal deviate per quantile of timing: one for all cells of a parcel, a stand or a lot."""
    levels = np.arange(LEVELS)
    order = np.argsort(noise.uniform(levels, 0, salt))
    return DEVIATE[order]


def _linear(decibel: FloatArray) -> FloatArray:
    power: FloatArray = np.power(np.float32(10), np.asarray(decibel, dtype=np.float32) / 10)
    return power


def _by_cover(values: dict[Cover, float], otherwise: float) -> FloatArray:
    return np.array([values.get(kind, otherwise) for kind in Cover], dtype=np.float32)


_LEAF_DB: Final = [_by_cover({kind: each[index] for kind, each in _CANOPIES.items()}, -20.0) for index in (0, 1)]
_DEPTH: Final = [_by_cover({kind: each[index + 2] for kind, each in _CANOPIES.items()}, 0.0) for index in (0, 1)]
_STONE_DB: Final = [_by_cover({kind: each[index] for kind, each in _STONE.items()}, 0.0) for index in (0, 1)]
_STONE_SPREAD: Final = _by_cover({kind: each[2] for kind, each in _STONE.items()}, 0.0)
