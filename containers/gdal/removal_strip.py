"""Some blocks of all images that are compared, side by side: reflectance with NaN, and which cells count where."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import File
from containers.base.contract.legend import HIDING, REFLECTANCE_NODATA, REFLECTANCE_SCALE
from containers.base.raster import read_band
from containers.base.scalers import physical
from containers.base.step import local_path
from containers.gdal.contract.judge import BASELINES, JudgeRemovalParams
from containers.gdal.dataset_layout import Axes
from containers.gdal.linear_baseline import Array, predicted
from containers.gdal.pair_tile import is_seen, read_pair
from containers.gdal.removal_scores import Image
from containers.gdal.tile_table import Tile

WHERE: Final = ("all", "hidden", "clear_test")


class Target(NamedTuple):
    """What counts in one place, and what it should be."""

    truth: Image
    """(band, y, x)."""
    counted: NDArray[np.bool_]
    """(y, x)."""


class Strip(NamedTuple):
    """One window."""

    window: Window
    images: dict[str, Image]
    """Method to (band, y, x); NaN where any of them has no data."""
    targets: dict[str, Target]
    """By where."""


class Judged(NamedTuple):
    """What a judgement reads."""

    params: JudgeRemovalParams
    axes: Axes
    test_tiles: Sequence[Tile]
    coefficients: Array
    """Of the linear baseline."""

    @property
    def methods(self) -> tuple[str, ...]:
        return (*(candidate.name for candidate in self.params.candidates), *BASELINES)


def read_strip(judged: Judged, window: Window) -> Strip:
    """Gaps of radar are closed within the window before the regression uses it."""
    params, bands = judged.params, [band.name for band in judged.axes.bands]
    seen = read_pair(params.pair, *judged.axes, window).tile(slice(None))
    images = {candidate.name: _reflectance(candidate.bands, bands, window) for candidate in params.candidates}
    inputs = physical(seen.inputs, judged.axes.channels)
    images["t0_copy"] = np.moveaxis(inputs[..., -len(bands) :], -1, 0).copy()
    images["linear"] = predicted(inputs, judged.coefficients)
    known = np.logical_and.reduce([np.isfinite(image).all(axis=0) for image in images.values()])
    for image in images.values():
        image[:, ~known] = np.nan
    observed = np.moveaxis(physical(seen.target, judged.axes.bands), -1, 0).copy()
    observed[:, ~is_seen(seen.sky_t1)] = np.nan
    clear = known & np.isfinite(observed).all(axis=0) & _inside(judged, window)
    targets = {"clear_test": Target(observed, clear)}
    if params.truth:
        truth = _reflectance(params.truth, bands, window)
        known &= np.isfinite(truth).all(axis=0)
        hidden = known & np.isin(seen.sky_t1, HIDING)
        targets |= {"all": Target(truth, hidden | (clear & known)), "hidden": Target(truth, hidden)}
    return Strip(window, images, targets)


def _reflectance(files: Mapping[str, File], bands: Sequence[str], window: Window) -> Image:
    stored = np.stack([read_band(local_path(files[band]), window) for band in bands])
    return np.where(stored == REFLECTANCE_NODATA, np.float32(np.nan), stored * np.float32(REFLECTANCE_SCALE))


def _inside(judged: Judged, window: Window) -> NDArray[np.bool_]:
    """Cells of the window that lie in test tiles."""
    inside, size = np.zeros((int(window.height), int(window.width)), bool), judged.params.tile_px
    for tile in judged.test_tiles:
        top, left = tile.row_px - int(window.row_off), tile.col_px - int(window.col_off)
        inside[max(0, top) : max(0, top + size), max(0, left) : max(0, left + size)] = True
    return inside
