"""Confusion matrices as a picture: each row is a class of the truth and adds up to 100 %."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

_DPI = 120
_PANEL_INCHES, _MARGIN_INCHES = 4.6, 1.4
_DARK = 0.5
_RAMP = "Blues"


def draw_confusions(
    tables: Mapping[str, NDArray[np.int64]], names: Sequence[str], notes: Mapping[str, str], path: Path
) -> Path:
    """One panel per table (class, class), titled by its key and note. Classes that the truth lacks stay blank."""
    size = (_PANEL_INCHES * len(tables) + _MARGIN_INCHES, _PANEL_INCHES + _MARGIN_INCHES)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(tables), sharey=True, squeeze=False)[0]
    labels = [name.replace("_", " ") for name in names]
    for axes, (where, table) in zip(panels, tables.items(), strict=True):
        _draw(axes, table)
        axes.set_title(f"{where} cells ({table.sum():,})\n{notes[where]}", fontsize=10)
        axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
        axes.set_yticks(range(len(labels)), labels)
        axes.set_xlabel("severity in the simulated image")
    panels[0].set_ylabel("severity in the true image")
    figure.suptitle("Share of the true class, and cells")
    figure.savefig(path, dpi=_DPI, metadata={"Software": None})
    return path


def _draw(axes: Any, table: NDArray[np.int64]) -> None:
    true = table.sum(axis=1, keepdims=True)
    share = np.where(true > 0, table / np.maximum(true, 1), np.nan)
    axes.imshow(share, cmap=_RAMP, vmin=0, vmax=1)
    for row, column in np.argwhere(table > 0):
        text = f"{_percent(share[row, column])}\n{_short(table[row, column])}"
        colour = "white" if share[row, column] > _DARK else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)


def _percent(share: float) -> str:
    """Whole percent; a few cells are not none."""
    return "<1%" if share < 0.005 else f"{share:.0%}"


def _short(cells: int) -> str:
    """The number in at most four signs or so: 950, 12k, 3.4M."""
    if cells < 10_000:
        return str(cells)
    return f"{cells / 1e3:.0f}k" if cells < 1_000_000 else f"{cells / 1e6:.1f}M"
