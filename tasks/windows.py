"""How a grid is cut into pieces that are worked on alone, and which days of it are filled."""

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


def filled_span(years: Sequence[Period], searched: Period, dates: Sequence[date]) -> tuple[date, date]:
    """First and last day to fill: whole years, and of the margins beside them what was seen.

    Seasons begin and end in the margins. A year that still runs ends where it was last seen.
    """
    first = min(years[0].start, max(searched.start, min(dates)))
    last = min(searched.end, max(dates))
    is_over = searched.end >= years[-1].end
    return first, max(years[-1].end, last) if is_over else max(first, last)
