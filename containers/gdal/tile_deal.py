"""Blocks of tiles dealt to training, validation and test: no cell of the ground is in two of them.

Neighbouring cells resemble each other, so tiles drawn at random would be tested on their neighbours (Roberts et al.
2017, doi:10.1111/ecog.02881).
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np

from containers.base.contract.step import StepError
from containers.gdal.contract.dataset import PARTS, Tiling

_DEALS = 100
"""Of so many random deals, the first one that leaves every part some tiles is taken."""


class Place(NamedTuple):
    """A tile's number along both axes."""

    row: int
    col: int

    @property
    def id(self) -> str:
        return f"{self.row:03d}_{self.col:03d}"


def block_of(place: Place, tiling: Tiling) -> Place:
    return Place(place.row // tiling.block_tiles, place.col // tiling.block_tiles)


def deal(places: Collection[Place], tiling: Tiling) -> dict[Place, str]:
    """Every tile's part, or `next_to_<part>` where it shares cells with a tile of a part that goes before its own.

    Raises `bad_dataset` where a part would be empty.
    """
    blocks = sorted({block_of(place, tiling) for place in places})
    if len(blocks) < len(PARTS):
        raise _empty(f"{len(places)} tiles lie in {len(blocks)} blocks; {', '.join(PARTS)} need one each", tiling)
    quota = [max(1, round(share * len(blocks))) for share in tiling.shares[1:]]
    while len(blocks) - sum(quota) < 1:
        quota[int(np.argmax(quota))] -= 1
    parts = np.repeat(PARTS, [len(blocks) - sum(quota), *quota])
    rng = np.random.default_rng(tiling.seed)
    for _ in range(_DEALS):
        dealt = dict(zip(blocks, rng.permutation(parts).tolist(), strict=True))
        part_of = {place: dealt[block_of(place, tiling)] for place in sorted(places)}
        if tiling.overlap_px:
            part_of = _without_shared_cells(part_of)
        if set(PARTS) <= set(part_of.values()):
            return part_of
    raise _empty(f"tiles of {len(blocks)} blocks share cells with tiles of other parts, however dealt", tiling)


def _without_shared_cells(part_of: dict[Place, str]) -> dict[Place, str]:
    """A tile overlaps its eight neighbours at most, because tiles overlap by half at most."""
    kept: dict[Place, str] = {}
    for part in reversed(PARTS):
        for place in (place for place, own in part_of.items() if own == part):
            others = {kept.get(near, part) for near in _neighbours(place)} - {part}
            kept[place] = next((f"next_to_{other}" for other in sorted(others & set(PARTS))), part)
    return {place: kept[place] for place in part_of}


def _neighbours(place: Place) -> Iterable[Place]:
    return (Place(place.row + down, place.col + right) for down in (-1, 0, 1) for right in (-1, 0, 1))


def _empty(reason: str, tiling: Tiling) -> StepError:
    return StepError(
        "bad_dataset",
        f"No split into {', '.join(PARTS)}: {reason}.",
        f"Take a larger area, lower size_px ({tiling.size_px}), block_tiles ({tiling.block_tiles}) or overlap_px "
        f"({tiling.overlap_px}), or loosen min_valid_share, max_hidden_t0 or max_hidden_t1.",
    )
