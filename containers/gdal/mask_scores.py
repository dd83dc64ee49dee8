"""How well masks tell cloud from clear: every measure with an interval, from counts of pixels per scene.

Classifiers are functions of the components, so that pixels with the same components need not be told apart.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from containers.gdal import pixel_table
from containers.gdal.contract.mask import COMPONENTS

REPLICATES: Final = 1_000
CONFIDENCE: Final = 0.95
_STATES: Final = 3
ALL: Final = "all"

Counts = NDArray[np.float64]
"""Pixels (…, combination, clear or cloudy)."""
Measure = Callable[[Counts], NDArray[np.float64]]


class Score(NamedTuple):
    """A row of metrics.csv; shares, with the 95 % interval of a bootstrap over scenes."""

    split: str
    classifier: str
    cutoff: float
    label: str
    """Of the pixels that are counted; `all` for the whole split."""
    measure: str
    value: float
    lower: float
    upper: float
    pixels: int
    scenes: int


def combinations() -> NDArray[np.uint8]:
    """Every combination of components (combination, component): 0, 1, or 255 unknown."""
    digits = np.indices((_STATES,) * len(COMPONENTS), np.uint8).reshape(len(COMPONENTS), -1).T
    return np.where(digits == _STATES - 1, 255, digits).astype(np.uint8)


def count_pixels(table: pd.DataFrame) -> Counts:
    """Pixels (scene, combination, clear or cloudy), scenes in the order of their names."""
    scene = table[pixel_table.SCENE].astype("str").to_numpy()
    names, scene_index = np.unique(scene, return_inverse=True)
    cell = np.zeros(len(table), np.int64)
    for name in COMPONENTS:
        cell = cell * _STATES + np.minimum(table[name].to_numpy(), _STATES - 1)
    shape = (len(names), _STATES ** len(COMPONENTS), 2)
    flat = np.ravel_multi_index((scene_index, cell, table[pixel_table.CLOUD].to_numpy()), shape)
    return np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)


def threshold_measures(is_cloud: NDArray[np.bool_]) -> dict[str, Measure]:
    """Measures of a classifier that calls these combinations cloud."""

    def confusion(counts: Counts) -> tuple[NDArray[np.float64], ...]:
        called = counts[..., is_cloud, :].sum(axis=-2)
        missed = counts[..., ~is_cloud, :].sum(axis=-2)
        return called[..., 1], missed[..., 1], called[..., 0], missed[..., 0]

    def accuracy(counts: Counts) -> NDArray[np.float64]:
        tp, fn, fp, tn = confusion(counts)
        return _ratio(tp + tn, tp + fn + fp + tn)

    def precision(counts: Counts) -> NDArray[np.float64]:
        tp, _, fp, _ = confusion(counts)
        return _ratio(tp, tp + fp)

    def recall(counts: Counts) -> NDArray[np.float64]:
        tp, fn, _, _ = confusion(counts)
        return _ratio(tp, tp + fn)

    def f1(counts: Counts) -> NDArray[np.float64]:
        tp, fn, fp, _ = confusion(counts)
        return _ratio(2 * tp, 2 * tp + fn + fp)

    return {"accuracy": accuracy, "precision": precision, "recall": recall, "f1": f1}


def called_cloud(is_cloud: NDArray[np.bool_]) -> Measure:
    """Share of the pixels that are called cloud: recall among clouds, false alarms among clear ones."""
    return lambda counts: _ratio(counts[..., is_cloud, :].sum(axis=(-1, -2)), counts.sum(axis=(-1, -2)))


def roc(counts: Counts, score: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """False-alarm rate, recall and precision at every cut-off, from the strictest to none; each (…, cut-off)."""
    _, group = np.unique(-score, return_inverse=True)
    by_score = np.zeros((*counts.shape[:-2], group.max() + 1, 2))
    np.add.at(np.moveaxis(by_score, -2, 0), group, np.moveaxis(counts, -2, 0))
    called = by_score.cumsum(axis=-2)
    false_alarms, recall = (_ratio(called[..., kind], called[..., -1:, kind]) for kind in (0, 1))
    return false_alarms, recall, _ratio(called[..., 1], called.sum(axis=-1))


def area_under_roc(score: NDArray[np.float64]) -> Measure:
    """Probability that a cloudy pixel scores higher than a clear one, ties half."""

    def auc(counts: Counts) -> NDArray[np.float64]:
        false_alarms, recall, _ = roc(counts, score)
        steps = np.diff(false_alarms, axis=-1, prepend=0)
        before = np.concatenate([np.zeros_like(recall[..., :1]), recall[..., :-1]], axis=-1)
        area: NDArray[np.float64] = (steps * (recall + before) / 2).sum(axis=-1)
        return area

    return auc


def scored(
    tables: dict[str, pd.DataFrame], classifiers: dict[str, NDArray[np.float64]], cutoffs: dict[str, tuple[float, ...]]
) -> Iterator[Score]:
    """Every measure of every classifier on every split; `classifiers` give a score per combination of components."""
    for split, table in tables.items():
        by_label = {label: count_pixels(part) for label, part in table.groupby(pixel_table.LABEL, observed=True)}
        whole = count_pixels(table)
        for name, score in classifiers.items():
            yield _score(split, name, np.nan, ALL, "auc", area_under_roc(score), whole)
            for cutoff in cutoffs[name]:
                is_cloud = score > cutoff
                for measure, function in threshold_measures(is_cloud).items():
                    yield _score(split, name, cutoff, ALL, measure, function, whole)
                for label, counts in by_label.items():
                    yield _score(split, name, cutoff, str(label), "called_cloud", called_cloud(is_cloud), counts)


def interval(measure: Measure, counts: Counts) -> tuple[float, float]:
    """The percentile bootstrap over scenes: pixels of one scene are no independent draws."""
    n_scenes = len(counts)
    draws = np.random.default_rng(0).multinomial(n_scenes, np.full(n_scenes, 1 / n_scenes), size=REPLICATES)
    replicates = measure((draws @ counts.reshape(n_scenes, -1)).reshape(REPLICATES, *counts.shape[1:]))
    low, high = np.nanquantile(replicates, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def _score(split: str, name: str, cutoff: float, label: str, measure: str, function: Measure, counts: Counts) -> Score:
    value = float(function(counts.sum(axis=0)))
    low, high = (np.nan, np.nan) if np.isnan(value) else interval(function, counts)
    value, low, high = (round(figure, 6) for figure in (value, low, high))
    return Score(split, name, cutoff, label, measure, value, low, high, int(counts.sum()), len(counts))


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """NaN where there is nothing to divide by."""
    out = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    ratio: NDArray[np.float64] = np.divide(part, whole, out=out, where=whole > 0)
    return ratio
