"""Series of single cells at places that a user names: one table, and a plot of each place."""

import csv
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import transform
from rasterio.windows import Window

from containers.base.contract.files import File, output_file
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepWarning
from containers.base.grid import crs_of
from containers.base.step import main, progress
from containers.gdal.contract.productivity import (
    METRICS,
    NODATA,
    FilledWindow,
    Place,
    PointsParams,
    PointsResult,
)
from containers.gdal.place_plot import PlaceSeries, draw_place
from containers.gdal.productivity import index_values
from containers.gdal.season import date_of
from containers.gdal.windows import grid_of_windows, opened

COLUMNS = ("place", "date", "observed", "value", "quality", "uncertainty")
_SLUG_LENGTH = 40


class Cell(NamedTuple):
    """Where a place lies."""

    window: FilledWindow
    row: int
    col: int


def file_stem(number: int, name: str) -> str:
    """A file name that is safe whatever the place is called.

    >>> file_stem(3, "../Große Höhe $x$")
    'place_003_groe-hohe-x'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_SLUG_LENGTH].strip("-")
    return f"place_{number:03}" + (f"_{slug}" if slug else "")


def cell_of(place: Place, windows: tuple[FilledWindow, ...]) -> Cell | None:
    """The cell that holds a place; None where no window does."""
    (east,), (north,) = transform(CRS.from_epsg(4326), crs_of(windows[0].grid), [place.lon_deg], [place.lat_deg])
    for window in windows:
        col, row = _cell_in(window.grid, east, north)
        if 0 <= row < window.grid.height and 0 <= col < window.grid.width:
            return Cell(window, row, col)
    return None


def run(params: PointsParams, out: Path) -> PointsResult:
    """A place outside the windows, or without data, has a row without values and a warning."""
    grid_of_windows(params.windows)
    plots: dict[str, File] = {}
    warnings = []
    with (out / "places.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(COLUMNS)
        for number, place in enumerate(params.places, start=1):
            cell = cell_of(place, params.windows)
            series = _series_at(cell) if cell else None
            if series is None or not series.has_values:
                table.writerow([place.name, *[""] * (len(COLUMNS) - 1)])
                warnings.append(_nothing_at(place, is_outside=cell is None))
                continue
            table.writerows([place.name, *row] for row in _rows(series))
            path = out / f"{file_stem(number, place.name)}.png"
            draw_place(series, place, path, simulated=params.simulated)
            plots[place.name] = output_file(path)
            progress(number, len(params.places), "places")
    return PointsResult(table=output_file(out / "places.csv"), plots=plots, warnings=tuple(warnings))


def _cell_in(grid: Grid, east: float, north: float) -> tuple[int, int]:
    """(column, row); outside the CRS's reach, where coordinates are infinite, it is outside the grid."""
    if not np.isfinite([east, north]).all():
        return -1, -1
    return int((east - grid.west_m) // grid.resolution_m), int((grid.north_m - north) // grid.resolution_m)


def _series_at(cell: Cell) -> PlaceSeries:
    with opened(cell.window) as source:
        place = Window(cell.col, cell.row, 1, 1)
        observed = index_values(source.series.read("values", place)[:, 0, 0])
        known = np.isfinite(observed)
        return PlaceSeries(
            index_name=source.filled.header.index,
            observed_days=source.series.header.days[known],
            observed=observed[known],
            days=source.filled.header.days,
            values=index_values(source.filled.read("values", place)[:, 0, 0]),
            quality=source.filled.read("quality", place)[:, 0, 0],
            uncertainty=index_values(source.filled.read("uncertainty", place)[:, 0, 0]),
            seasons={year: _metrics_at(raster, place) for year, raster in source.seasons.items()},
        )


def _metrics_at(raster: Any, place: Window) -> dict[str, float]:
    """Metric to its value; those without are left out."""
    values: NDArray[np.float32] = raster.read(window=place)[:, 0, 0]
    return {name: float(value) for name, value in zip(METRICS, values, strict=True) if value != NODATA}


def _rows(series: PlaceSeries) -> Iterator[list[object]]:
    """A row for every date of the curve and every other one on which the place was seen."""
    seen = dict(zip(series.observed_days.tolist(), series.observed.tolist(), strict=True))
    layers = (series.values, series.quality, series.uncertainty)
    curve = dict(zip(series.days.tolist(), zip(*(layer.tolist() for layer in layers), strict=True), strict=True))
    for day in sorted(seen.keys() | curve.keys()):
        value, quality, uncertainty = curve.get(day, (np.nan, "", np.nan))
        yield [date_of(day), _figure(seen.get(day, np.nan)), _figure(value), quality, _figure(uncertainty)]


def _figure(value: float) -> str:
    return f"{value:.4f}" if np.isfinite(value) else ""


def _nothing_at(place: Place, *, is_outside: bool) -> StepWarning:
    where = f"{place.name} ({place.lat_deg:.5f}, {place.lon_deg:.5f})"
    if is_outside:
        return StepWarning(
            code="place_outside",
            reason=f"{where} lies outside the analysis grid.",
            hint="Check latitude and longitude, or enlarge the area of interest.",
        )
    return StepWarning(
        code="place_without_data",
        reason=f"{where} has no value on any date.",
        hint="It may be off the land, or was never seen clear.",
    )


if __name__ == "__main__":
    main(PointsParams, run)
