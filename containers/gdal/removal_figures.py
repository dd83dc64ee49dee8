"""Pictures of a judgement: errors of every method, gains of the first one, and where they lie."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from containers.gdal.removal_scores import METRICS, Gain, Interval

_DPI: Final = 120
_COLOURS: Final = ("#0072B2", "#56B4E9", "#009E73", "#E69F00", "#CC79A7", "#D55E00", "#999999")
_LABELS: Final = {"mae": "mean absolute error (reflectance)", "psnr_db": "PSNR (dB)"}
_PLACES: Final = {"all": "all", "hidden": "hidden cells", "clear_test": "clear cells of test tiles"}


def draw_errors(errors: Mapping[str, Mapping[str, Mapping[str, Interval]]], title: str, path: Path) -> Path:
    """Metric, where and method to its figure: bars with 95 % intervals."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, (metric, places) in zip(figure.subplots(1, len(errors)), errors.items(), strict=True):
        methods = list(next(iter(places.values())))
        width = 0.8 / len(methods)
        for number, method in enumerate(methods):
            own = [places[where][method] for where in places]
            at = np.arange(len(own)) + (number - (len(methods) - 1) / 2) * width
            heights = [each.value if np.isfinite(each.value) else 0 for each in own]
            colour = _COLOURS[number % len(_COLOURS)]
            axes.bar(at, heights, width * 0.92, yerr=_reach(own), color=colour, capsize=2, label=method)
        axes.set(ylabel=_LABELS[metric], xticks=range(len(places)))
        axes.set_xticklabels([_PLACES[where] for where in places])
        _plain(axes, "y")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(methods), frameon=False)
    figure.suptitle(f"Errors of {title}")
    return _save(figure, path)


def draw_gains(gains: Sequence[Gain], model: str, title: str, path: Path) -> Path:
    """Of the model over each of the others: points with 95 % intervals beside zero."""
    places = list(_PLACES)
    rows = sorted({(gain.where, gain.baseline) for gain in gains}, key=lambda row: (places.index(row[0]), row[1]))
    figure = Figure(figsize=(10, 1.4 + 0.32 * len(rows)), layout="constrained")
    for axes, metric in zip(figure.subplots(1, len(METRICS), sharey=True), METRICS, strict=True):
        for gain in (each for each in gains if each.metric == metric and np.isfinite(each.gain)):
            at = len(rows) - 1 - rows.index((gain.where, gain.baseline))
            colour = _COLOURS[places.index(gain.where)]
            reach = _reach([Interval(gain.gain, gain.lower, gain.upper)])
            axes.errorbar(gain.gain, at, xerr=reach, fmt="o", color=colour, capsize=3)
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set(xlabel=f"gain in {_LABELS[metric]}", yticks=range(len(rows)), ylim=(-0.6, len(rows) - 0.4))
        axes.set_yticklabels([f"{baseline}, {_PLACES[where]}" for where, baseline in reversed(rows)])
        _plain(axes, "x")
    figure.suptitle(f"{model} against the others, {title}: right of zero it is better")
    return _save(figure, path)


def draw_map(mae: Mapping[str, NDArray[np.float64]], where: str, block_px: int, title: str, path: Path) -> Path:
    """Mean absolute error by block, one panel per method, all on one scale; blocks without cells stay grey."""
    n_rows, n_cols = next(iter(mae.values())).shape
    width = 2.6 * len(mae) + 0.8
    figure = Figure(figsize=(width, 2.6 * min(max(n_rows / n_cols, 0.4), 2.5) + 0.9), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(mae), sharex=True, sharey=True))
    limit = np.nanquantile(np.stack(list(mae.values())), 0.98)
    for axes, (method, values) in zip(panels, mae.items(), strict=True):
        axes.set_facecolor("#DDDDDD")
        picture = axes.imshow(values, vmin=0, vmax=limit, cmap="viridis", interpolation="nearest")
        axes.set(title=method, xticks=[], yticks=[])
    figure.colorbar(picture, ax=list(panels), label="mean absolute error")
    figure.suptitle(f"{_PLACES[where]}, by blocks of {block_px} cells, {title}")
    return _save(figure, path)


def _reach(intervals: Sequence[Interval]) -> Any:
    """How far each interval reaches below and above its figure; nothing where there is none."""
    reach = [[each.value - each.lower, each.upper - each.value] for each in intervals]
    return np.maximum(np.nan_to_num(np.array(reach).T, nan=0.0, posinf=0.0, neginf=0.0), 0)


def _plain(axes: Any, axis: str) -> None:
    axes.grid(axis=axis, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, dpi=_DPI, metadata={"Software": None})
    return path
