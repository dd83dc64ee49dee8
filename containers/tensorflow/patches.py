"""Patches in memory: drawn with equal shares of the classes, turned, flipped and jittered; or laid side by side."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import CLASSES
from containers.tensorflow.blocks import count_classes
from containers.tensorflow.normalisation import Normalisations, has_data, normalise

_TRIALS = 256
"""Patches drawn to see which shares of the classes drawing gives."""


class LabelledWindow(NamedTuple):
    """A block or a patch of one period: reflectance int16 (band, y, x), codes uint8 (y, x), 0 where not learnt."""

    reflectance: NDArray[np.int16]
    codes: NDArray[np.uint8]
    period: str

    def cut(self, row: int, col: int, size: int) -> "LabelledWindow":
        inside = slice(row, row + size), slice(col, col + size)
        return self._replace(reflectance=self.reflectance[:, *inside], codes=self.codes[inside])


class Batch(NamedTuple):
    """What the network reads: inputs float32 (n, y, x, band), targets float32 (n, y, x, class), weights float32
    (n, y, x), 0 where the loss must not look."""

    inputs: NDArray[np.float32]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]


def labelled_window(reflectance: NDArray[np.int16], codes: NDArray[np.uint8], period: str) -> LabelledWindow:
    """A window whose unknown and dataless cells have the code 0."""
    known = np.isin(codes, CLASSES) & has_data(reflectance)
    return LabelledWindow(reflectance, np.where(known, codes, np.uint8(0)), period)


def batch_of(windows: Sequence[LabelledWindow], normalisations: Normalisations) -> Batch:
    """Windows of one size as one batch."""
    codes = np.stack([window.codes for window in windows])
    return Batch(
        inputs=np.stack([normalise(window.reflectance, normalisations[window.period]) for window in windows]),
        targets=(codes[..., None] == np.array(CLASSES)).astype(np.float32),
        weights=(codes != 0).astype(np.float32),
    )


def cover(window: LabelledWindow, patch_px: int) -> Iterator[LabelledWindow]:
    """Patches that cover the window; a cell keeps its code in one of them alone, so that it counts once."""
    codes = window.codes.copy()
    for row in _starts(codes.shape[0], patch_px):
        for col in _starts(codes.shape[1], patch_px):
            patch = window._replace(codes=codes).cut(row, col, patch_px)
            yield patch._replace(codes=patch.codes.copy())
            patch.codes[:] = 0


class PatchDrawer:
    """Draws patches around cells of a random class, so that rare classes are seen as often as common ones.

    The weights take half of that back in the loss (the square root of the ratio of shares): all of it would favour
    common classes where pixels mix, nothing of it rare ones everywhere.
    """

    def __init__(
        self, windows: Sequence[LabelledWindow], normalisations: Normalisations, patch_px: int, jitter: float, seed: int
    ) -> None:
        self._windows, self._normalisations = windows, normalisations
        self._patch_px, self._jitter = patch_px, jitter
        self._rng = np.random.default_rng(seed)
        counts = np.stack([count_classes(window.codes) for window in windows])
        self._odds = counts / counts.sum(axis=0)
        drawn = np.sum([count_classes(self.draw().codes) for _ in range(_TRIALS)], axis=0)
        ratio = (counts.sum(axis=0) / counts.sum()) / (drawn / drawn.sum())
        self.class_weights = np.sqrt(ratio).astype(np.float32)

    def batches(self, size: int) -> Iterator[Batch]:
        """Endless batches of `size` patches."""
        while True:
            batch = batch_of([_turned(self.draw(), self._rng) for _ in range(size)], self._normalisations)
            yield batch._replace(
                inputs=jittered(batch.inputs, self._jitter, self._rng), weights=batch.targets @ self.class_weights
            )

    def draw(self) -> LabelledWindow:
        """A patch around a random cell of a random class, moved as little as needed to stay inside its block."""
        index = self._rng.integers(len(CLASSES))
        window = self._windows[self._rng.choice(len(self._windows), p=self._odds[:, index])]
        cell = self._rng.choice(np.flatnonzero(window.codes == CLASSES[index]))
        height, width = window.codes.shape
        half = self._patch_px // 2
        row = min(max(cell // width - half, 0), height - self._patch_px)
        col = min(max(cell % width - half, 0), width - self._patch_px)
        return window.cut(row, col, self._patch_px)


class TileBatches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """The same patches in the same order in every epoch. As batches one by one, they take no more memory when many."""

    def __init__(self, tiles: Sequence[LabelledWindow], normalisations: Normalisations, size: int) -> None:
        super().__init__()
        self._tiles, self._normalisations, self._size = tiles, normalisations, size

    def __len__(self) -> int:
        return math.ceil(len(self._tiles) / self._size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], ...]:
        return tuple(batch_of(self._tiles[index * self._size : (index + 1) * self._size], self._normalisations))


def jittered(inputs: NDArray[np.float32], deviation: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Inputs (n, y, x, band) with a random gain and offset per patch and band; cells without data stay 0."""
    shape = (inputs.shape[0], 1, 1, inputs.shape[-1])
    gain, offset = 1 + rng.normal(0, deviation, shape), rng.normal(0, deviation, shape)
    empty = (inputs == 0).all(axis=-1, keepdims=True)
    return np.where(empty, 0, inputs * gain + offset).astype(np.float32)


def _turned(window: LabelledWindow, rng: np.random.Generator) -> LabelledWindow:
    """One of the eight ways to lay a square."""
    quarter_turns, mirror = int(rng.integers(4)), rng.random() < 0.5
    reflectance = np.rot90(window.reflectance, quarter_turns, axes=(1, 2))
    codes = np.rot90(window.codes, quarter_turns)
    if mirror:
        reflectance, codes = reflectance[:, :, ::-1], codes[:, ::-1]
    return window._replace(reflectance=reflectance, codes=codes)


def _starts(length: int, patch_px: int) -> list[int]:
    """First cells of patches that cover `length` cells, the last one moved back inside."""
    return [*range(0, length - patch_px, patch_px), length - patch_px]
