"""The scores of a classifier of vegetation types as rows and tables."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import File, output_file
from containers.tensorflow.type_folds import Judged, Rows
from containers.tensorflow.type_importance import Importance, LearningPoint
from containers.tensorflow.type_scores import (
    BY_CLASS,
    OVERALL,
    Calibration,
    Interval,
    Matrices,
    calibration,
    calibration_error,
    confusions,
    gains,
    with_interval,
)
from containers.tensorflow.type_table import SiteTable

_DOUBTS: Final = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
_DIGITS: Final = 6


class Verdict(NamedTuple):
    """What was said of sites of unseen groups."""

    ours: Judged
    plain: Rows
    """Types by the plain forest."""
    majority: Rows
    """The commonest type of the groups that were trained on."""


class Row(NamedTuple):
    """One line of the metrics."""

    name: str
    type: str
    """Empty: of all types."""
    interval: Interval


@dataclass(frozen=True)
class Report:
    """Everything that is told of a training."""

    types: tuple[str, ...]
    sites: SiteTable
    numbers: Rows
    """Of the types, (n,)."""
    groups: Rows
    verdict: Verdict
    importance: list[Importance]
    learning: list[LearningPoint]
    seed: int

    @property
    def predicted(self) -> Rows:
        return np.asarray(self.verdict.ours.probabilities.argmax(axis=1))

    @property
    def confidence(self) -> NDArray[np.float64]:
        return np.asarray(self.verdict.ours.probabilities.max(axis=1))

    @cached_property
    def confusions(self) -> Matrices:
        """(group, type, type)."""
        return self._counted(self.predicted)

    @cached_property
    def calibration(self) -> Calibration:
        return calibration(self.confidence, self.predicted == self.numbers, self.groups)

    def rows(self) -> Iterator[Row]:
        """Every metric with its interval by group."""
        plain, majority = (self._counted(each) for each in (self.verdict.plain, self.verdict.majority))
        for prefix, counts in (("", self.confusions), ("plain_", plain), ("majority_", majority)):
            for name, score in OVERALL.items():
                yield Row(prefix + name, "", with_interval(score, counts, self.seed)[0])
        for name, interval in gains(self.confusions, plain, self.seed):
            yield Row(f"gain_{name}", "", interval)
        error = with_interval(calibration_error, self.calibration.sums, self.seed)
        yield Row("calibration_error", "", error[0])
        yield from self._doubts()
        for name, score in BY_CLASS.items():
            for label, interval in zip(self.types, with_interval(score, self.confusions, self.seed), strict=True):
                yield Row(name, label, interval)
        for label, number in zip(self.types, np.bincount(self.numbers), strict=True):
            yield Row("support", label, Interval(float(number), float(number), float(number)))

    def _doubts(self) -> Iterator[Row]:
        """Share of sites with at least some probability, and how many of these are right."""
        hits = self.predicted == self.numbers
        for least in _DOUBTS:
            sure = self.confidence >= least
            counts = np.zeros((self.groups.max() + 1, 3))
            np.add.at(counts, self.groups, np.column_stack([np.ones(len(sure)), sure, sure & hits]))
            yield Row(f"coverage_{least}", "", with_interval(partial(_share_of, 1, 0), counts, self.seed)[0])
            yield Row(f"accuracy_{least}", "", with_interval(partial(_share_of, 2, 1), counts, self.seed)[0])

    def _counted(self, predicted: Rows) -> Matrices:
        return confusions(self.numbers, predicted, self.groups, len(self.types))


def write_tables(report: Report, out: Path) -> dict[str, File]:
    """`predictions`, `metrics`, `confusion`, `importance` and `learning` as CSV."""
    matrix = report.confusions.sum(axis=0).astype(int)
    pairs = ((true, said) for true in range(len(report.types)) for said in range(len(report.types)))
    tables: dict[str, tuple[tuple[str, ...], Iterable[tuple[Any, ...]]]] = {
        "predictions": (
            ("site_id", "year", "group", "fold", "class", *prediction_columns(report.types)),
            _predictions(report),
        ),
        "metrics": (
            ("name", "class", "value", "lower", "upper"),
            ((row.name, row.type, *map(rounded, row.interval)) for row in report.rows()),
        ),
        "confusion": (
            ("class", "predicted", "sites"),
            ((report.types[true], report.types[said], matrix[true, said]) for true, said in pairs),
        ),
        "importance": (
            ("feature", "drop", "standard_error"),
            ((each.feature, rounded(each.drop), rounded(each.error)) for each in report.importance),
        ),
        "learning": (
            ("groups", *(f"{name}{end}" for name in ("accuracy", "macro_f1") for end in ("", "_lower", "_upper"))),
            (tuple(map(rounded, (each.groups, *each.accuracy, *each.macro_f1))) for each in report.learning),
        ),
    }
    return {name: write_table(out / f"{name}.csv", *table) for name, table in tables.items()}


def prediction_columns(types: tuple[str, ...]) -> tuple[str, ...]:
    return ("predicted", "confidence", *(f"p_{name}" for name in types))


def prediction_of(types: tuple[str, ...], probabilities: NDArray[np.float64], trust: float = 0.0) -> tuple[Any, ...]:
    """One site's values of `prediction_columns`; `predicted` is empty where the model does not know."""
    best = int(probabilities.argmax())
    known = types[best] if probabilities[best] >= trust else ""
    return (known, *map(rounded, (probabilities[best], *probabilities)))


def write_table(path: Path, header: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> File:
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(header)
        table.writerows(rows)
    return output_file(path)


def rounded(value: float) -> float:
    """Threads add in any order, which shows in the sixteenth digit."""
    return round(float(value), _DIGITS)


def _predictions(report: Report) -> Iterator[tuple[Any, ...]]:
    sites, ours = report.sites, report.verdict.ours
    for row, probabilities in enumerate(ours.probabilities):
        facts = (sites.site_id[row], sites.year[row], sites.group[row], ours.folds[row], sites.label[row])
        yield (*facts, *prediction_of(report.types, probabilities))


def _share_of(part: int, whole: int, counts: Matrices) -> Matrices:
    """One count as a share of another, (…, count)."""
    total = counts[..., whole]
    return np.divide(counts[..., part], total, out=np.zeros_like(total), where=total > 0)
