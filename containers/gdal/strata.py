"""Strata of a sample: cells grouped by their mapped history, and how many points each group gets."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from containers.base.contract.legend import CLASSES, LandCover

UNKNOWN, POSSIBLE_CHANGE, NEAR_CHANGE, OTHER_CHANGE = 0, 4, 5, 6
"""Stratum codes; 1 to 3 are the stable classes, by their legend code."""
_FIRST_PAIR = 7
_NAMES = {
    UNKNOWN: "unknown",
    POSSIBLE_CHANGE: "possible_change",
    NEAR_CHANGE: "near_change",
    OTHER_CHANGE: "other_change",
}
_STABLE_NAMES = {int(cover): f"stable_{cover.name.lower()}" for cover in CLASSES}
_NEW = (LandCover.IMPERVIOUS, LandCover.GREEN)
MAX_PERIODS = (256 - _FIRST_PAIR) // len(_NEW) + 1
_SPREAD = {**dict.fromkeys(_STABLE_NAMES, 0.1), NEAR_CHANGE: 0.3}
_CHANGE_SPREAD = 0.5


@dataclass(frozen=True)
class Stratification:
    """How histories become strata. `pooled` joins the change of all pairs of periods into one stratum per kind."""

    periods: tuple[str, ...]
    pooled: bool = False

    @property
    def names(self) -> dict[int, str]:
        """Stratum code to name; 0 is unknown and never sampled."""
        names = _NAMES | _STABLE_NAMES
        for cover in _NEW:
            for pair, later in enumerate(self.periods[1:]):
                name = f"new_{cover.name.lower()}"
                names[self._code(cover, pair)] = name if self.pooled else f"{name}_{later}"
        return dict(sorted(names.items()))

    def codes(self, history: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The stratum of every cell, (y, x) uint8, from the class history (time, y, x).

        A cell is unknown where any period is; stable; newly impervious or green where it changes once, to that class;
        else other change, which several changes in a row are as well.
        """
        changed = np.diff(history, axis=0) != 0
        changes = changed.sum(axis=0)
        codes = np.where(changes == 0, history[0], OTHER_CHANGE).astype("uint8")
        for pair, (earlier, later) in enumerate(pairwise(history)):
            for cover in _NEW:
                codes[(changes == 1) & (later == cover) & (earlier != cover)] = self._code(cover, pair)
        codes[(history == LandCover.UNKNOWN).any(axis=0)] = UNKNOWN
        return codes

    def _code(self, cover: LandCover, pair: int) -> int:
        kind, pairs = _NEW.index(cover), len(self.periods) - 1
        return _FIRST_PAIR + (kind if self.pooled else kind * pairs + pair)


def with_doubt(
    codes: NDArray[np.uint8], probability: NDArray[np.float32] | None, *, doubt: float, buffer_px: float
) -> NDArray[np.uint8]:
    """Strata with the stable cells set apart where omitted change hides: beside mapped change, and where it is likely.

    `probability` (y, x) is that of any change, NaN where unknown. Cells within `buffer_px` cells of change, centre to
    centre, are near change.
    """
    codes = codes.copy()
    change, stable = codes >= OTHER_CHANGE, np.isin(codes, list(_STABLE_NAMES))
    if buffer_px > 0 and change.any():
        codes[stable & (ndimage.distance_transform_edt(~change) <= buffer_px)] = NEAR_CHANGE
    if probability is not None:
        codes[stable & (probability >= doubt)] = POSSIBLE_CHANGE
    return codes


def allocation(cells: dict[int, int], points: int, minimum: int) -> dict[int, int]:
    """Points per stratum code, at most its cells: `minimum` each, the rest by size times expected spread.

    Neyman's allocation (Cochran 1977, section 5.5) of what the minimum leaves: rare change gets the points that its
    accuracy needs, large strata those that their omissions need (Olofsson et al. 2014, section 5.1).

    >>> allocation({1: 1000, 2: 9000, 7: 40}, points=200, minimum=50)
    {1: 56, 2: 104, 7: 40}
    """
    codes = list(cells)
    size = np.array([cells[code] for code in codes])
    given = np.minimum(size, minimum)
    weight = size * np.array([_SPREAD.get(code, _CHANGE_SPREAD) for code in codes])
    while (rest := points - given.sum()) > 0 and (room := size - given).any():
        open_weight = np.where(room > 0, weight, 0)
        exact = rest * open_weight / open_weight.sum()
        share = np.floor(exact).astype(int)
        left = rest - share.sum()
        share[np.argsort(share - exact, kind="stable")[:left]] += 1
        given = given + np.minimum(share, room)
    return {code: int(n) for code, n in zip(codes, given, strict=True)}
