"""Each band by least squares of all channels: what a network must beat."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.pair import Pair
from containers.base.contract.step import StepError
from containers.base.scalers import physical
from containers.gdal.dataset_layout import Axes
from containers.gdal.pair_tile import PairTile, is_seen, read_pair
from containers.gdal.pipeline import in_order
from containers.gdal.tile_table import Tile

Array = NDArray[np.float64]


class NormalEquations:
    """Least squares of any number of cells in the memory of a few: XᵀX and XᵀY are all that is kept."""

    def __init__(self, n_channels: int, n_bands: int) -> None:
        self._squares = np.zeros((n_channels + 1, n_channels + 1))
        self._products = np.zeros((n_channels + 1, n_bands))

    @property
    def cells(self) -> int:
        return int(self._squares[-1, -1])

    def add(self, inputs: Array, target: Array) -> None:
        """Cells (cell, channel) and what they should give (cell, band)."""
        x = np.column_stack([inputs, np.ones(len(inputs))])
        self._squares += x.T @ x
        self._products += x.T @ target

    def solved(self) -> Array:
        """(channel + 1, band), the intercept last; the shortest solution where channels depend on each other."""
        # Columns of equal length: decibels and reflectance differ by two orders of magnitude.
        length = np.sqrt(np.maximum(np.diag(self._squares), np.finfo(float).tiny))
        scaled = self._squares / np.outer(length, length)
        coefficients: Array = np.linalg.lstsq(scaled, self._products / length[:, np.newaxis])[0]
        return coefficients / length[:, np.newaxis]


def predicted(inputs: NDArray[np.float32], coefficients: Array) -> NDArray[np.float32]:
    """Physical inputs (y, x, channel) to reflectance (band, y, x); NaN where any input is."""
    bands = inputs.astype(np.float64) @ coefficients[:-1] + coefficients[-1]
    image: NDArray[np.float32] = np.moveaxis(bands, -1, 0).astype(np.float32)
    return image


def fit(pairs: Sequence[Pair], tiles: Sequence[Tile], tile_px: int, axes: Axes, threads: int) -> Array:
    """Coefficients over the cells of training tiles that are seen at both dates. Raises `bad_dataset` without any."""
    own = {pair.label: pair for pair in pairs}
    training = [tile for tile in tiles if tile.part == "train" and tile.pair in own]
    equations = NormalEquations(len(axes.channels), len(axes.bands))

    def read(tile: Tile) -> tuple[Array, Array]:
        window = Window(tile.col_px, tile.row_px, tile_px, tile_px)
        return _cells(read_pair(own[tile.pair], *axes, window).tile(slice(None)), axes)

    with ThreadPoolExecutor(threads) as pool:
        for inputs, target in in_order(pool, read, training, waiting=threads + 1):
            equations.add(inputs, target)
    if equations.cells <= len(axes.channels):
        raise StepError(
            "bad_dataset",
            f"Linear regression needs cells that are clear at both dates: {len(training)} training tiles of "
            f"{', '.join(own)} hold {equations.cells}.",
            "Give more_pairs whose tiles were trained on, or tiles with clear ground.",
        )
    return equations.solved()


def _cells(tile: PairTile, axes: Axes) -> tuple[Array, Array]:
    inputs, target = physical(tile.inputs, axes.channels), physical(tile.target, axes.bands)
    known = np.isfinite(inputs).all(axis=-1) & np.isfinite(target).all(axis=-1)
    used = known & is_seen(tile.sky_t0) & is_seen(tile.sky_t1)
    return inputs[used].astype(np.float64), target[used].astype(np.float64)
