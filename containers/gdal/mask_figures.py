"""Pictures of a cloud mask's skill on scenes that it has not seen: ROC, and precision against recall."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from containers.gdal.mask_scores import Counts, roc

FOREST: Final = "forest"
_DPI: Final = 120
_COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00")
_MARKERS: Final = ("o", "s", "^", "v", "D")
_NO_LINE: Final = {"ls": ""}


class Skill(NamedTuple):
    """What the pictures show."""

    counts: Counts
    """Pixels (combination, clear or cloudy) of scenes that the forest has not seen."""
    classifiers: Mapping[str, NDArray[np.float64]]
    """The forest and each component to their scores per combination."""
    cutoffs: tuple[float, ...]
    title: str


def draw_roc(skill: Skill, path: Path) -> Path:
    """The forest's curve and cut-offs, and each component, which is a point."""
    figure, axes = _frame(skill.title, "false alarms (share of clear pixels)", "recall (share of cloudy pixels)")
    false_alarms, recall, _ = roc(skill.counts, skill.classifiers[FOREST])
    axes.plot(np.append(0, false_alarms), np.append(0, recall), color="black", label=FOREST)
    for point, style in _points(skill):
        axes.plot(point.false_alarms, point.recall, **style)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    return _save(figure, axes, path)


def draw_precision(skill: Skill, path: Path) -> Path:
    """The same for precision against recall."""
    figure, axes = _frame(skill.title, "recall (share of cloudy pixels)", "precision (share of those called cloud)")
    _, recall, precision = roc(skill.counts, skill.classifiers[FOREST])
    axes.plot(recall, precision, color="black", label=FOREST)
    for point, style in _points(skill):
        axes.plot(point.recall, point.precision, **style)
    axes.set(xlim=(-0.01, 1.01), ylim=(min(0.49, np.nanmin(precision) - 0.01), 1.01))
    return _save(figure, axes, path)


class _Point(NamedTuple):
    false_alarms: float
    recall: float
    precision: float


def _points(skill: Skill) -> Iterator[tuple[_Point, dict[str, Any]]]:
    forest = skill.classifiers[FOREST]
    for cutoff, fill in zip(skill.cutoffs, ("black", "white"), strict=False):
        style = {"marker": "*", "ms": 13, "mfc": fill, "mec": "black", "label": f"{FOREST}, cut-off {cutoff:g}"}
        yield _point(skill.counts, forest > cutoff), style | _NO_LINE
    alone = {name: score for name, score in skill.classifiers.items() if name != FOREST}
    for (name, score), colour, marker in zip(alone.items(), _COLOURS, _MARKERS, strict=True):
        style = {"marker": marker, "color": colour, "label": f"{name} alone"}
        yield _point(skill.counts, score > 0), style | _NO_LINE


def _point(counts: Counts, is_cloud: NDArray[np.bool_]) -> _Point:
    if not is_cloud.any():
        return _Point(0.0, 0.0, np.nan)
    return _Point(*(float(values[0]) for values in roc(counts, is_cloud.astype(np.float64))))


def _frame(title: str, horizontal: str, vertical: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=(6.5, 5), layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=horizontal, ylabel=vertical)
    axes.grid(color="#DDDDDD", linewidth=0.6)
    return figure, axes


def _save(figure: Figure, axes: Axes, path: Path) -> Path:
    axes.legend(frameon=False, loc="best")
    figure.savefig(path, dpi=_DPI, metadata={"Software": None})
    return path
