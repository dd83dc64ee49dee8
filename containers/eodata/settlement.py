"""Blocks of towns: when they are built or given back, and what stands on them."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.eodata.cover import Cover
from containers.eodata.noise import Axis, FloatArray, IntArray, Noise, Sites
from containers.eodata.towns import Towns

BLOCK_M: Final = 115.0
SETTLED_SHARE: Final = 0.18
"""Share of the land that is town at the start."""
_STREET_M: Final = 13.0
_LOT_M: Final = 15.0
_HALL_M: Final = 48.0
_SEALED_SHARE: Final = 0.66
"""Sealed share of a mean block, by which blocks are counted out for a wanted sealed area."""

BoolArray = npt.NDArray[np.bool_]

_SURFACES: Final = (
    Cover.TILE_ROOF, Cover.GREY_ROOF, Cover.ASPHALT, Cover.CONCRETE, Cover.HALL, Cover.GARDEN, Cover.TREES,
)  # fmt: skip
_MIXES: Final = {
    "core": (0.34, 0.22, 0.20, 0.10, 0.02, 0.06, 0.06),
    "homes": (0.22, 0.10, 0.12, 0.04, 0.00, 0.34, 0.18),
    "industry": (0.02, 0.22, 0.22, 0.22, 0.24, 0.06, 0.02),
    "park": (0.02, 0.01, 0.05, 0.02, 0.00, 0.55, 0.35),
}
"""Shares of surfaces on the lots of a kind of block."""


class Blocks(NamedTuple):
    """The town block of every cell of a window."""

    sites: Sites
    scores: FloatArray
    y_m: Axis
    x_m: Axis

    @classmethod
    def at(cls, noise: Noise, settled: Towns, y_m: Axis, x_m: Axis) -> "Blocks":
        sites = noise.sites(y_m, x_m, BLOCK_M, "block")
        rows, columns = (np.arange(index.min(), index.max() + 1) for index in (sites.row, sites.column))
        scores = block_scores(noise, settled, (rows + 0.5) * BLOCK_M, (columns + 0.5) * BLOCK_M)
        return cls(sites, scores[sites.row - rows[0], sites.column - columns[0]], y_m, x_m)


class Lots(NamedTuple):
    """Two lattice indices per cell that cells of one lot share."""

    row: IntArray
    column: IntArray


def block_scores(noise: Noise, settled: Towns, y_m: Axis, x_m: Axis) -> FloatArray:
    """How attractive blocks on a lattice are to build on: near towns, along roads, in clusters."""
    scattered = noise.uniform(
        (y_m // BLOCK_M).astype(np.int64)[:, None], (x_m // BLOCK_M).astype(np.int64)[None, :], "block"
    )
    ribbon = np.exp(-np.maximum(settled.road_distance(y_m, x_m, 400), 0) / 110)
    clusters = noise.smooth(y_m, x_m, 800, "clusters", 2)
    scores: FloatArray = settled.nearness(y_m, x_m) + 0.28 * clusters + 0.22 * (scattered - 0.5) + 0.40 * ribbon
    return scores


@dataclass(frozen=True)
class Growth:
    """The years' thresholds on the blocks' scores."""

    first_year: int
    thresholds: dict[int, float]
    renatured_share: float
    """Share of the first year's blocks given back per year."""

    @classmethod
    def planned(
        cls, scores: FloatArray, years: tuple[int, ...], *, land: float, sealing: float, greening: float
    ) -> "Growth":
        """Thresholds that build `sealing`, and a lottery that gives back `greening`, of all land per year."""
        shares = {year: SETTLED_SHARE + index * sealing / (_SEALED_SHARE * land) for index, year in enumerate(years)}
        thresholds = {year: float(np.quantile(scores, 1 - share)) for year, share in shares.items()}
        return cls(years[0], thresholds, greening / (_SEALED_SHARE * land * SETTLED_SHARE))

    def built(self, blocks: Blocks, year: int) -> BoolArray:
        """Whether the block of each cell has been built on by a year."""
        return blocks.scores > self.thresholds[year]

    def ever_built(self, blocks: Blocks) -> BoolArray:
        return blocks.scores > min(self.thresholds.values())

    def renatured(self, noise: Noise, blocks: Blocks, year: int) -> BoolArray:
        """Whether the block was built on in the first year and has been given back to nature by a year."""
        drawn = noise.per_site(blocks.sites, "renatured") < self.renatured_share * (year - self.first_year)
        return drawn & self.built(blocks, self.first_year)


def block_cover(noise: Noise, blocks: Blocks) -> tuple[npt.NDArray[np.uint8], Lots]:
    """What a built block looks like: streets around lots, each with a roof, a yard, a garden or trees."""
    kind = _kinds(noise, blocks)
    lots = _lots(noise, blocks, np.where(kind == list(_MIXES).index("industry"), _HALL_M, _LOT_M).astype(np.float32))
    drawn = noise.uniform(lots.row, lots.column, "lot")
    cover = np.zeros(kind.shape, dtype=np.uint8)
    for index, mix in enumerate(_MIXES.values()):
        edges = np.cumsum(mix)[:-1].astype(np.float32)
        here = kind == index
        cover[here] = np.array(_SURFACES, dtype=np.uint8)[np.searchsorted(edges, drawn[here])]
    return np.where(blocks.sites.edge_m < _STREET_M, Cover.ASPHALT, cover).astype(np.uint8), lots


def _kinds(noise: Noise, blocks: Blocks) -> npt.NDArray[np.int8]:
    """Index into `_MIXES`: clustered industry and cores, scattered parks, homes elsewhere."""
    industry = noise.smooth(blocks.y_m, blocks.x_m, 1100, "industry", 2)
    core = noise.smooth(blocks.y_m, blocks.x_m, 900, "core", 2)
    draw = noise.per_site(blocks.sites, "kind")
    kind = np.where(core + draw > 1.1, 0, 1)
    kind = np.where(industry + draw > 1.5, 2, kind)
    return np.where(draw < 0.05, 3, kind).astype(np.int8)


def _lots(noise: Noise, blocks: Blocks, size_m: FloatArray) -> Lots:
    """A lattice of lots in every block, turned by the block's own bearing."""
    bearing = noise.per_site(blocks.sites, "bearing") * np.float32(np.pi)
    cosine, sine = np.cos(bearing), np.sin(bearing)
    y, x = blocks.sites.y_m, blocks.sites.x_m
    row = np.floor((x * cosine - y * sine) / size_m).astype(np.int64)
    column = np.floor((x * sine + y * cosine) / size_m).astype(np.int64)
    return Lots(blocks.sites.row * 64 + row, blocks.sites.column * 64 + column)
