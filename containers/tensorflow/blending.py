"""Prediction by overlapping windows, blended: one row of windows in memory, and the next, which is read meanwhile."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Strip:
    """Rows of the grid over its full width: network input float32 (y, x, band), and where it holds data (y, x)."""

    inputs: NDArray[np.float32]
    known: NDArray[np.bool_]


S = TypeVar("S", bound=Strip)
_LEAST_WEIGHT = np.float32(1e-30)
Predict = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Windows (n, y, x, band) to what is told of their cells (n, y, x, layer), such as class probabilities."""


class Windows(NamedTuple):
    """How the grid is covered: square windows whose overlap is blended, so many at once."""

    size: int
    overlap: int
    batch: int

    def starts(self, length: int) -> list[int]:
        """First cells of windows that cover `length` cells; the last one is moved back inside."""
        return [*range(0, length - self.size, self.size - self.overlap), max(0, length - self.size)]

    def weight(self) -> NDArray[np.float32]:
        """Weight of a window's cells (y, x, 1): linear from the edge over the overlap, above 0 everywhere."""
        edge = np.arange(self.size) + 0.5
        ramp = np.minimum(1, np.minimum(edge, edge[::-1]) / max(self.overlap, 1))
        return np.outer(ramp, ramp).astype(np.float32)[..., None]


@dataclass(frozen=True)
class Blended(Generic[S]):
    """Rows that are done: the first of them, layers (layer, rows, width), and the strip whose upper rows they are."""

    row: int
    layers: NDArray[np.float32]
    strip: S

    @property
    def rows(self) -> int:
        return int(self.layers.shape[1])


def blended_rows(
    shape: tuple[int, int], read: Callable[[int, int], S], predict: Predict, windows: Windows, layers: int
) -> Iterator[Blended[S]]:
    """Strip after strip downwards. `read(first row, rows)` gives a strip.

    Windows without any data are not predicted; the layers are 0 there.
    """
    height, width = shape
    weight, padded_width = windows.weight(), max(windows.size, width)
    sums = np.zeros((windows.size, padded_width, layers), np.float32)
    weights = np.zeros((windows.size, padded_width, 1), np.float32)
    rows = windows.starts(height)
    strips = _read_ahead(read, [(row, min(windows.size, height - row)) for row in rows])
    for row, next_row, strip in zip(rows, [*rows[1:], height], strips, strict=True):
        for col, told in _predicted(_padded(strip, windows.size, padded_width), predict, windows):
            sums[:, col : col + windows.size] += told * weight
            weights[:, col : col + windows.size] += weight
        done = next_row - row
        blended = np.moveaxis(sums[:done, :width], -1, 0) / np.maximum(weights[:done, :width, 0], _LEAST_WEIGHT)
        yield Blended(row, np.ascontiguousarray(blended, np.float32), strip)
        for array in (sums, weights):
            array[: windows.size - done] = array[done:]
            array[windows.size - done :] = 0


def _read_ahead(read: Callable[[int, int], S], places: Iterable[tuple[int, int]]) -> Iterator[S]:
    """Strips in order, each read by a thread while the one before is predicted."""
    waiting = iter(places)
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(read, *next(waiting))
        for place in waiting:
            strip, following = following.result(), reader.submit(read, *place)
            yield strip
        yield following.result()


def _predicted(strip: Strip, predict: Predict, windows: Windows) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """First column and layers of every window of a strip that holds data."""
    inputs, size = strip.inputs, windows.size
    starts = [col for col in windows.starts(inputs.shape[1]) if strip.known[:, col : col + size].any()]
    for first in range(0, len(starts), windows.batch):
        cols = starts[first : first + windows.batch]
        yield from zip(cols, predict(np.stack([inputs[:, col : col + size] for col in cols])), strict=True)


def _padded(strip: Strip, height: int, width: int) -> Strip:
    """The strip with cells without data below and to the right, for grids smaller than a window."""
    below, right = height - strip.known.shape[0], width - strip.known.shape[1]
    if not below and not right:
        return strip
    return Strip(np.pad(strip.inputs, ((0, below), (0, right), (0, 0))), np.pad(strip.known, ((0, below), (0, right))))
