"""How well a map of burned cells or severity classes agrees with the truth. Rows of every table are the truth.

- precision = right / mapped, recall = right / true, F1 their harmonic mean, IoU = right / (mapped or true)
- kappa: Cohen 1960, doi:10.1177/001316446002000104
- macro precision and macro recall: means of the classes' precisions and recalls, over the classes that occur in the
  truth or in the map; a class that the map lacks has precision 0, one that the truth lacks recall 0
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.int64]


class BurnedScores(NamedTuple):
    """Of burned against unburned; None where a figure is not defined, as recall without a scar."""

    precision: float | None
    recall: float | None
    f1: float | None
    iou: float | None
    accuracy: float | None
    kappa: float | None


class SeverityScores(NamedTuple):
    """Of severity classes; None without cells."""

    severity_accuracy: float | None
    macro_precision: float | None
    macro_recall: float | None


def burned_scores(table: Table) -> BurnedScores:
    """From cells (truth, map), each 0 unburned, 1 burned; (2, 2)."""
    right, mapped, true = table[1, 1], table[:, 1].sum(), table[1].sum()
    return BurnedScores(
        precision=_ratio(right, mapped),
        recall=_ratio(right, true),
        f1=_ratio(2 * right, mapped + true),
        iou=_ratio(right, mapped + true - right),
        accuracy=_ratio(np.trace(table), table.sum()),
        kappa=kappa(table),
    )


def severity_scores(table: Table) -> SeverityScores:
    """From cells (truth, map) of the classes; (class, class)."""
    mapped, true, right = table.sum(axis=0), table.sum(axis=1), np.diag(table)
    occurs = (mapped + true) > 0
    if not occurs.any():
        return SeverityScores(None, None, None)
    precision, recall = (right[occurs] / np.maximum(of[occurs], 1) for of in (mapped, true))
    return SeverityScores(_ratio(right.sum(), table.sum()), float(precision.mean()), float(recall.mean()))


def kappa(table: Table) -> float | None:
    """Agreement beyond chance; None where chance alone agrees on everything.

    >>> kappa(np.array([[20, 5], [10, 15]]))
    0.4
    """
    total = int(table.sum())
    by_chance = int(table.sum(axis=0) @ table.sum(axis=1))
    return _ratio(total * int(np.trace(table)) - by_chance, total**2 - by_chance)


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None
