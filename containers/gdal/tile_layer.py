"""Bands and masks of a tile, read at the tile's 10 m cells, and only where stencils let them through."""

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, ExitStack
from itertools import islice
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.raster import BLOCK_PX
from containers.gdal.stencils import Cut

CELL_M: Final = 10.0
Read = Callable[[Window], NDArray[Any]]


class TileLayer(NamedTuple):
    """A file of a tile on a grid of its own."""

    name: str
    grid: Grid
    block: tuple[int, int]
    """Rows and columns that are decoded together."""
    opened: Callable[[], AbstractContextManager[Read]]
    """A reader of settled values (y, x) by windows of the layer's own grid."""
    is_parallel: bool
    """Whether threads may read at once; else windows come one after another, from top to bottom."""


class Block(NamedTuple):
    """Cells that were read, whole blocks of the output."""

    window: Window
    """In the grid of the cut."""
    inside: NDArray[np.bool_]
    """(y, x), which cells the stencils let through."""
    values: list[NDArray[Any]]
    """Of each layer, (y, x)."""


def tile_grid(layer: TileLayer) -> Grid:
    """The 10 m pixel grid of the tile that the layer covers. Raises `grid_mismatch` where its cells are not nested."""
    factor = layer.grid.resolution_m / CELL_M
    if factor != int(factor):
        raise _mismatch(layer, f"has cells of {layer.grid.resolution_m:g} m, which {CELL_M:g} m cells do not divide")
    height, width = layer.grid.height * int(factor), layer.grid.width * int(factor)
    return layer.grid.model_copy(update={"resolution_m": CELL_M, "height": height, "width": width})


def blocks_of(layers: Sequence[TileLayer], cut: Cut, pool: Executor, threads: int) -> Iterator[Block]:
    """What stencils touch of layers, block by block, coarser cells repeated and never interpolated."""
    for layer in layers:
        if (found := tile_grid(layer)) != cut.tile:
            raise _mismatch(
                layer, f"covers {tuple(found.bounds)} of EPSG:{found.epsg}, the tile {tuple(cut.tile.bounds)}"
            )
    (row, col), windows = cut.offset, windows_of(layers, cut)
    with ExitStack() as files:
        readers = [(files.enter_context(layer.opened()), factor_of(layer)) for layer in layers]

        def block(window: Window) -> Block:
            in_tile = Window(window.col_off + col, window.row_off + row, window.width, window.height)
            values = [repeated(read, in_tile, factor) for read, factor in readers]
            return Block(window, cut.inside[window.toslices()], values)

        if all(layer.is_parallel for layer in layers):
            yield from _ahead(block, windows, pool, threads)
        else:
            yield from map(block, windows)


def factor_of(layer: TileLayer) -> int:
    """Edge of the layer's cells in cells of the tile."""
    return round(layer.grid.resolution_m / CELL_M)


def repeated(read: Read, window: Window, factor: int) -> NDArray[Any]:
    """A window of the 10 m grid of a layer whose cells are `factor` times as wide, each repeated."""
    rows, cols = (
        (int(first) // factor, -(-int(first + size) // factor))
        for first, size in ((window.row_off, window.height), (window.col_off, window.width))
    )
    values = read(Window(cols[0], rows[0], cols[1] - cols[0], rows[1] - rows[0]))
    if factor == 1:
        return values
    top, left = int(window.row_off) - rows[0] * factor, int(window.col_off) - cols[0] * factor
    fine = values.repeat(factor, axis=0).repeat(factor, axis=1)
    return fine[top : top + int(window.height), left : left + int(window.width)]


def windows_of(layers: Sequence[TileLayer], cut: Cut) -> Iterator[Window]:
    """The windows to read, in the grid of the cut: from each block of the files the blocks of output that are touched.

    Where blocks of a file are smaller than those of the output, the latter are read whole.
    """
    blocks = np.array([np.multiply(layer.block, factor_of(layer)) for layer in layers])
    steps = [
        min(math.lcm(*cells, BLOCK_PX), -(-size // BLOCK_PX) * BLOCK_PX)
        for cells, size in zip(blocks.T.tolist(), cut.tile.shape, strict=True)
    ]
    for top, bottom in _edges(cut.offset[0], cut.grid.height, steps[0]):
        for left, right in _edges(cut.offset[1], cut.grid.width, steps[1]):
            inside = cut.inside[top:bottom, left:right]
            if inside.any():
                first_row, last_row = _on_blocks(inside.any(axis=1))
                first_col, last_col = _on_blocks(inside.any(axis=0))
                yield Window(left + first_col, top + first_row, last_col - first_col, last_row - first_row)


def _edges(offset: int, size: int, step: int) -> Iterator[tuple[int, int]]:
    """Starts and ends within a window of steps that are counted from the tile's own edge."""
    for first in range(offset // step * step, offset + size, step):
        yield max(first, offset) - offset, min(first + step, offset + size) - offset


def _on_blocks(touched: Any) -> tuple[int, int]:
    """From the first to behind the last touched row or column, on blocks of the output."""
    cells = np.flatnonzero(touched)
    return int(cells[0]) // BLOCK_PX * BLOCK_PX, min((int(cells[-1]) // BLOCK_PX + 1) * BLOCK_PX, len(touched))


def _ahead(
    block: Callable[[Window], Block], windows: Iterator[Window], pool: Executor, threads: int
) -> Iterator[Block]:
    """Blocks in order, few of them read ahead, so that memory is bounded."""
    waiting: deque[Future[Block]] = deque(pool.submit(block, window) for window in islice(windows, threads + 1))
    while waiting:
        done = waiting.popleft().result()
        waiting.extend(pool.submit(block, window) for window in islice(windows, 1))
        yield done


def _mismatch(layer: TileLayer, reason: str) -> StepError:
    return StepError("grid_mismatch", f"{layer.name} {reason}.", "Give the files of one product of one tile.")
