"""Histories of cells from yearly class probabilities: smoothed along time, without changes too small to be mapped."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from containers.base.contract.legend import CLASSES, PROBABILITY_NODATA, PROBABILITY_SCALE, LandCover
from containers.gdal.hidden_markov import Array, Chain, log_constant, most_probable_path, posterior

UNKNOWN_CHANGE = 255
_LEAST_PROBABILITY = PROBABILITY_SCALE / 2
"""What a stored 0 may stand for: half a step, so that no class is ever ruled out by rounding."""
_NEIGHBOURS = np.ones((3, 3), int)


class Histories(NamedTuple):
    """Products: classes and confidence (period, y, x), change period and probability (y, x); all uint8."""

    classes: NDArray[np.uint8]
    confidence: NDArray[np.uint8]
    change_period: NDArray[np.uint8]
    change_probability: NDArray[np.uint8]


def histories(
    probabilities: NDArray[np.uint8], model: Chain, *, temperature: float, spatial_weight: float, least_cells: int
) -> Histories:
    """Smoothed histories from probabilities uint8 × 1/250 (period, class, y, x), nodata 255.

    A cell without data in a period is unknown in that period, and no evidence for the others.
    """
    n_periods, n_classes, *shape = probabilities.shape
    observed = probabilities[:, 0] != PROBABILITY_NODATA
    evidence = evidence_of(probabilities, observed, temperature, spatial_weight).reshape(n_periods, n_classes, -1)
    path = most_probable_path(evidence, model)
    path = without_small_changes(path.reshape(n_periods, *shape), evidence, model, least_cells)
    log_posterior = posterior(evidence, model).reshape(n_periods, n_classes, *shape)
    confidence = np.take_along_axis(log_posterior, path[:, None], axis=1)[:, 0]
    classes = np.where(observed, np.array(CLASSES, np.uint8)[path], np.uint8(LandCover.UNKNOWN))
    seen_twice = observed.sum(axis=0) >= 2
    changed = -np.expm1(log_constant(evidence, model)).reshape(shape)
    return Histories(
        classes=classes,
        confidence=_scaled(np.exp(confidence), observed),
        change_period=np.where(seen_twice, last_change(classes), np.uint8(UNKNOWN_CHANGE)),
        change_probability=_scaled(changed, seen_twice),
    )


def evidence_of(
    probabilities: NDArray[np.uint8], observed: NDArray[np.bool_], temperature: float, spatial_weight: float
) -> Array:
    """Log probabilities (period, class, y, x), drawn towards the mean of the observed 3×3 cells and divided by the
    temperature; 0 where nothing was observed."""
    known = observed[:, None]
    steps = np.arange(np.iinfo(np.uint8).max + 1)
    log_of = np.log(np.maximum(steps * PROBABILITY_SCALE, _LEAST_PROBABILITY)).astype(np.float32) / temperature
    log_of[PROBABILITY_NODATA] = 0
    logs: Array = log_of[probabilities]
    if spatial_weight:
        around = _sum_3x3(logs) / np.maximum(_sum_3x3(known.astype(np.float32)), 1)
        logs += spatial_weight * (around - logs)
        logs *= known
    return logs


def without_small_changes(
    path: NDArray[np.uint8], evidence: Array, model: Chain, least_cells: int
) -> NDArray[np.uint8]:
    """The histories (period, y, x) without changes in patches of fewer than `least_cells` cells.

    A patch is cells that touch, corners included, and turn to one class in one period. Cells of small patches get
    their most probable history in which nothing changes but what they keep.
    """
    changes = path[1:] != path[:-1]
    kept = np.zeros_like(changes)
    for period, changed in enumerate(changes):
        for index in range(len(CLASSES)):
            labels, count = ndimage.label(changed & (path[period + 1] == index), structure=_NEIGHBOURS)
            large = np.bincount(labels.ravel(), minlength=count + 1) >= least_cells
            large[0] = False
            kept[period] |= large[labels]
    undone = (changes & ~kept).any(axis=0)
    result = path.copy()
    result[:, undone] = most_probable_path(evidence[:, :, undone.ravel()], model, kept[:, undone])
    return result


def last_change(classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Index of the last period (y, x) whose class differs from that of the known period before it; 0 none."""
    last, before = np.zeros(classes.shape[1:], np.uint8), classes[0]
    for period, now in enumerate(classes[1:], start=1):
        known = now != LandCover.UNKNOWN
        last[known & (before != LandCover.UNKNOWN) & (now != before)] = period
        before = np.where(known, now, before)
    return last


def _scaled(values: Array, known: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(known, np.rint(values / PROBABILITY_SCALE), PROBABILITY_NODATA).astype(np.uint8)


def _sum_3x3(array: Array) -> Array:
    """Sum over the 3×3 cells (…, y, x); outside counts as 0. Added in one order, so that windows equal the whole."""
    padded = np.pad(array, [(0, 0)] * (array.ndim - 2) + [(1, 1), (1, 1)])
    rows = padded[..., :-2, :] + padded[..., 1:-1, :] + padded[..., 2:, :]
    total: Array = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]
    return total
