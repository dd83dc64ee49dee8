"""A fire: where it burned, and how severely."""

import math
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter

from containers.base.contract.grid import Bounds
from containers.eodata.colours import Plants
from containers.eodata.contract.scenario import Fire
from containers.eodata.cover import Cover
from containers.eodata.landscape import Landscape
from containers.eodata.noise import Axis, FloatArray, Noise
from containers.eodata.seasons import Greenness, Year

BURNED_FROM: Final = 0.15
"""Severity from which a cell counts as burned: a wood then has lost about 0.15 of its NBR, above the 0.10 from which
Key & Benson (2006, FIREMON, table LA-1) call a fire of low severity."""
_SURVEY_M: Final = 90.0
_STRETCH: Final = 1.5
"""Length of a scar, along the wind, against its width."""
_FUEL: Final = {
    Cover.CONIFER: 1.0, Cover.MOOR: 0.95, Cover.BROADLEAF: 0.8, Cover.REGROWTH: 0.8, Cover.TREES: 0.6,
    Cover.PEATBOG: 0.55, Cover.GRASSLAND: 0.45, Cover.MARSH: 0.3, Cover.VINEYARD: 0.25,
    Cover.WINTER_CEREAL: 0.9, Cover.RAPESEED: 0.85, Cover.SPRING_CEREAL: 0.8, Cover.FALLOW: 0.75,
}  # fmt: skip
"""Severity of the hottest fire; 0 for towns, waters, rock, and crops that are green in summer."""
_STANDING_CROPS: Final = (Cover.WINTER_CEREAL, Cover.RAPESEED, Cover.SPRING_CEREAL)
_LEAST_CROP: Final = 0.35
"""Canopy from which a crop carries a fire: neither seedlings nor stubble do."""
FUEL: Final = np.array([_FUEL.get(kind, 0.0) for kind in Cover], dtype=np.float32)


@dataclass(frozen=True)
class Scar:
    """A fire of one day: centres (x, y) in metres, and how far it spread."""

    noise: Noise
    day: date
    centres_m: tuple[tuple[float, float], ...]
    radius_m: float
    wind: float
    """Bearing of the wind in radians."""
    limit: float
    """Fire passes where its own field is above this."""
    green: Greenness

    @classmethod
    def planned(cls, ground: Landscape, fire: Fire, area: Bounds) -> "Scar":
        """Scars where most fuel is, inside the area, that burn the wanted share of it."""
        y_m, x_m = np.arange(area.north, area.south, -_SURVEY_M), np.arange(area.west, area.east, _SURVEY_M)
        layers = ground.window(y_m, x_m)
        year = fire.day.year
        plants = Plants(layers.cover[year], *layers[1:5], layers.timing[year])
        size_m2 = (area.north - area.south) * (area.east - area.west)
        unset = cls(
            ground.noise, fire.day, (), math.sqrt(1.3 * fire.share * size_m2 / (math.pi * fire.scars)),
            2 * math.pi * float(ground.noise.uniform(0, 0, "wind")), 0.0,
            Greenness.on(fire.day.timetuple().tm_yday, Year.of(ground.noise.seed, year)),
        )  # fmt: skip
        lit = replace(unset, centres_m=unset._ignited(FUEL[plants.cover], y_m, x_m, fire.scars))
        low, high = -3.0, 2.0
        for _ in range(30):
            middle = (low + high) / 2
            burned = replace(lit, limit=middle).severity(plants, y_m, x_m) >= BURNED_FROM
            low, high = (middle, high) if burned.mean() > fire.share else (low, middle)
        return replace(lit, limit=high)

    def _ignited(self, fuel: FloatArray, y_m: Axis, x_m: Axis, count: int) -> tuple[tuple[float, float], ...]:
        """Centres with most fuel around them, apart from each other and from the area's edge."""
        size = max(1, round(2 * self.radius_m / _SURVEY_M))
        worth = uniform_filter(fuel, size) + 0.06 * self.noise.smooth(y_m, x_m, 2000, "ignition")
        edge = min(size // 2, (min(worth.shape) - 1) // 2)
        inside = np.full(worth.shape, -np.inf, dtype=np.float32)
        inside[edge : len(y_m) - edge, edge : len(x_m) - edge] = 0
        centres = []
        for _ in range(count):
            row, column = np.unravel_index(int((worth + inside).argmax()), worth.shape)
            centres.append((float(x_m[column]), float(y_m[row])))
            near = np.hypot(y_m[:, None] - y_m[row], x_m[None, :] - x_m[column]) < 1.8 * self.radius_m
            worth = np.where(near, worth - 1, worth)
        return tuple(centres)

    def severity(self, plants: Plants, y_m: Axis, x_m: Axis) -> FloatArray:
        """0 unburned to 1, (y, x): hottest far inside, by fuel, with islands that the fire spared."""
        sine, cosine = math.sin(self.wind), math.cos(self.wind)
        spread = np.full((len(y_m), len(x_m)), -np.inf, dtype=np.float32)
        for centre_x, centre_y in self.centres_m:
            x, y = (x_m - centre_x)[None, :], (y_m - centre_y)[:, None]
            along, across = (x * sine + y * cosine) / _STRETCH, x * cosine - y * sine
            spread = np.maximum(spread, 1 - np.hypot(along, across) / self.radius_m).astype(np.float32)
        excess = spread + 0.30 * self.noise.smooth(y_m, x_m, 1100, "fire", 6) - self.limit
        heat = np.clip(0.42 + 0.75 * excess + 0.20 * self.noise.smooth(y_m, x_m, 240, "heat", 4), 0, 1)
        spared = self.noise.smooth(y_m, x_m, 300, "spared", 4) > 1.4
        burned: npt.NDArray[np.bool_] = (excess > 0) & ~spared
        return (heat * self._fuel(plants) * burned).astype(np.float32)

    def _fuel(self, plants: Plants) -> FloatArray:
        canopy = self.green.canopy(plants.cover.astype(np.uint16) << 8, plants.timing, plants.vigour)
        is_thin = np.isin(plants.cover, _STANDING_CROPS) & (canopy < _LEAST_CROP)
        return np.where(is_thin, 0, FUEL[plants.cover]).astype(np.float32)
