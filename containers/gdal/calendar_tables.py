"""The tables of a pasture's calendar."""

import csv
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from containers.base.contract.files import File, output_file
from containers.gdal.contract.calendar import EVENTS
from containers.gdal.pasture_curve import PastureCurve
from containers.gdal.pasture_events import Event
from containers.gdal.pasture_views import Summary
from containers.gdal.season import date_of
from containers.gdal.theil_sen import MIN_YEARS, trend

_EVERY_DAYS: Final = 5
_NORMAL_95: Final = 1.96
_EVENTS: Final = (
    "pasture_id", "year", "event", "day", "lower", "upper", "basis", "doubt", "usual", "difference",
)  # fmt: skip
_CURVE: Final = (
    "pasture_id", "date", "observed", "ndvi", "lower", "upper", "p10", "p90", "clear_share", "snow_share",
)  # fmt: skip
_TREND: Final = ("pasture_id", "event", "years", "slope_days_per_year", "lower", "upper", "p_value")


def write_events(pasture_id: str, events: Iterable[Event], path: Path) -> File:
    rows = []
    for event in sorted(events, key=lambda event: (event.year, EVENTS.index(event.event))):
        days = (_figure(value, 1) for value in (event.day, event.lower, event.upper))
        against = (_figure(value, 1) for value in (event.usual, event.day - event.usual))
        rows.append((pasture_id, event.year, event.event, *days, event.basis, event.doubt, *against))
    return _write(path, _EVENTS, rows)


def write_curve(pasture_id: str, curve: PastureCurve, seen: Sequence[Summary], least_seen: float, path: Path) -> File:
    """A row per view, and one every five days; `observed` where enough of the pasture was clear on that day."""
    views = {view.day: view for view in seen}
    rows = []
    for day in sorted(views.keys() | set(curve.days[::_EVERY_DAYS].tolist())):
        view, step = views.get(day), day - int(curve.days[0])
        observed = view is not None and view.clear_share >= least_seen
        inside = 0 <= step < len(curve.days)
        ndvi = view.mean if observed and view else curve.values[step] if inside else math.nan
        spread = _NORMAL_95 * curve.deviation[step] if inside else math.nan
        band = (float(np.clip(ndvi + side * spread, -1, 1)) for side in (-1, 1))
        rest = (view.p10, view.p90, view.clear_share, view.snow_share) if view else (math.nan,) * 4
        figures = (_figure(value, 4) for value in (ndvi, *band, *rest))
        rows.append((pasture_id, date_of(day), int(observed), *figures))
    return _write(path, _CURVE, rows)


def write_trend(pasture_id: str, events: Sequence[Event], path: Path) -> File:
    """Theil–Sen slope of every event that is told in four years or more."""
    rows = []
    for name in EVENTS:
        told = sorted((event.year, event.day) for event in events if event.event == name and math.isfinite(event.day))
        if len(told) >= MIN_YEARS:
            years, days = np.array([year for year, _ in told]), np.array([[day] for _, day in told])
            figures = (_figure(float(layer[0]), 4) for layer in trend(years, days))
            rows.append((pasture_id, name, len(told), *figures))
    return _write(path, _TREND, rows)


def _figure(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else ""


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> File:
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(columns)
        table.writerows(rows)
    return output_file(path)
