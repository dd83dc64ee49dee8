"""Which cells of an acquisition are clear: the mask rule applied to the scene classification."""

import math

import numpy as np
from numpy.typing import NDArray

from containers.gdal.contract.composite import MaskRule

Mask = NDArray[np.bool_]


def halo_px(rule: MaskRule, resolution_m: float) -> int:
    """How many cells beyond a window its mask depends on."""
    return max((math.floor(metres / resolution_m) for metres in rule.dilate_m.values()), default=0)


def clear_cells(classes: NDArray[np.uint8], rule: MaskRule, resolution_m: float) -> Mask:
    """Cells (y, x) whose class is not masked and which lie farther from a masked class than its dilation.

    Only masked classes are dilated. Distances run from cell centre to cell centre.
    """
    masked = np.isin(classes, rule.masked)
    for metres in set(rule.dilate_m.values()):
        codes = [code for code, reach in rule.dilate_m.items() if reach == metres and code in rule.masked]
        masked |= dilated(np.isin(classes, codes), metres / resolution_m)
    return ~masked


def dilated(mask: Mask, radius_px: float) -> Mask:
    """A mask grown by a disk: every cell within `radius_px` of a set one.

    The disk is a stack of horizontal runs, so the cost grows with the radius and not with the disk's area.

    >>> dilated(np.eye(1, 5, 2, dtype=bool), 1).astype(int).tolist()
    [[0, 1, 1, 1, 0]]
    """
    run, grown = mask.copy(), np.zeros_like(mask)
    run_width = 0
    for dy in range(math.floor(radius_px), -1, -1):
        half_width = math.isqrt(math.floor(radius_px**2 - dy**2))
        for dx in range(run_width + 1, half_width + 1):
            _or_shifted(run, mask, dx, axis=1)
        run_width = half_width
        _or_shifted(grown, run, dy, axis=0)
    return grown


def _or_shifted(target: Mask, source: Mask, by: int, axis: int) -> None:
    """Set in `target` what lies `by` cells beside a set cell of `source`, in both directions."""
    to, from_ = np.moveaxis(target, axis, 0), np.moveaxis(source, axis, 0)
    size = len(to)
    if by < size:
        to[by:] |= from_[: size - by]
        to[: size - by] |= from_[by:]
