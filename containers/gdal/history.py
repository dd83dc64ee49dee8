"""Histories of cells from yearly class probabilities: decoded along time, their changes judged, small ones undone."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from containers.base.contract.legend import CLASSES, PROBABILITY_NODATA, PROBABILITY_SCALE, LandCover
from containers.gdal.emission import Array
from containers.gdal.hidden_markov import Mask, Model, Seen, log_joint_of, most_probable, posterior, see

UNKNOWN_CHANGE = 255
REACH_PX = 3
"""Changed cells up to this far away, in rows and columns, have a say in whether a change is believed."""
_LENIENCE = 1 / 3
"""Share of a change's price at which it becomes a candidate; judged with its neighbours, it pays the whole."""
_TOUCHING = np.ones((3, 3), int)

Path = NDArray[np.uint8]
"""Index of the class per (period, y, x)."""


class Histories(NamedTuple):
    """Products: classes and confidence (period, y, x), change period and probability (y, x); all uint8."""

    classes: NDArray[np.uint8]
    confidence: NDArray[np.uint8]
    change_period: NDArray[np.uint8]
    change_probability: NDArray[np.uint8]


def decoded(probabilities: NDArray[np.uint8], model: Model, *, spatial_weight: float, least_cells: int) -> Histories:
    """Consistent histories from probabilities uint8 × 1/250 (period, class, y, x), nodata 255.

    A cell without data in a period is unknown in that period, and no evidence for the others.
    """
    shape = probabilities.shape[2:]
    observed = probabilities[:, 0] != PROBABILITY_NODATA
    seen = see(probabilities.reshape(*probabilities.shape[:2], -1), model.emission)
    path = believed_path(seen, shape, model, spatial_weight, least_cells)
    found = posterior(seen, model, most_probable(seen, model)[1])
    confidence = np.take_along_axis(found.classes.reshape(probabilities.shape), path[:, None], axis=1)[:, 0]
    classes = np.where(observed, np.array(CLASSES, np.uint8)[path], np.uint8(LandCover.UNKNOWN))
    seen_twice = observed.sum(axis=0) >= 2
    return Histories(
        classes=classes,
        confidence=_scaled(confidence, observed),
        change_period=np.where(seen_twice, last_change(classes), np.uint8(UNKNOWN_CHANGE)),
        change_probability=_scaled(1 - found.constant.reshape(shape), seen_twice),
    )


def believed_path(seen: Seen, shape: tuple[int, int], model: Model, spatial_weight: float, least_cells: int) -> Path:
    """The histories of what was seen of the cells of a window in which only changes are left that are worth believing.

    Candidates come from decoding every cell by itself, leniently. A candidate stays if with its neighbours it is more
    probable than its absence, and if it belongs to a patch of `least_cells` cells at least. Cells that lose a change
    get their most probable history without it.
    """
    lenient = model.lenient(_LENIENCE)
    path = most_probable(seen, lenient)[0].reshape(-1, *shape)
    changes = path[1:] != path[:-1]
    gains = gain_of_changes(path, seen, model)
    kept = np.zeros_like(changes)
    for period, index in np.ndindex(len(changes), len(CLASSES)):
        event = changes[period] & (path[period + 1] == index)
        kept[period] |= in_large_patches(event & is_convincing(gains[period], event, spatial_weight), least_cells)
    undone = (changes & ~kept).any(axis=0)
    path[:, undone] = most_probable(seen.of_cells(undone.ravel()), lenient, kept[:, undone])[0]
    return path


def gain_of_changes(path: Path, seen: Seen, model: Model) -> Array:
    """How much more probable, as a log ratio (period − 1, y, x), a history is with its change between two periods than
    the best one without it; 0 where nothing changes."""
    changes = path[1:] != path[:-1]
    cells = changes.any(axis=0)
    of_changed = seen.of_cells(cells.ravel())
    own = log_joint_of(path[:, cells], of_changed, model)
    gains = np.zeros(changes.shape, np.float32)
    for period in range(len(changes)):
        others = changes[:, cells].copy()
        others[period] = False
        gains[period, cells] = own - most_probable(of_changed, model, others)[1]
    return np.where(changes, gains, 0)


def is_convincing(gains: Array, event: Mask, spatial_weight: float) -> Mask:
    """Where the gain of an event (y, x) is positive, drawn towards the mean of the same event's cells around.

    A mean, not a sum: neighbours that are wrong are mostly wrong together.
    """
    around = _box_sum(np.where(event, gains, 0)) / np.maximum(_box_sum(event.astype(np.float32)), 1)
    return event & ((1 - spatial_weight) * gains + spatial_weight * around > 0)


def in_large_patches(event: Mask, least_cells: int) -> Mask:
    """The cells of an event (y, x) that lie in patches, touching at corners included, of `least_cells` at least."""
    labels, count = ndimage.label(event, structure=_TOUCHING)
    large = np.bincount(labels.ravel(), minlength=count + 1) >= least_cells
    large[0] = False
    mask: Mask = large[labels]
    return mask


def last_change(classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Index of the last period (y, x) whose class differs from that of the known period before it; 0 none."""
    last, before = np.zeros(classes.shape[1:], np.uint8), classes[0]
    for period, now in enumerate(classes[1:], start=1):
        known = now != LandCover.UNKNOWN
        last[known & (before != LandCover.UNKNOWN) & (now != before)] = period
        before = np.where(known, now, before)
    return last


def _scaled(values: Array, known: Mask) -> NDArray[np.uint8]:
    return np.where(known, np.rint(values / PROBABILITY_SCALE), PROBABILITY_NODATA).astype(np.uint8)


def _box_sum(array: Array) -> Array:
    """Sum (y, x) over all cells within reach; outside counts as 0. Added in one order, so that windows equal the
    whole."""
    size = 2 * REACH_PX + 1
    height, width = array.shape
    padded = np.pad(array, REACH_PX)
    rows = np.sum([padded[first : first + height] for first in range(size)], axis=0)
    total: Array = np.sum([rows[:, first : first + width] for first in range(size)], axis=0)
    return total
