"""The windows of one grid, opened together: curves, observations and seasons of each."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.grid import Grid, spanning
from containers.base.contract.step import StepError
from containers.base.grid import require_grid
from containers.base.raster import open_raster
from containers.base.step import local_path
from containers.gdal.contract.productivity import FilledWindow
from containers.gdal.series_file import Series, open_series


class OpenWindow(NamedTuple):
    """One window to read."""

    grid: Grid
    filled: Series
    series: Series
    seasons: dict[int, Any]
    """Year to the open raster of its metrics."""


def grid_of_windows(windows: Sequence[FilledWindow]) -> Grid:
    """The smallest grid that holds all windows. Raises `grid_mismatch` where they overlap or do not fit together."""
    try:
        grid = spanning(window.grid for window in windows)
    except ValueError as error:
        raise _refused(str(error)) from error
    for one, other in combinations(windows, 2):
        if one.grid.bounds.intersects(other.grid.bounds):
            raise _refused(f"windows overlap: {tuple(one.grid.bounds)} and {tuple(other.grid.bounds)}")
    return grid


@contextmanager
def opened(window: FilledWindow) -> Iterator[OpenWindow]:
    """Raises `grid_mismatch` where a file lies on another grid than its window."""
    with ExitStack() as files:
        filled = files.enter_context(open_series(local_path(window.filled)))
        series = files.enter_context(open_series(local_path(window.series)))
        for grid in (filled.header.grid, series.header.grid):
            if grid != window.grid:
                raise _refused(f"a series lies on {grid!r}, its window is {window.grid!r}")
        seasons = {s.year: files.enter_context(open_raster(local_path(s.raster))) for s in window.seasons}
        for raster in seasons.values():
            require_grid(raster, window.grid)
        yield OpenWindow(window.grid, filled, series, seasons)


def require_same_days(days: NDArray[np.int32], other: NDArray[np.int32]) -> None:
    """Raises `grid_mismatch` unless two windows have curves on the same dates."""
    if not np.array_equal(days, other):
        raise _refused(f"windows have {len(days)} and {len(other)} dates, which differ")


def _refused(reason: str) -> StepError:
    return StepError(
        "grid_mismatch", f"{reason}.", "Give windows of one run, filled to the same dates, which do not overlap."
    )
