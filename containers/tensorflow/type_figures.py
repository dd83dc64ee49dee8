"""Pictures of how well types are told apart, as PNG."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from containers.base.contract.files import File, output_file
from containers.tensorflow.type_importance import Importance, LearningPoint
from containers.tensorflow.type_scores import Calibration

_DPI = 120
_SHOWN = 20


def draw_confusion(matrix: NDArray[np.float64], types: Sequence[str], title: str, path: Path) -> File:
    """Sites by type (row) and prediction (column), shaded by the share of the type's sites."""
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    size = 2.2 + 0.45 * len(types)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(types)), types, rotation=90)
    axes.set_yticks(range(len(types)), [f"{name} ({int(row.sum())})" for name, row in zip(types, matrix, strict=True)])
    axes.set(xlabel="predicted", ylabel="surveyed (sites)")
    for row, column in np.argwhere(matrix > 0):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, f"{matrix[row, column]:.0f}", ha="center", va="center", color=colour, fontsize=8)
    return _saved(figure, title, path)


def draw_importance(importances: Sequence[Importance], title: str, path: Path) -> File:
    """The blocks of features whose permutation costs most."""
    shown = sorted(importances, key=lambda each: each.drop)[-_SHOWN:]
    figure = Figure(figsize=(6, 1.2 + 0.24 * len(shown)), layout="constrained")
    axes = figure.subplots()
    axes.barh([each.feature for each in shown], [each.drop for each in shown], xerr=[each.error for each in shown])
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set(xlabel="fall of macro-F1 when permuted (bar: standard error)")
    return _saved(figure, title, path)


def draw_calibration(calibration: Calibration, error: float, title: str, path: Path) -> File:
    """How often a prediction is right against how probable the model says it is."""
    confidence, right, sites = calibration.curve.T
    figure = Figure(figsize=(4.8, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
    axes.plot(confidence, right, marker="o")
    for x, y, number in zip(confidence, right, sites, strict=True):
        axes.annotate(f"{number:.0f}", (x, y), textcoords="offset points", xytext=(6, -10), fontsize=8)
    axes.set(xlabel="probability of the predicted type", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
    axes.set_title(f"expected calibration error {error:.3f}; numbers: sites", fontsize=9)
    return _saved(figure, title, path)


def draw_learning(points: Sequence[LearningPoint], title: str, path: Path) -> File:
    """Scores by the number of groups that were learnt from."""
    figure = Figure(figsize=(5.5, 4), layout="constrained")
    axes = figure.subplots()
    groups = [point.groups for point in points]
    for name, label in (("accuracy", "overall accuracy"), ("macro_f1", "macro-F1")):
        scores = [getattr(point, name) for point in points]
        (line,) = axes.plot(groups, [score.value for score in scores], marker="o", label=label)
        axes.fill_between(
            groups, [s.lower for s in scores], [s.upper for s in scores], alpha=0.2, color=line.get_color()
        )
    axes.set(xlabel="groups to learn from", ylabel="score on unseen groups (95 % by group)", ylim=(0, None))
    axes.legend(frameon=False)
    return _saved(figure, title, path)


def _saved(figure: Figure, title: str, path: Path) -> File:
    figure.suptitle(title, fontsize=10)
    figure.savefig(path, dpi=_DPI, metadata={"Software": None})
    return output_file(path)
