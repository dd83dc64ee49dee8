"""Which vegetation type grows where: by height, slope, aspect and wetness, in patches that mix at their edges."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import geopandas
import numpy as np
import numpy.typing as npt
from rasterio.features import rasterize
from rasterio.transform import from_origin

from containers.eodata.alpine.mountains import Mountains, Terrain
from containers.eodata.alpine.outlines import pasture_outlines
from containers.eodata.alpine.snow import melt_day
from containers.eodata.alpine.types import COVER_OF, PlantType
from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.cover import Cover
from containers.eodata.noise import Axis, FloatArray, Noise
from containers.eodata.place import FINE_M, area_of_interest, world_grid

ByteArray = npt.NDArray[np.uint8]
_TREE_LINE_M, _SUMMIT_M = 1950.0, 2550.0
_PATCH_M, _PATCHINESS = 190.0, 0.70
"""Size of the patches, and how much they weigh against a place's height, slope and wetness."""
_AFFINITY: Final = 0.40
"""How much pastures differ in what grows on like ground."""
_MIXING: Final = 0.35
"""Difference of suitability at which the share of the second type has fallen to 0.37 of what it is at the edge."""
_COVER: Final = np.array([COVER_OF.get(kind, Cover.GRASSLAND) for kind in PlantType], dtype=np.uint8)


class Stand(NamedTuple):
    """What grows on the cells of a window: uint8, but for the last."""

    cover: ByteArray
    attributes: dict[str, ByteArray]
    """Quantiles of tone, hue, vigour, grain and timing within the type."""
    kind: ByteArray
    """`PlantType` that covers most of the cell."""
    second: ByteArray
    """Type that covers the rest, 0 for none."""
    share: ByteArray
    """Share of the second type × 255."""
    pasture: ByteArray
    """Number of the pasture from 1 on, 0 outside."""
    height: FloatArray
    melt: dict[int, FloatArray]


@dataclass(frozen=True)
class Alps:
    """Mountains, pastures and vegetation of one seed."""

    noise: Noise
    mountains: Mountains
    pastures: geopandas.GeoDataFrame
    years: tuple[int, ...]

    @classmethod
    def planned(cls, params: ArchiveParams) -> "Alps":
        """Everything that the parameters decide, before any cell is filled."""
        if params.pastures is None:
            raise ValueError("the archive has no pastures")
        noise, area = Noise(params.seed), area_of_interest(params)
        mountains = Mountains.of(noise, params.pastures, world_grid(params).bounds)
        return cls(noise, mountains, pasture_outlines(params.seed, area, params.pastures.count), params.years)

    def window(self, y_m: Axis, x_m: Axis) -> Stand:
        """The cells with these centres (1-D, north to south and west to east, spaced by 10 m)."""
        terrain = self.mountains.terrain(y_m, x_m)
        pasture = self._pasture(y_m, x_m)
        wetness = self._wetness(terrain, y_m, x_m)
        scores = self._scores(terrain, wetness, pasture, y_m, x_m)
        kind, second, share = _ranked(scores)
        bare = self._woods_and_rock(terrain, pasture, y_m, x_m)
        alone = bare != Cover.NONE
        melt = {year: melt_day(self.noise, year, terrain, y_m, x_m) for year in self.years}
        return Stand(
            np.where(alone, bare, _COVER[kind]).astype(np.uint8),
            self._attributes(wetness, y_m, x_m),
            np.where(alone, PlantType.NONE, kind).astype(np.uint8),
            np.where(alone, PlantType.NONE, second).astype(np.uint8),
            np.where(alone, 0, share).astype(np.uint8),
            pasture,
            terrain.height,
            melt,
        )

    def _pasture(self, y_m: Axis, x_m: Axis) -> ByteArray:
        place = from_origin(x_m[0] - FINE_M / 2, y_m[0] + FINE_M / 2, FINE_M, FINE_M)
        shapes = [(shape, number) for number, shape in enumerate(self.pastures.geometry, start=1)]
        numbers: ByteArray = rasterize(shapes, out_shape=(len(y_m), len(x_m)), transform=place, dtype="uint8")
        return numbers

    def _wetness(self, terrain: Terrain, y_m: Axis, x_m: Axis) -> FloatArray:
        """Dry ridges and steep southern slopes below 0, hollows and flats above: about unit variance."""
        springs = self.noise.smooth(y_m, x_m, 300, "springs", 3)
        wet = 0.11 * terrain.hollow - 2.2 * (terrain.steepness - 0.35) + 1.2 * terrain.northness + 0.65 * springs
        wetness: FloatArray = np.clip(wet, -3, 3).astype(np.float32)
        return wetness

    def _scores(
        self, terrain: Terrain, wetness: FloatArray, pasture: ByteArray, y_m: Axis, x_m: Axis
    ) -> dict[PlantType, FloatArray]:
        """How well each type suits each cell."""
        found = suitability(terrain, wetness)
        numbers = np.arange(256)
        for kind in found:
            own = _AFFINITY * np.sqrt(12) * (self.noise.uniform(numbers, int(kind), "affinity") - 0.5)
            patches = self.noise.smooth(y_m, x_m, _PATCH_M, f"patch {kind.name}", 4)
            found[kind] = found[kind] + np.float32(_PATCHINESS) * patches + own.astype(np.float32)[pasture]
        return found

    def _woods_and_rock(self, terrain: Terrain, pasture: ByteArray, y_m: Axis, x_m: Axis) -> ByteArray:
        """Woods below the tree line, less of them on pastures; rock on steep and high ground; NONE elsewhere."""
        woods = self.noise.smooth(y_m, x_m, 500, "woods", 4) + (_TREE_LINE_M - 250 - terrain.height) / 200
        woods -= np.where(pasture > 0, 4, 0)
        rock = 4.5 * (terrain.steepness - 0.85) + (terrain.height - _SUMMIT_M) / 150
        rock += 0.6 * self.noise.smooth(y_m, x_m, 260, "cliffs", 3) - np.where(pasture > 0, 0.6, 0)
        cover = np.where((woods > 0) & (terrain.height < _TREE_LINE_M + 100), Cover.CONIFER, Cover.NONE)
        return np.where(rock > 0, Cover.ROCK, cover).astype(np.uint8)

    def _attributes(self, wetness: FloatArray, y_m: Axis, x_m: Axis) -> dict[str, ByteArray]:
        rows, columns = (y_m // FINE_M).astype(np.int64), (x_m // FINE_M).astype(np.int64)
        white = (self.noise.uniform(rows[:, None], columns[None, :], "grain") - 0.5) * np.float32(np.sqrt(12))
        fields = {
            "tone": 60 * self.noise.smooth(y_m, x_m, 260, "tone", 3),
            "hue": 40 * self.noise.smooth(y_m, x_m, 320, "hue", 3) + 30 * wetness,
            "vigour": 52 * self.noise.smooth(y_m, x_m, 210, "vigour", 3) + 18 * wetness,
            "grain": 62 * white,
            "timing": 60 * self.noise.smooth(y_m, x_m, 280, "timing", 3),
        }
        return {name: np.clip(128 + field, 0, 255).astype(np.uint8) for name, field in fields.items()}


def suitability(terrain: Terrain, wetness: FloatArray) -> dict[PlantType, FloatArray]:
    """How well a place suits each type, before patches and what pastures differ in; about unit spread."""
    high = (terrain.height - 1850) / 300
    steep = (terrain.steepness - 0.38) / 0.17
    north = terrain.northness / 0.25
    flat = np.clip(-steep, -2, 2)
    return {
        PlantType.NARD: 0.55 - 0.30 * (high - 0.2) ** 2 + 0.25 * flat - 0.30 * np.abs(wetness - 0.2),
        PlantType.FERT: 0.05 - 0.45 * high + 0.45 * flat + 0.10 * wetness,
        PlantType.DRYG: 0.00 + 0.20 * steep - 0.45 * north - 0.55 * wetness,
        PlantType.SNOW: -0.95 + 0.85 * np.clip(high, -1.5, 2.5) + 0.30 * north + 0.06 * terrain.hollow,
        PlantType.TALL: -0.20 - 0.40 * high + 0.50 * wetness + 0.30 * north,
        PlantType.HEAT: 0.25 - 0.30 * (high - 0.3) ** 2 + 0.45 * north + 0.10 * steep - 0.15 * wetness,
        PlantType.SCRE: -0.65 + 0.70 * steep + 0.45 * high - 0.25 * wetness,
        PlantType.WETM: -1.10 + 0.75 * flat + 0.80 * wetness,
        PlantType.SHRB: -0.25 - 0.35 * (high + 0.5) ** 2 + 0.40 * north + 0.30 * steep + 0.20 * wetness,
    }


def _ranked(scores: dict[PlantType, FloatArray]) -> tuple[ByteArray, ByteArray, ByteArray]:
    """Best and second best type of each cell, and the share of the second × 255."""
    kinds = np.array(list(scores), dtype=np.uint8)
    stack = np.stack(list(scores.values()))
    order = np.argpartition(stack, -2, axis=0)[-2:]
    two = np.take_along_axis(stack, order, axis=0)
    swapped = two[0] > two[1]
    first, second = np.where(swapped, order[0], order[1]), np.where(swapped, order[1], order[0])
    share = 0.5 * np.exp(-np.abs(two[1] - two[0]) / _MIXING)
    return kinds[first], kinds[second], np.floor(255 * share).astype(np.uint8)
