"""How a grid is cut into pieces that are worked on alone, and where its time ends."""

from collections.abc import Iterator, Sequence
from datetime import date

from containers.base.contract.grid import Grid
from tasks.periods import Period


def windows_of(grid: Grid, size_px: int) -> Iterator[Grid]:
    """Windows of at most `size_px` cells a side, row by row from the upper left; together they are the grid."""
    for row in range(0, grid.height, size_px):
        for column in range(0, grid.width, size_px):
            yield grid.model_copy(
                update={
                    "west_m": grid.west_m + column * grid.resolution_m,
                    "north_m": grid.north_m - row * grid.resolution_m,
                    "width": min(size_px, grid.width - column),
                    "height": min(size_px, grid.height - row),
                }
            )


def last_day(years: Sequence[Period], searched: Period, dates: Sequence[date]) -> date:
    """The end of the last year, or the last date that was seen, where that year still runs."""
    is_over = searched.end >= years[-1].end
    return years[-1].end if is_over else max(years[0].start, max(dates))
