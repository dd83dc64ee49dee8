"""Reflectance of the ground through the seasons, in all 13 bands: plants as they stand on a day, straw, soil, snow."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtri

from containers.eodata.cover import Cover
from containers.eodata.noise import Axis, FloatArray, Noise
from containers.eodata.seasons import Greenness
from containers.eodata.sky import field_at
from containers.eodata.spectra import BANDS, BLOOM, DEVIATE, GRASS, HAY, HUE_SLOPE, LEAF, OPTICS, SOIL

ALL_BANDS: Final = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
ByteArray = npt.NDArray[np.uint8]
_MIXTURES: Final = {
    "B01": {"B02": 1.35, "B03": -0.35}, "B09": {"B8A": 0.85, "B11": 0.15}, "B10": {"B8A": 0.45, "B11": 0.55},
}  # fmt: skip
"""Bands of 60 m, in which spectra are smooth, from their neighbours."""
_LITTER: Final = (0.036, 0.048, 0.062, 0.080, 0.098, 0.112, 0.126, 0.136, 0.178, 0.122)
"""Ground of woods: leaf litter, bark and undergrowth."""
_SAND: Final = (0.190, 0.245, 0.295, 0.320, 0.338, 0.350, 0.362, 0.375, 0.445, 0.405)
_WHITE_ROOF: Final = (0.380, 0.400, 0.410, 0.412, 0.412, 0.412, 0.410, 0.408, 0.370, 0.320)
_OTHERWISE: Final = {
    ("ground", Cover.BROADLEAF): _LITTER, ("ground", Cover.CONIFER): _LITTER, ("ground", Cover.TREES): _LITTER,
    ("canopy", Cover.RAPESEED): LEAF, ("canopy", Cover.FALLOW): GRASS, ("canopy", Cover.REGROWTH): GRASS,
    ("ground", Cover.REGROWTH): HAY,
    **{(part, Cover.ROCK): _SAND for part in ("canopy", "ground")},
    **{(part, Cover.HALL): _WHITE_ROOF for part in ("canopy", "ground")},
}  # fmt: skip
"""Spectra that the month of May, for which the others were drawn, does not show, and surfaces as bright as clouds."""
_SNOW: Final = dict(
    zip(ALL_BANDS, (0.86, 0.87, 0.86, 0.85, 0.83, 0.81, 0.79, 0.76, 0.73, 0.62, 0.14, 0.11, 0.09), strict=True)
)
_EXPOSED: Final = {
    Cover.CONIFER: 0.22, Cover.BROADLEAF: 0.55, Cover.TREES: 0.50, Cover.WATER: 0.0, Cover.ASPHALT: 0.35,
    Cover.TILE_ROOF: 0.80, Cover.GREY_ROOF: 0.80, Cover.CONCRETE: 0.60,
}  # fmt: skip
"""Share of fallen snow that is seen from above; 1 elsewhere."""
_SNOW_FIELD_M: Final = 2600.0


class Plants(NamedTuple):
    """Fine layers of one year, uint8: the layers of `camera.Ground`, and the timing of plants."""

    cover: ByteArray
    tone: ByteArray
    hue: ByteArray
    vigour: ByteArray
    grain: ByteArray
    timing: ByteArray


def _spectra(part: str) -> dict[str, FloatArray]:
    """Band to reflectance by cover type."""
    rows = [_OTHERWISE.get((part, kind), getattr(optics, part)) for kind, optics in OPTICS.items()]
    return all_bands(np.array(rows, dtype=np.float32))


def all_bands(known: FloatArray) -> dict[str, FloatArray]:
    columns = {band: known[:, index] for index, band in enumerate(BANDS)}
    for band, parts in _MIXTURES.items():
        mixture = np.sum([weight * columns[name] for name, weight in parts.items()], axis=0)
        columns[band] = np.clip(mixture, 0.002, None).astype(np.float32)
    return columns


_CANOPY, _GROUND = _spectra("canopy"), _spectra("ground")
_STRAW, _BLOOM = (
    {band: float(values[0]) for band, values in all_bands(np.array([spectrum], dtype=np.float32)).items()}
    for spectrum in (HAY, BLOOM)
)
HUE_SLOPES: Final = {**dict(zip(BANDS, HUE_SLOPE, strict=True)), "B01": -1.1, "B09": 0.3, "B10": 0.5}
_IS_WETTABLE: Final = np.array([optics.ground in (SOIL, HAY) for optics in OPTICS.values()])
SEEN_SNOW: Final = np.array([_EXPOSED.get(kind, 1.0) for kind in Cover], dtype=np.float32)


def ground_reflectance(
    plants: Plants, green: Greenness, moisture: float, bands: tuple[str, ...]
) -> tuple[dict[str, FloatArray], FloatArray]:
    """Reflectance per band and canopy cover of the fine cells, without snow.

    `moisture` (0 dry to 1 wet) darkens bare ground by up to a third (Lobell & Asner 2002).
    """
    kind = plants.cover.astype(np.uint16) << 8
    canopy = green.canopy(kind, plants.timing, plants.vigour)
    straw, bloom = (table[kind | plants.timing] for table in (green.straw, green.bloom))
    bright = _spread("tone")[kind | plants.tone] * _spread("grain")[kind | plants.grain]
    wet = np.where(_IS_WETTABLE, 1 - 0.33 * moisture, 1).astype(np.float32)
    hue = DEVIATE[plants.hue] * _deviations("hue")[plants.cover]
    reflectance = {}
    for band in bands:
        bare = (_GROUND[band] * wet)[plants.cover]
        bare += straw * (_STRAW[band] - bare)
        leaves = _CANOPY[band][plants.cover]
        leaves += bloom * (_BLOOM[band] - leaves)
        body = bare + canopy * (leaves - bare)
        reflectance[band] = (body * bright * np.exp(np.float32(HUE_SLOPES[band]) * hue)).astype(np.float32)
    return reflectance, canopy


def _deviations(what: str) -> FloatArray:
    return np.array([getattr(optics, what) for optics in OPTICS.values()], dtype=np.float32)


def _spread(what: str) -> FloatArray:
    """Factor by cover type × 256 + quantile level."""
    factors: FloatArray = np.exp(_deviations(what)[:, None] * DEVIATE[None, :]).ravel().astype(np.float32)
    return factors


def snow_share(noise: Noise, ordinal_day: int, day_of_year: int) -> float:
    """Share of the land under snow on a day: spells of some weeks in winter, none in summer."""
    winter = np.exp(-((((day_of_year + 160) % 365 - 178) / 42) ** 2))
    spell = noise.smooth(np.array([float(ordinal_day)]), np.zeros(1), 24.0, "snow spell", 2)[0, 0]
    return float(np.clip(winter * expit(2.2 * (spell + 0.1)) * 1.2, 0, 1))


def snow_cover(noise: Noise, share: float, cover: ByteArray, east_m: Axis, north_m: Axis) -> FloatArray:
    """Share of each cell that looks white; patchy at the edge of the snow."""
    if share < 0.01:
        return np.zeros(cover.shape, dtype=np.float32)
    field = field_at(north_m, east_m, 40.0, lambda y, x: noise.smooth(y, x, _SNOW_FIELD_M, "snow", 5))
    fallen: FloatArray = np.clip((field - np.float32(ndtri(1 - min(share, 0.999)))) / 0.35 + 0.5, 0, 1)
    return fallen * SEEN_SNOW[cover]


def snowed_on(reflectance: FloatArray, snow: FloatArray, band: str, freshness: float) -> FloatArray:
    """Ground under snow, whose brightness falls as it ages."""
    mixed: FloatArray = reflectance + snow * (np.float32(_SNOW[band] * freshness) - reflectance)
    return mixed
