"""The fine landscape: what covers each cell of 10 m in each year, and how it differs from its like."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.cover import Cover
from containers.eodata.farmland import crops, parcels
from containers.eodata.noise import Axis, FloatArray, Noise
from containers.eodata.place import FINE_M, world_grid
from containers.eodata.settlement import BLOCK_M, Blocks, Growth, block_cover, block_scores
from containers.eodata.towns import Towns, towns

ByteArray = npt.NDArray[np.uint8]

SHARES: Final = {
    "lake": 0.028,
    "river": 0.022,
    "marsh": 0.045,
    "peat": 0.04,
    "rock": 0.025,
    "moor": 0.035,
    "forest": 0.26,
}
"""Share of the landscape that each natural cover would have if nothing lay above it."""
_SURVEY_M: Final = 90.0
_TRACK_M: Final = 9.0


class Layers(NamedTuple):
    """One window of the landscape, each layer uint8 (row, column)."""

    cover: dict[int, ByteArray]
    """Year to `Cover`."""
    tone: ByteArray
    """Quantile of brightness within the cover type, shared by a parcel, a stand or a lot."""
    hue: ByteArray
    """Quantile of the ratio of short-wave infrared to visible."""
    vigour: ByteArray
    """Quantile of plant growth."""
    grain: ByteArray
    """Quantile of the cell's own texture."""
    timing: dict[int, ByteArray]
    """Year to the quantile of how late plants start and end, shared by a parcel, a stand or a lot."""


@dataclass(frozen=True)
class Landscape:
    """A landscape of one seed over one area. Thresholds are quantiles there: shares do not depend on the seed."""

    noise: Noise
    years: tuple[int, ...]
    settled: Towns
    thresholds: dict[str, float]
    growth: Growth
    phenology: bool = False

    def window(self, y_m: Axis, x_m: Axis) -> Layers:
        """The layers at the cells with these centres (1-D, north to south and west to east, spaced by 10 m)."""
        fields = _fields(self.noise, y_m, x_m)
        natural = self._natural(fields)
        farm = parcels(self.noise, y_m, x_m)
        stands = self.noise.sites(y_m, x_m, 260, "stand")
        blocks = Blocks.at(self.noise, self.settled, y_m, x_m)
        on_road = self.settled.road_distance(y_m, x_m, 30) < FINE_M / 2
        town, lot = block_cover(self.noise, blocks)
        dry = natural != Cover.WATER
        on_road &= fields["sea"] <= self.thresholds["sea"]
        cover = {}
        for year in self.years:
            ground = np.where(natural == Cover.NONE, crops(self.noise, farm, fields["meadow"], year), natural)
            built = self.growth.built(blocks, year) & dry
            renatured = self.growth.renatured(self.noise, blocks, year) & dry
            ground = np.where(built, town, ground)
            ground = np.where(renatured, Cover.REGROWTH, ground)
            cover[year] = np.where(on_road, Cover.ASPHALT, ground).astype(np.uint8)
        in_town = self.growth.ever_built(blocks)
        wooded = (natural == Cover.BROADLEAF) | (natural == Cover.CONIFER)
        open_nature = (natural != Cover.NONE) & ~wooded & ~in_town
        rows, columns = np.where(wooded, stands.row, farm.row), np.where(wooded, stands.column, farm.column)
        rows, columns = np.where(in_town, lot.row, rows), np.where(in_town, lot.column, columns)
        soil = 26 * self.noise.smooth(y_m, x_m, 160, "soil", 2)

        def shared(salt: str, *, within: FloatArray | float) -> ByteArray:
            patches = 128 + 60 * self.noise.smooth(y_m, x_m, 420, salt, 2)
            of_unit = np.where(open_nature, patches, 255 * self.noise.uniform(rows, columns, salt))
            return _byte(of_unit + np.where(in_town, 0, within))

        return Layers(
            cover,
            shared("tone", within=soil),
            shared("hue", within=0.5 * soil),
            shared("vigour", within=22 * fields["vigour"]),
            _byte(128 + 42 * self._grain(y_m, x_m)),
            {year: shared(f"timing {year}", within=0.0) for year in self.years if self.phenology},
        )

    def _natural(self, fields: dict[str, FloatArray]) -> ByteArray:
        """Forest, wetland, water, rock and moor; NONE where farmland is left."""
        conifer = fields["conifer"] > 0
        cover = np.where(conifer, Cover.CONIFER, Cover.BROADLEAF) * (fields["forest"] > self.thresholds["forest"])
        for name, kind in (
            ("moor", Cover.MOOR), ("peat", Cover.PEATBOG), ("rock", Cover.ROCK), ("marsh", Cover.MARSH),
            ("lake", Cover.WATER), ("river", Cover.WATER), ("sea", Cover.WATER),
        ):  # fmt: skip
            cover = np.where(fields[name] > self.thresholds[name], kind, cover)
        return cover.astype(np.uint8)

    def _grain(self, y_m: Axis, x_m: Axis) -> FloatArray:
        rows, columns = (y_m // FINE_M).astype(np.int64), (x_m // FINE_M).astype(np.int64)
        white = (self.noise.uniform(rows[:, None], columns[None, :], "grain") - 0.5) * np.float32(np.sqrt(12))
        return np.float32(0.8) * white + np.float32(0.6) * self.noise.smooth(y_m, x_m, 45, "grain")


def _fields(noise: Noise, y_m: Axis, x_m: Axis) -> dict[str, FloatArray]:
    """Smooth fields that decide where each natural cover lies: it does where its field is above a threshold."""
    river, lake = waters(noise, y_m, x_m)
    detail = noise.smooth(y_m, x_m, 650, "detail", 3)
    return {
        "river": river,
        "lake": lake,
        "marsh": 0.8 * detail + 2.6 * np.exp(6 * river) + 1.2 * np.clip(lake - 0.8, 0, 1.2),
        "peat": noise.smooth(y_m, x_m, 1500, "peat", 3) - 0.35 * detail,
        "rock": noise.smooth(y_m, x_m, 1100, "rock", 4),
        "moor": noise.smooth(y_m, x_m, 1400, "moor", 4),
        "forest": noise.smooth(y_m, x_m, 1900, "forest", 6),
        "conifer": noise.smooth(y_m, x_m, 900, "conifer", 3),
        "meadow": noise.smooth(y_m, x_m, 1800, "meadow", 2) + np.exp(5 * river),
        "vigour": noise.smooth(y_m, x_m, 240, "vigour", 2),
        "sea": _sea(noise, y_m, x_m),
    }


def waters(noise: Noise, y_m: Axis, x_m: Axis) -> tuple[FloatArray, FloatArray]:
    """The fields of rivers and of lakes."""
    return -np.abs(noise.smooth(y_m, x_m, 6000, "river", 4)), noise.smooth(y_m, x_m, 3000, "lake", 4)


def _sea(noise: Noise, y_m: Axis, x_m: Axis) -> FloatArray:
    """The further west the higher, with bays and headlands."""
    inland_km = (x_m[None, :] + 0.1 * y_m[:, None]) / 1000
    return (0.3 * noise.smooth(y_m, x_m, 2200, "coast", 4) - inland_km).astype(np.float32)


def _byte(values: FloatArray) -> ByteArray:
    return np.clip(values, 0, 255).astype(np.uint8)


def landscape(params: ArchiveParams) -> Landscape:
    """Survey the area coarsely, and set the thresholds that give every cover its share and every year its change."""
    noise = Noise(params.seed)
    west, south, east, north = world_grid(params).bounds
    settled = towns(noise, west, south, east, north)
    y_m, x_m = np.arange(north, south, -_SURVEY_M), np.arange(west, east, _SURVEY_M)
    fields = _fields(noise, y_m, x_m)
    thresholds = {name: float(np.quantile(fields[name], 1 - share)) for name, share in SHARES.items()}
    thresholds["sea"] = float(np.quantile(fields["sea"], 1 - params.sea_share))
    open_land = np.logical_and.reduce([fields[name] <= thresholds[name] for name in ("lake", "river", "sea")])
    block_y, block_x = np.arange(south, north, BLOCK_M), np.arange(west, east, BLOCK_M)
    scores = block_scores(noise, settled, block_y, block_x)
    growth = Growth.planned(
        scores,
        params.years,
        land=float(open_land.mean()),
        sealing=params.sealing_share,
        greening=params.greening_share,
    )
    return Landscape(noise, params.years, settled, thresholds, growth, params.phenology)
