"""The spatial split: square blocks of the grid dealt to training, validation and test, with a gap between them.

Neighbouring cells resemble each other, so cells or patches drawn at random would be tested on their neighbours
(Roberts et al. 2017, Ecography 40, 913–929).
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import CLASSES
from containers.base.contract.step import StepError

PARTS: Final = ("train", "validation", "test")
SHARES: Final = (0.7, 0.15, 0.15)
_DEALS = 500
"""Random deals of which the best is kept."""


class Block(NamedTuple):
    """The inner part of a block, the gap taken off on every side, in cells of the grid."""

    row: int
    col: int
    height: int
    width: int

    @property
    def rows(self) -> slice:
        return slice(self.row, self.row + self.height)

    @property
    def cols(self) -> slice:
        return slice(self.col, self.col + self.width)


def inner_blocks(shape: tuple[int, int], block_px: int, gap_px: int, least_px: int) -> list[Block]:
    """Inner parts of all blocks of a grid of `shape` that hold a patch of `least_px` cells."""
    blocks = [
        Block(row + gap_px, col + gap_px, height, width)
        for row in range(0, shape[0], block_px)
        for col in range(0, shape[1], block_px)
        if (height := min(block_px, shape[0] - row) - 2 * gap_px) >= least_px
        and (width := min(block_px, shape[1] - col) - 2 * gap_px) >= least_px
    ]
    if len(blocks) < len(PARTS):
        raise StepError(
            "bad_grid",
            f"A grid of {shape[0]} × {shape[1]} cells has {len(blocks)} blocks of {block_px} cells; "
            f"training, validation and test need {len(PARTS)} at least.",
            f"Lower block_px and patch_px: a block must be much smaller than {min(shape)} cells.",
        )
    return blocks


def deal(counts: NDArray[np.int64], seed: int) -> NDArray[np.intp]:
    """Index into PARTS per block, from `counts` (block, class) of labelled cells.

    Of many random deals with fixed shares of the blocks, the one whose class shares in every part are closest to
    the whole's. Raises StepError `bad_labels` where no deal gives every class to every part.
    """
    rng = np.random.default_rng(seed)
    quota = np.maximum(1, np.round(np.array(SHARES[1:]) * len(counts))).astype(int)
    pattern = np.repeat([1, 2, 0], [*quota, len(counts) - quota.sum()])
    best, least = None, np.inf
    for _ in range(_DEALS):
        parts = rng.permutation(pattern)
        sums = np.stack([counts[parts == part].sum(axis=0) for part in range(len(PARTS))])
        if (sums > 0).all() and (distance := _distance(sums)) < least:
            best, least = parts, distance
    if best is None:
        raise StepError(
            "bad_labels",
            f"No split gives every class to {', '.join(PARTS)}: {_class_report(counts)}.",
            "Use a larger area or smaller blocks (block_px), or labels that hold every class.",
        )
    return best


def count_classes(labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Cells per class, in the order of CLASSES."""
    histogram = np.bincount(labels.ravel(), minlength=max(CLASSES) + 1)
    return histogram[list(CLASSES)].astype(np.int64)


def _distance(sums: NDArray[np.int64]) -> float:
    """How far the class shares of the parts (part, class) are from the whole's: largest absolute log ratio."""
    shares = sums / sums.sum(axis=1, keepdims=True)
    return float(np.abs(np.log(shares / (sums.sum(axis=0) / sums.sum()))).max())


def _class_report(counts: NDArray[np.int64]) -> str:
    return ", ".join(
        f"{code.name.lower()} has {cells} cells in {blocks} of {len(counts)} blocks"
        for code, cells, blocks in zip(CLASSES, counts.sum(axis=0), (counts > 0).sum(axis=0), strict=True)
    )
