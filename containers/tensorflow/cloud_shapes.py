"""Artificial clouds: the shapes of real ones, taken from the sky of other tiles, turned and moved."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import Sky
from containers.tensorflow.recipe import SEEN
from containers.tensorflow.removal_dataset import Part

LEAST, MOST = 0.05, 0.9
"""Hidden shares between which a tile's sky serves as a shape."""
_DISCS: Final = 4


class CloudShapes:
    """The tiles of a part whose clouds are shapes for others."""

    def __init__(self, part: Part) -> None:
        self._part = part
        shares = (self._hidden(index).mean() for index in range(len(part)))
        self._cloudy = [index for index, share in enumerate(shares) if LEAST <= share <= MOST]

    def draw(self, edge: int, rng: np.random.Generator, hide_all: float) -> NDArray[np.bool_]:
        """Cells of a tile that are to be hidden, bool (y, x). Where no tile is cloudy, clouds are discs.

        `hide_all` is the share of draws that hide everything: under large clouds, nothing around is visible.
        """
        if rng.random() < hide_all:
            return np.ones((edge, edge), bool)
        if not self._cloudy:
            return _discs(edge, rng)
        shape = self._hidden(self._cloudy[rng.integers(len(self._cloudy))])
        shape = np.rot90(shape, int(rng.integers(4)))
        if rng.random() < 0.5:
            shape = shape[:, ::-1]
        return np.roll(shape, tuple(rng.integers(0, edge, 2)), axis=(0, 1))

    def _hidden(self, index: int) -> NDArray[np.bool_]:
        sky = self._part.sky_t1(index)
        hidden: NDArray[np.bool_] = ~np.isin(sky, SEEN) & (sky != Sky.NODATA)
        return hidden


def _discs(edge: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Four discs with radii between a sixteenth and a quarter of the edge."""
    rows, cols = np.ogrid[:edge, :edge]
    hidden = np.zeros((edge, edge), bool)
    for _ in range(_DISCS):
        (row, col), radius = rng.uniform(0, edge, 2), rng.uniform(edge / 16, edge / 4)
        hidden |= (rows - row) ** 2 + (cols - col) ** 2 <= radius**2
    return hidden
