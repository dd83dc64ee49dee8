"""The filled series as a moving picture: one frame per date, from block means, in bounded size."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.legend import INDEX_NODATA, INDEX_SCALE
from containers.base.contract.step import StepError
from containers.base.grid import offset_in
from containers.base.step import local_path, main, progress
from containers.gdal.contract.productivity import AnimationParams, AnimationResult, FilledWindow
from containers.gdal.moving_picture import Film, save_gif
from containers.gdal.season import date_of
from containers.gdal.series_file import CHUNK_PX, chunk_windows, open_series
from containers.gdal.windows import grid_of_windows, require_same_days

_BLOCK_COLS = 16 * CHUNK_PX
_MAX_CELLS = 12_000_000
"""Picture cells of all frames: a GIF of at most about 10 MB."""


class Sums(NamedTuple):
    """Index values in blocks of cells, one block per picture cell."""

    total: NDArray[np.float64]
    """(time, y, x)."""
    cells: NDArray[np.int32]

    def means(self) -> NDArray[np.float32]:
        """NaN where no cell has a value."""
        with np.errstate(invalid="ignore"):
            return (self.total / np.where(self.cells, self.cells, np.nan)).astype(np.float32)


def factor_of(grid: Grid, n_frames: int, max_px: int) -> int:
    """Cells along one edge of a picture cell, so that neither the picture nor all frames together are too large."""
    by_edge = max(grid.shape) / max_px
    by_size = (grid.width * grid.height * n_frames / _MAX_CELLS) ** 0.5
    return max(1, int(np.ceil(max(by_edge, by_size))))


def run(params: AnimationParams, out: Path) -> AnimationResult:
    """Raises `bad_dates` where the curve has no date between the first and the last."""
    grid = grid_of_windows(params.windows)
    with open_series(local_path(params.windows[0].filled)) as first:
        header = first.header
    chosen = np.flatnonzero([params.first <= day <= params.last for day in header.dates])
    if not chosen.size:
        raise StepError(
            "bad_dates",
            f"The curve reaches from {header.dates[0]} to {header.dates[-1]}: it has no date from {params.first} to "
            f"{params.last}.",
            "Choose days within the filled series.",
        )
    factor = factor_of(grid, len(chosen), params.max_px)
    shape = (len(chosen), -(-grid.height // factor), -(-grid.width // factor))
    sums = Sums(np.zeros(shape), np.zeros(shape, dtype=np.int32))
    for done, window in enumerate(params.windows, start=1):
        _add_window(sums, window, grid, factor, chosen, header.days)
        progress(done, len(params.windows), "animation")
    film = Film(
        frames=sums.means(),
        dates=tuple(date_of(day) for day in header.days[chosen]),
        title=header.index.upper(),
        simulated=params.simulated,
    )
    save_gif(film, out / "series.gif")
    return AnimationResult(animation=output_file(out / "series.gif"))


def _add_window(
    sums: Sums, window: FilledWindow, grid: Grid, factor: int, chosen: NDArray[np.intp], days: NDArray[np.int32]
) -> None:
    top, left = offset_in(grid, window.grid)
    with open_series(local_path(window.filled)) as filled:
        require_same_days(days, filled.header.days)
        for block in chunk_windows(window.grid, CHUNK_PX, _BLOCK_COLS):
            values = filled.read("values", block)[chosen]
            rows, first_row = _groups(top + int(block.row_off), values.shape[1], factor)
            cols, first_col = _groups(left + int(block.col_off), values.shape[2], factor)
            known = values != INDEX_NODATA
            place = np.s_[:, first_row : first_row + len(rows), first_col : first_col + len(cols)]
            sums.total[place] += _summed(np.where(known, values, 0), rows, cols) * INDEX_SCALE
            sums.cells[place] += _summed(known, rows, cols)


def _groups(first: int, length: int, factor: int) -> tuple[NDArray[np.intp], int]:
    """Where new picture cells begin along one axis of a block, and the number of the first of them."""
    numbers = (first + np.arange(length)) // factor
    return np.flatnonzero(np.diff(numbers, prepend=-1)), int(numbers[0])


def _summed(cells: NDArray[np.generic], rows: NDArray[np.intp], cols: NDArray[np.intp]) -> NDArray[np.int32]:
    by_rows = np.add.reduceat(cells, rows, axis=1, dtype=np.int32)
    summed: NDArray[np.int32] = np.add.reduceat(by_rows, cols, axis=2)
    return summed


if __name__ == "__main__":
    main(AnimationParams, run)
