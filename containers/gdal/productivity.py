"""Season metrics of every year and cell from filled curves, block by block."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import output_file
from containers.base.contract.step import StepError, StepWarning
from containers.base.raster import create_cog
from containers.base.step import local_path, main, progress
from containers.gdal.contract.productivity import METRICS, NODATA, Metrics, ProductivityParams, ProductivityResult, Season
from containers.gdal.curve import Curves, Values, bridged
from containers.gdal.pipeline import in_order
from containers.gdal.season import NO_SEASON, Turns, bounds_at, first_of_january, main_seasons, peak_days
from containers.gdal.season_quality import NO_CURVE_SEASON, PEAK_SHARE, quality_classes

Days = NDArray[np.int32]


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
        some = Curves(curves.days, *(layers[:, cells] for layers in curves[1:]))
        seen = Observed(observed.days, observed.clear[:, cells])
        metrics[:, cells] = _of_cells(some, Turns(*(turn[cells] for turn in turns)), seen, year, season)
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
