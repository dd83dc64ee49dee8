"""What `consistency` removes of false change, and what of the true change with it."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import LandCover

Maps = dict[str, NDArray[np.uint8]]
Mask = NDArray[np.bool_]


class ChangeCells(NamedTuple):
    """Cells, summed over all pairs of periods, that newly became one class."""

    true: int
    raw_found: int
    raw_false: int
    smoothed_found: int
    smoothed_false: int
    found_by_both: int

    @property
    def false_share(self) -> float:
        """False change after smoothing relative to that before."""
        return self.smoothed_false / self.raw_false

    @property
    def lost_share(self) -> float:
        """Share of the true change that the raw maps had found and the smoothed maps have not."""
        return 1 - self.found_by_both / self.raw_found

    @property
    def net_lost_share(self) -> float:
        """The same with the true change that only the smoothed maps found set against it."""
        return 1 - self.smoothed_found / self.raw_found


def change_cells(truth: Maps, raw: Maps, smoothed: Maps, kind: LandCover) -> ChangeCells:
    """Cell by cell and year by year, where all three are known: a change in the wrong year is false and lost."""
    counts = np.zeros(len(ChangeCells._fields), int)
    for true, before, after in zip(_new(truth, kind), _new(raw, kind), _new(smoothed, kind), strict=True):
        known = true.known & before.known & after.known
        masks = (
            true.new, true.new & before.new, before.new & ~true.new, true.new & after.new, after.new & ~true.new,
            true.new & before.new & after.new,
        )  # fmt: skip
        counts += [int((mask & known).sum()) for mask in masks]
    return ChangeCells(*counts.tolist())


class _Change(NamedTuple):
    new: Mask
    known: Mask


def _new(maps: Maps, kind: LandCover) -> Iterator[_Change]:
    """Per pair of periods: cells that became `kind`, and cells whose class is known in both."""
    for earlier, later in pairwise(maps.values()):
        known = (earlier != LandCover.UNKNOWN) & (later != LandCover.UNKNOWN)
        yield _Change(known & (later == kind) & (earlier != kind), known)
