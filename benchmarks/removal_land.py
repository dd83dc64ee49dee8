"""Land that is hard to rebuild: fields that grow, ripen or are cut each in its own way, and a fire.

Radar tells how much grows there, under speckle and the roughness of the soil, and less the more there is of it. The
colour of the soil and small patterns stay from date to date, and radar does not see them. What is seen of a field at
the second date tells the rest of it.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import Sky
from containers.base.scalers import Scaler

# By its folder: a distribution that brings a package `tests` would hide it.
sys.path.append(str(Path(__file__).parents[1] / "tests" / "containers" / "tensorflow"))
from removal_world import World, channels, make_world, smooth, write_pair, write_worlds

__all__ = ["BANDS", "SCALERS", "channels", "field_world", "make_world", "write_pair", "write_worlds"]

BANDS = ("red", "green", "nir08", "swir22")
SOIL, GREEN = np.array([0.17, 0.13, 0.25, 0.30]), np.array([0.03, 0.07, 0.45, 0.10])
CHAR = np.array([0.05, 0.05, 0.09, 0.16])
SCALERS = {
    "vv": Scaler(centre=-11.5, spread=2.0, factor=0.2),
    "vh": Scaler(centre=-18.0, spread=2.8, factor=0.2),
    "rgb": Scaler(centre=0.12, spread=0.06, factor=0.142, clip=1.0),
    "nir": Scaler(centre=0.33, spread=0.08, factor=0.142, clip=1.0),
}
_FIELD_PX = 14


def field_world(edge: int, seed: int) -> World:
    """A square of fields of about 14 cells across."""
    rng, shape = np.random.default_rng(seed), (edge, edge)
    fields = _fields(edge, rng)
    count = int(fields.max()) + 1
    kind = rng.integers(0, 3, count)
    first = np.clip(np.array([0.8, 0.45, 0.15])[kind] + rng.normal(0, 0.12, count), 0, 1)
    second = np.clip(first + np.array([0.0, -0.3, 0.35])[kind] + rng.normal(0, 0.2, count), 0, 1)
    second[(rng.random(count) < 0.12) & (kind > 0)] = 0.05
    texture = 0.06 * smooth(shape, 5, rng)
    greenness = [np.clip(values[fields] + texture, 0, 1) for values in (first, second)]
    fire = (smooth(shape, edge // 2, rng) > 1.0) & (kind == 0)[fields]
    soil = SOIL * (1 + rng.normal(0, 0.25, count)[fields] + 0.15 * smooth(shape, 3, rng))[..., None]
    images = [_reflectance(green, soil, rng) for green in greenness]
    images[1] = images[1] + 0.01 * smooth(shape, edge // 2, rng)[..., None]
    images[1] = np.where(fire[..., None], CHAR + 0.05 * (images[1] - SOIL), images[1])
    greenness[1] = np.where(fire, 0.25, greenness[1])
    high = smooth(shape, edge // 2, rng)
    cloud = high > np.quantile(high, 1 - rng.uniform(0, 0.6))
    return World(
        radar=_backscatter(greenness, fields, rng),
        first=np.clip(images[0], 0.001, 1),
        second=np.clip(images[1], 0.001, 1),
        sky_t0=np.full(shape, Sky.CLEAR, np.uint8),
        sky_t1=np.where(cloud, Sky.CLOUD, Sky.CLEAR).astype(np.uint8),
    )


def _fields(edge: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Cells by their nearest of random points."""
    points = rng.uniform(0, edge, (max(4, (edge // _FIELD_PX) ** 2), 2))
    rows, cols = np.mgrid[:edge, :edge]
    distance = (rows[..., None] - points[:, 0]) ** 2 + (cols[..., None] - points[:, 1]) ** 2
    return distance.argmin(axis=-1)


def _reflectance(
    green: NDArray[np.float64], soil: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    return soil + (GREEN - soil) * green[..., None] + rng.normal(0, 0.004, (*green.shape, len(BANDS)))


def _backscatter(
    greenness: list[NDArray[np.float64]], fields: NDArray[np.intp], rng: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    found = {}
    for date, green in zip(("t0", "t1"), greenness, strict=True):
        grown = 1 - np.exp(-2 * green)
        roughness = rng.normal(0, 1.0, int(fields.max()) + 1)[fields]
        moisture = 0.7 * smooth(green.shape, 30, rng)
        found[f"vv_{date}"] = -14 + 4 * grown + roughness + moisture + rng.normal(0, 1.0, green.shape)
        found[f"vh_{date}"] = -22 + 8 * grown + 0.7 * roughness + rng.normal(0, 1.0, green.shape)
    return found
