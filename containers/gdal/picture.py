"""A raster as a smaller picture of itself: block averages and modes that never mix nodata into data."""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError

_ALIGNED_PX = 1e-3
_MOST_PARTS = 12
"""Into so many parts a source cell is cut at most, so that cells of both grids share edges."""


class Blocks(NamedTuple):
    """How the cells of a source lie in those of a picture of it."""

    parts: int
    """A source cell counts as so many in each direction: above 1 where it is no whole part of the picture's cell."""
    size: int
    """So many parts make a cell of the picture, in each direction."""
    top: int
    left: int
    """Parts of the picture's first row and column that lie outside the source."""
    shape: tuple[int, int]


def covering(source: Grid, resolution_m: float) -> Grid:
    """The smallest grid of that cell size that covers the source; cells at its edges may reach beyond."""
    return Grid.covering(source.bounds, epsg=source.epsg, resolution_m=resolution_m)


def blocks_of(source: Grid, picture: Grid) -> Blocks:
    """How `source` falls into the cells of `picture`, which covers it.

    A source finer than the picture is averaged, a coarser one repeated (nearest neighbour), and where neither cell
    size is a multiple of the other, each source cell counts by its area. Raises `grid_mismatch` where the cells'
    edges share no lattice.
    """
    ratio = Fraction(picture.resolution_m / source.resolution_m).limit_denominator(_MOST_PARTS)
    part_m = source.resolution_m / ratio.denominator
    top = (picture.north_m - source.north_m) / part_m
    left = (source.west_m - picture.west_m) / part_m
    size = picture.resolution_m / part_m
    if max(abs(number - round(number)) for number in (top, left, size)) > _ALIGNED_PX:
        raise StepError(
            "grid_mismatch",
            f"Cells of {source.resolution_m:g} m from ({source.west_m:g}, {source.north_m:g}) fit into no cells of "
            f"{picture.resolution_m:g} m from ({picture.west_m:g}, {picture.north_m:g}).",
            "Choose a resolution that is a multiple of the bands', or that they are multiples of: 20, 30 or 60 m.",
        )
    return Blocks(ratio.denominator, round(size), round(top), round(left), picture.shape)


def block_mean(values: NDArray[np.int16], blocks: Blocks, nodata: int) -> NDArray[np.int16]:
    """The mean of the valid source cells in each cell of the picture, rounded; (y, x), int16.

    Nodata where more than half of the cell is nodata or outside the source.
    """
    means = np.full(blocks.shape, nodata, dtype=np.int16)
    for row, rows in enumerate(_block_rows(values, blocks)):
        valid = rows != nodata
        count = _per_block(valid.sum(axis=0, dtype=np.int32), blocks)
        total = _per_block(np.where(valid, rows, 0).sum(axis=0, dtype=np.int32), blocks)
        seen = 2 * count >= blocks.size**2
        means[row, seen] = np.rint(total[seen] / count[seen])
    return means


def block_mode(classes: NDArray[np.uint8], blocks: Blocks, nodata: int) -> NDArray[np.uint8]:
    """The most frequent valid class in each cell of the picture, of equals the lowest; (y, x), uint8.

    Nodata where more than half of the cell is nodata or outside the source.
    """
    modes = np.full(blocks.shape, nodata, dtype=np.uint8)
    codes = np.setdiff1d(np.flatnonzero(np.bincount(classes.ravel(), minlength=256)), nodata)
    if not codes.size:
        return modes
    for row, rows in enumerate(_block_rows(classes, blocks)):
        counts = np.stack([_per_block((rows == code).sum(axis=0, dtype=np.int32), blocks) for code in codes])
        seen = 2 * counts.sum(axis=0) >= blocks.size**2
        modes[row, seen] = codes[counts.argmax(axis=0)][seen]
    return modes


def _block_rows(values: NDArray[Any], blocks: Blocks) -> Iterator[NDArray[Any]]:
    """The parts' rows of each row of the picture, over the source's width in cells."""
    height = len(values) * blocks.parts
    for row in range(blocks.shape[0]):
        first, last = (min(max(0, (row + edge) * blocks.size - blocks.top), height) for edge in (0, 1))
        if blocks.parts == 1:
            yield values[first:last]
        else:
            cells = values[first // blocks.parts : math.ceil(last / blocks.parts)]
            skipped = first % blocks.parts
            yield cells.repeat(blocks.parts, axis=0)[skipped : skipped + last - first]


def _per_block(row: NDArray[np.int32], blocks: Blocks) -> NDArray[np.int32]:
    """Sums over the columns of each cell of the picture; (x,)."""
    parts = row if blocks.parts == 1 else row.repeat(blocks.parts)
    width = blocks.shape[1] * blocks.size
    padded = np.zeros(width, dtype=np.int32)
    padded[blocks.left : blocks.left + parts.size] = parts
    sums: NDArray[np.int32] = padded.reshape(-1, blocks.size).sum(axis=1, dtype=np.int32)
    return sums
