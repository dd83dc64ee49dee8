"""Season metrics of every year and cell from filled curves, block by block."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.legend import INDEX_NODATA, INDEX_SCALE
from containers.base.contract.step import StepError, StepWarning
from containers.base.raster import BLOCK_PX, create_cog
from containers.base.step import local_path, main, progress
from containers.gdal.contract.productivity import (
    METRICS,
    NODATA,
    Metrics,
    ProductivityParams,
    ProductivityResult,
    Season,
)
from containers.gdal.curve import Curves, Values, bridged
from containers.gdal.pipeline import in_order
from containers.gdal.season import NO_SEASON, Turns, bounds_at, date_of, first_of_january, main_seasons, peak_days
from containers.gdal.season_quality import NO_CURVE_SEASON, PEAK_SHARE, quality_classes
from containers.gdal.series_file import Series, chunk_windows, open_series

Days = NDArray[np.int32]
_WINDOW_PX = BLOCK_PX
"""Windows are the internal tiles of the rasters, which are many: parts of tiles would be written again and again."""
_EDGE_DAYS = 31
"""A curve may miss so much of a year's ends before that is said."""


class Observed(NamedTuple):
    """When a block of cells was seen."""

    days: Days
    """(time,), since 1970."""
    clear: NDArray[np.bool_]
    """(time, cell)."""


def season_metrics(
    days: Days, values: Values, observed: Observed, years: Sequence[int], season: Season
) -> dict[int, Values]:
    """Year to metrics, (METRICS, cell) float32, NaN where there are none.

    `values` are index values, (time, cell), NaN where missing, on `days` since 1970. Cells with a curve but without
    a season have quality 1 and nothing else; cells without a curve have nothing. Of two seasons in one year, the one
    with the larger amplitude is taken.
    """
    known = bridged(days.astype(np.float32), values)
    curves = Curves.through(days.astype(np.float32), known, season.between)
    seasons = main_seasons(curves.days, known, years, season)
    has_curve = np.isfinite(known[0])
    return {year: _of_year(curves, turns, has_curve, observed, year, season) for year, turns in seasons.items()}


def _of_year(
    curves: Curves, turns: Turns, has_curve: NDArray[np.bool_], observed: Observed, year: int, season: Season
) -> Values:
    metrics = np.full((len(METRICS), len(has_curve)), np.nan, dtype=np.float32)
    metrics[-1, has_curve] = NO_CURVE_SEASON
    cells = np.flatnonzero(turns.peak != NO_SEASON)
    if cells.size:
        left, peak, right = (turn[cells] for turn in turns)
        first = int(left.min())
        some = curves.part(first, int(right.max()), cells)
        seen = Observed(observed.days, observed.clear[:, cells] if len(cells) < len(has_curve) else observed.clear)
        metrics[:, cells] = _of_cells(some, Turns(left - first, peak - first, right - first), seen, year, season)
    return metrics


def _of_cells(curves: Curves, turns: Turns, observed: Observed, year: int, season: Season) -> Values:
    """Metrics of cells that all have a season."""
    bounds = bounds_at(curves, turns, season.start_share, season.end_share)
    top = bounds_at(curves, turns, PEAK_SHARE, PEAK_SHARE)
    peak, base = curves.at(turns.peak), (curves.at(turns.left) + curves.at(turns.right)) / 2
    integral, length = curves.integral(bounds.first, bounds.last), bounds.last_day - bounds.first_day
    before_first = first_of_january(year) - 1
    metrics = {
        "integral": integral,
        "base_integral": integral - base * length,
        "peak": peak,
        "peak_day": peak_days(curves, turns.peak) - before_first,
        "amplitude": peak - base,
        "base": base,
        "start_day": bounds.first_day - before_first,
        "end_day": bounds.last_day - before_first,
        "length_days": length,
        "start_value": curves.value(*bounds.first),
        "end_value": curves.value(*bounds.last),
        "quality": quality_classes(observed.days, observed.clear, bounds, top),
    }
    return np.stack([metrics[name] for name in METRICS])


def run(params: ProductivityParams, out: Path) -> ProductivityResult:
    """Raises `bad_dates` where a year has no curve, `grid_mismatch` where series and curves differ in cells."""
    with open_series(local_path(params.filled)) as filled, open_series(local_path(params.series)) as series:
        grid = filled.header.grid
        require_same_grid(grid, series.header.grid)
        warnings = tuple(_uncovered(filled.header.days, params.years))
        paths = {year: out / f"season_{year}.tif" for year in params.years}
        _write_metrics(params, filled, series, paths)
    metrics = (Metrics(year=year, raster=output_file(path)) for year, path in paths.items())
    return ProductivityResult(seasons=tuple(metrics), grid=grid, warnings=warnings)


def require_same_grid(grid: Grid, other: Grid) -> None:
    if grid != other:
        raise StepError(
            "grid_mismatch",
            f"The filled series lies on {grid!r}, the observations on {other!r}.",
            "Give the series that gdal.fill has filled.",
        )


def index_values(values: NDArray[np.int16]) -> Values:
    """Stored integers to index values, NaN where there are none."""
    return np.where(values == INDEX_NODATA, np.float32(np.nan), values * np.float32(INDEX_SCALE))


def _write_metrics(params: ProductivityParams, filled: Series, series: Series, paths: dict[int, Path]) -> None:
    grid, threads = filled.header.grid, params.execution.threads
    windows = list(chunk_windows(grid, _WINDOW_PX, _WINDOW_PX))
    with ExitStack() as outputs, ThreadPoolExecutor(threads) as pool:
        sinks = {
            year: outputs.enter_context(
                create_cog(path, grid, dtype="float32", nodata=NODATA, bands=METRICS, threads=threads)
            )
            for year, path in paths.items()
        }
        blocks = in_order(pool, partial(_block, params, filled, series), windows, waiting=threads + 1)
        for done, (window, block) in enumerate(zip(windows, blocks, strict=True), start=1):
            for year, metrics in block.items():
                sinks[year].write(metrics, window=window)
            progress(done, len(windows), "season metrics")


def _block(params: ProductivityParams, filled: Series, series: Series, window: Window) -> dict[int, Values]:
    shape = (int(window.height), int(window.width))
    values = filled.read("values", window).reshape(-1, shape[0] * shape[1])
    clear = series.read("values", window).reshape(-1, shape[0] * shape[1]) != INDEX_NODATA
    observed = Observed(series.header.days, clear)
    metrics = season_metrics(filled.header.days, index_values(values), observed, params.years, params.season)
    return {year: np.nan_to_num(layers, nan=NODATA).reshape(-1, *shape) for year, layers in metrics.items()}


def _uncovered(days: Days, years: Sequence[int]) -> Iterator[StepWarning]:
    """A year that the curve covers only in part. Raises `bad_dates` for one of which there is no date."""
    covered = f"{date_of(days[0])} to {date_of(days[-1])}"
    for year in years:
        first, last = first_of_january(year), first_of_january(year + 1) - 1
        if not ((days >= first) & (days <= last)).any():
            raise StepError(
                "bad_dates", f"The curve reaches from {covered}: it has no date in {year}.", "Fill that year too."
            )
        if days[0] > first + _EDGE_DAYS or days[-1] < last - _EDGE_DAYS:
            yield StepWarning(
                code="year_cut",
                reason=f"The curve reaches from {covered}: of {year} a part is missing.",
                hint="Seasons that are cut have biased minima, or are not found; fill the whole year and some margin.",
            )


if __name__ == "__main__":
    main(ProductivityParams, run)
