"""Pictures of a training that rebuilds images: curves, and tiles as they were, as they are told and as they are."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from containers.base.scalers import physical
from containers.tensorflow.recipe import Recipe
from containers.tensorflow.removal_scores import Judged

TILES: Final = 3
"""Rows of a picture."""
_DPI: Final = 110
_COLOURS: Final = ("red", "green", "blue")
_LARGEST_ERROR: Final = 0.1


def draw_removal_curves(history: dict[str, list[float]], best_epoch: int, title: str, path: Path) -> None:
    """Losses of training and the validation error per epoch; the kept epoch is marked."""
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = np.arange(1, len(history["val_mae"]) + 1)
    for name, values in history.items():
        if name not in ("val_mae", "learning_rate"):
            left.plot(epochs, values, label="sum" if name == "loss" and len(history) > 3 else name)
    right.plot(epochs, history["val_mae"], label="validation tiles")
    left.set(xlabel="epoch", ylabel="training loss, scaled", yscale="log")
    right.set(xlabel="epoch", ylabel="mean absolute error, reflectance", ylim=(0, None))
    for axes in (left, right):
        axes.axvline(best_epoch, color="grey", linestyle=":", label="kept")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False)
    figure.suptitle(title)
    figure.savefig(path, dpi=_DPI)


def draw_tiles(tiles: Sequence[Judged], recipe: Recipe, title: str, path: Path) -> None:
    """One row per tile: t0, radar of t1, prediction, truth and error; cells that were not judged are hatched out."""
    names = [band.name for band in recipe.bands]
    shown = [names.index(name) for name in _COLOURS] if set(_COLOURS) <= set(names) else [0]
    figure = Figure(figsize=(12.5, 2.6 * len(tiles) + 0.5), layout="constrained")
    grid = figure.subplots(len(tiles), 5, squeeze=False)
    for row, tile in zip(grid, tiles, strict=True):
        values = physical(tile.scene.inputs, recipe.channels)
        stretch = _stretch(tile.truth[..., shown])
        first = values[..., [recipe.optical[each] for each in shown]] if recipe.optical else None
        _show(row[0], "t0", _toned(first, stretch))
        _show(row[1], "radar t1", _radar(values, recipe))
        _show(row[2], "predicted", _toned(tile.told[..., shown], stretch))
        _show(row[3], "truth", _toned(tile.truth[..., shown], stretch))
        error = np.where(tile.counted, np.abs(tile.told - tile.truth).mean(axis=-1), np.nan)
        _show(row[4], "error, where judged", error, cmap="magma", vmin=0, vmax=_LARGEST_ERROR)
    figure.colorbar(grid[0, 4].images[0], ax=list(grid[:, 4]), label="mean absolute error, reflectance")
    figure.suptitle(title)
    figure.savefig(path, dpi=_DPI)


def _show(axes: Any, title: str, image: NDArray[Any] | None, **options: Any) -> None:
    axes.set(title=title, xticks=[], yticks=[])
    axes.set_facecolor("lightgrey")
    if image is None:
        axes.text(0.5, 0.5, "not seen", ha="center", va="center", transform=axes.transAxes)
        axes.set_aspect("equal")
    else:
        axes.imshow(image, **options)


def _radar(values: NDArray[np.float32], recipe: Recipe) -> NDArray[np.float32] | None:
    """Backscatter of the last date in dB as grey values 0 to 1 (y, x, 3)."""
    found = [number for number, channel in enumerate(recipe.channels) if channel.unit == "dB" and channel.date == "t1"]
    if not found:
        return None
    image = values[..., found[:1]]
    return _toned(image, _stretch(image))


def _stretch(image: NDArray[np.float32]) -> tuple[float, float]:
    """Values that are shown black and white: 2 and 98 % of those with data."""
    known = image[np.isfinite(image)]
    low, high = np.percentile(known, (2, 98)) if known.size else (0, 1)
    return float(low), float(max(high, low + 1e-3))


def _toned(image: NDArray[np.float32] | None, stretch: tuple[float, float]) -> NDArray[np.float32] | None:
    if image is None:
        return None
    low, high = stretch
    toned = np.clip((image - low) / (high - low), 0, 1)
    return np.repeat(toned, 3, axis=-1) if toned.shape[-1] == 1 else toned
