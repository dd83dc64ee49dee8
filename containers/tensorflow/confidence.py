"""How far a prediction may be trusted: the window is laid in four ways, and where the answers differ, errors are large.

The spread of the answers is turned into a share by counting on validation tiles, so that a confidence of 0.8 means: of
hidden validation cells whose answers differed as much, eight in ten were within `TOLERANCE` of the truth.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from containers.base.contract.model import Contract

TURNS: Final = 4
TOLERANCE: Final = 0.02
"""Mean absolute error over bands, reflectance, within which a cell counts as right."""
_BINS: Final = 20

Predict = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class Calibration(Contract):
    """Spread to share of right cells, linear between the points."""

    spread: tuple[float, ...] = Field(min_length=1, description="Reflectance, rising")
    share: tuple[float, ...] = Field(min_length=1, description="Of cells within the tolerance, never rising")
    tolerance: float = TOLERANCE

    def confidence(self, spread: NDArray[np.float32]) -> NDArray[np.float32]:
        """Shares for spreads of any shape."""
        return np.interp(spread, self.spread, self.share).astype(np.float32)


def calibrated(spread: NDArray[np.float32], error: NDArray[np.float32]) -> Calibration:
    """From spreads and mean absolute errors of cells, both (cell,): twenty bins with as many cells each.

    Shares are made to fall with the spread by averaging neighbouring bins that do not.
    """
    order = np.argsort(spread, kind="stable")
    parts = np.array_split(order, min(_BINS, len(order)))
    centres = np.maximum.accumulate([float(np.median(spread[part])) for part in parts])
    shares = falling(np.array([np.mean(error[part] <= TOLERANCE) for part in parts]))
    return Calibration(spread=tuple(centres.tolist()), share=tuple(shares.tolist()))


def falling(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest sequence, by squares, that never rises: pooled adjacent violators (Barlow et al. 1972)."""
    pools: list[list[float]] = []
    for value in values.tolist():
        pools.append([value])
        while len(pools) > 1 and np.mean(pools[-1]) > np.mean(pools[-2]):
            last = pools.pop()
            pools[-1] += last
    return np.concatenate([np.full(len(pool), np.mean(pool)) for pool in pools])


def over_turns(predict: Predict) -> Predict:
    """Windows (n, y, x, channel) to the mean over four quarter turns (n, y, x, band), and after it the mean over turns
    and bands of the squares, which `spread_of` needs once overlapping windows are blended."""

    def moments(windows: NDArray[np.float32]) -> NDArray[np.float32]:
        total = answer(windows, 0)
        for quarters in range(1, TURNS):
            total += answer(windows, quarters)
        total /= TURNS
        return total

    def answer(windows: NDArray[np.float32], quarters: int) -> NDArray[np.float32]:
        told = predict(np.ascontiguousarray(np.rot90(windows, quarters, axes=(1, 2))))
        squares = np.einsum("...b,...b->...", told, told)[..., None] / np.float32(told.shape[-1])
        return np.rot90(np.concatenate([told, squares], axis=-1), -quarters, axes=(1, 2))

    return moments


def spread_of(moments: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Root mean square, over bands, of the deviations of all answers on a cell from their mean."""
    bands = np.delete(moments, -1, axis)
    squares = np.take(moments, -1, axis)
    spread: NDArray[np.float32] = np.sqrt(np.maximum(squares - (bands**2).mean(axis=axis), 0)).astype(np.float32)
    return spread
