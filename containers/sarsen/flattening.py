"""Terrain flattening after Small (2011), doi:10.1109/TGRS.2011.2120616: power per area that the satellite sees."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.sarsen.geometry import Seen
from containers.sarsen.shifts import Array

Values = NDArray[np.float64]
_PARTS: Final = 2
"""A facet is laid down as this many points along each side, so that it never falls between pixels."""
LEAST_AREA: Final = 0.1
"""Pixels with less ground in sight, as a share of their own area, lie in shadow or at grazing incidence (84°)."""


def looked(position: Values, looks: int) -> Values:
    """A fractional pixel of the image as one of the multilooked image."""
    return (position + 0.5) / looks - 0.5


def add_facets(areas: Values, window: Window, seen: Seen, looks: int, edge: int) -> None:
    """Add what each pixel of the multilooked image sees of some cells, over the area of a single pixel.

    `areas` covers `window`. The outer `edge` cells are not laid down: they tell how positions change. A facet's area is
    shared by the four pixels around it, bilinearly. (`gamma_weights_bilinear` of sarsen 0.9.6 looks the four shares up
    in the same pixel again, so that its result is that of no interpolation at all.)
    """
    row, col = looked(seen.row, looks) - window.row_off, looked(seen.col, looks) - window.col_off
    inner = slice(edge, -edge)
    down, across = (np.stack(np.gradient(position))[:, inner, inner] for position in (row, col))
    row, col, area = row[inner, inner], col[inner, inner], seen.area_px[inner, inner]
    steps = (np.arange(_PARTS) + 0.5) / _PARTS - 0.5
    for south in steps:
        for east in steps:
            part_row, part_col = (
                position + south * slope[0] + east * slope[1] for position, slope in ((row, down), (col, across))
            )
            _lay_down(areas, part_row, part_col, area / _PARTS**2)


def _lay_down(areas: Values, row: Values, col: Values, area: Values) -> None:
    height, width = areas.shape
    with np.errstate(invalid="ignore"):
        near = (row > -1) & (row < height) & (col > -1) & (col < width) & (area > 0)
    if not near.any():
        return
    row, col, area = row[near], col[near], area[near]
    first_row, first_col = np.floor(row).astype(int), np.floor(col).astype(int)
    top, left = int(first_row.min()), int(first_col.min())
    box = int(first_row.max()) - top + 2, int(first_col.max()) - left + 2
    sums = np.zeros(box)
    row_share, col_share = row - first_row, col - first_col
    for down, row_weight in ((0, 1 - row_share), (1, row_share)):
        for right, col_weight in ((0, 1 - col_share), (1, col_share)):
            index = (first_row + down - top) * box[1] + first_col + right - left
            sums += np.bincount(index, area * row_weight * col_weight, box[0] * box[1]).reshape(box)
    inside_rows, inside_cols = slice(max(0, top), top + box[0]), slice(max(0, left), left + box[1])
    target = areas[inside_rows, inside_cols]
    skip_row, skip_col = max(0, -top), max(0, -left)
    target += sums[skip_row : skip_row + target.shape[0], skip_col : skip_col + target.shape[1]]


def area_share(areas: Values, window: Window, pixels: Window, looks: int) -> Array:
    """What pixels of the image itself see, each over its own area; (y, x), NaN where nearly no ground is in sight.

    Beta nought counts per area of the slant range plane, gamma nought per area across the line of sight: this is the
    factor between them. It is bilinear between the multilooked pixels of `window` that `areas` covers.
    """
    share = (areas / looks**2).astype(np.float32)
    for axis, (first, size, start) in enumerate(
        (
            (pixels.row_off, pixels.height, window.row_off),
            (pixels.col_off, pixels.width, window.col_off),
        )
    ):
        position = looked(first + np.arange(size, dtype=float), looks) - start
        position = np.clip(position, 0, areas.shape[axis] - 1)
        before = np.floor(position).astype(int)
        after = np.minimum(before + 1, areas.shape[axis] - 1)
        weight = np.expand_dims((position - before).astype(np.float32), 1 - axis)
        share = np.take(share, before, axis) * (1 - weight) + np.take(share, after, axis) * weight
    return np.where(share >= LEAST_AREA, share, np.float32(np.nan))


def sampled(image: NDArray[np.float32], row: Values, col: Values) -> Array:
    """Bilinear values at fractional pixels; (y, x) of the positions.

    Pixels without data do not count, and NaN stands where they hold more than half of the weight. The outer half of
    the edge pixels belongs to them, so that slices that touch leave no gap.
    """
    height, width = image.shape
    with np.errstate(invalid="ignore"):
        near = (row >= -0.5) & (row <= height - 0.5) & (col >= -0.5) & (col <= width - 0.5)
    found = np.full(row.shape, np.nan, dtype=np.float32)
    row, col = np.clip(row[near], 0, height - 1), np.clip(col[near], 0, width - 1)
    first_row, first_col = np.floor(row).astype(int), np.floor(col).astype(int)
    row_share, col_share = row - first_row, col - first_col
    total, weights = np.zeros(row.shape), np.zeros(row.shape)
    for down, row_weight in ((0, 1 - row_share), (1, row_share)):
        for right, col_weight in ((0, 1 - col_share), (1, col_share)):
            value = image[np.minimum(first_row + down, height - 1), np.minimum(first_col + right, width - 1)]
            weight = np.where(np.isnan(value), 0, row_weight * col_weight)
            total += weight * np.nan_to_num(value)
            weights += weight
    with np.errstate(invalid="ignore", divide="ignore"):
        found[near] = np.where(weights >= 0.5, total / weights, np.nan)
    return found
