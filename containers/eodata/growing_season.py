"""The true season of every cell: its daily index without clouds, noise or snow, and when it starts, peaks and ends."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window as RasterWindow

from containers.base.contract.grid import Grid
from containers.base.contract.scene import Level
from containers.base.sun import sun_at
from containers.eodata.atmosphere import Column
from containers.eodata.colours import ground_reflectance
from containers.eodata.noise import FloatArray
from containers.eodata.place import PIXEL_M
from containers.eodata.seasons import Greenness, Year
from containers.eodata.sky import MEDIAN_AEROSOL, mean_water_cm
from containers.eodata.world import Window, World

CHUNK: Final = 256
"""Fine cells along the edge of a window: its daily curves take 50 MB."""
METRICS: Final = (
    "integral", "base_integral", "peak", "peak_day", "amplitude", "base", "start_day", "end_day", "length_days",
    "start_value", "end_value",
)  # fmt: skip
START_SHARE, END_SHARE, MIN_AMPLITUDE = 0.25, 0.15, 0.10
NO_SEASON: Final = -9999.0
INDEX_SCALE: Final = 1e-4
STEP_DAYS: Final = 10
_MEAN_MOISTURE: Final = 0.4
_OVERPASS: Final = (10, 13, 52)
_LEVELS: Final[tuple[Level, ...]] = ("L2A", "L1C")


class Curves(NamedTuple):
    """One window of one year at one level."""

    metrics: FloatArray
    """(metric, row, column) on cells of 20 m."""
    ndvi: npt.NDArray[np.int16]
    """NDVI × 10 000 on days 1, 11, …: (time, row, column)."""


def daily_ndvi(world: World, seed: int, year: int, window: Window, lon_lat: tuple[float, float]) -> list[FloatArray]:
    """True NDVI of every day, (day, row, column) on cells of 20 m: of the surface (L2A), and above the air (L1C).

    Reflectances are averaged over the fine cells before the index is made. Soil is as moist as on average, the air as
    clear and as humid as the median of its season, the sun as high as at the overpass.
    """
    plants, weather = world.plants(year, window), Year.of(seed, year)
    days = (date(year + 1, 1, 1) - date(year, 1, 1)).days
    shape = days, plants.cover.shape[0] // 2, plants.cover.shape[1] // 2
    surface, top = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.float32)
    for day in range(1, days + 1):
        fine, _ = ground_reflectance(plants, Greenness.on(day, weather), _MEAN_MOISTURE, ("B04", "B08"))
        red, nir = (_halved(fine[band]) for band in ("B04", "B08"))
        surface[day - 1] = _ndvi(red, nir)
        overpass = datetime(year, 1, 1, *_OVERPASS, tzinfo=UTC) + timedelta(days=day - 1)
        column = Column(sun_at(overpass, *lon_lat).zenith_deg, MEDIAN_AEROSOL, mean_water_cm(day))
        top[day - 1] = _ndvi(column.at_top(red, "B04"), column.at_top(nir, "B08"))
    return [surface, top]


def _halved(fine: FloatArray) -> FloatArray:
    mean: FloatArray = fine.reshape(fine.shape[0] // 2, 2, fine.shape[1] // 2, 2).mean(axis=(1, 3))
    return mean


def _ndvi(red: FloatArray, nir: FloatArray) -> FloatArray:
    return (nir - red) / (nir + red)


def season_metrics(curve: FloatArray) -> FloatArray:
    """METRICS of daily curves of one calendar year, (day, row, column) → (metric, row, column), by TIMESAT's
    definitions (Jönsson and Eklundh 2004) with the shares of HR-VPP.

    The peak is the year's largest value. On each side of it the curve has a lowest value, the earlier and the later
    minimum; base is their mean, amplitude what the peak has above it. The season starts where the curve first rises,
    after the earlier minimum, through that minimum plus 25 % of its own height below the peak, and ends where it last
    falls, before the later minimum, through that minimum plus 15 %: days with fractions, 1 January being day 1. The
    integral adds the daily values from the start to the end, the base integral what of them lies above the base, in
    index · days. Cells with an amplitude below 0.10 have a peak, a base and an amplitude, and no season.
    """
    days = np.arange(len(curve), dtype=np.float32)[:, None, None]
    peak_at, peak = curve.argmax(axis=0), curve.max(axis=0)
    before, after = days <= peak_at, days >= peak_at
    early, late = np.where(before, curve, np.inf), np.where(after, curve, np.inf)
    early_at = len(curve) - 1 - early[::-1].argmin(axis=0)
    late_at, left, right = late.argmin(axis=0), early.min(axis=0), late.min(axis=0)
    start_value, end_value = left + START_SHARE * (peak - left), right + END_SHARE * (peak - right)
    above = (curve >= start_value) & (days > early_at) & before
    start = _crossing(curve, above.argmax(axis=0) - 1, start_value)
    above = (curve >= end_value) & (days < late_at) & after
    end = _crossing(curve, len(curve) - 1 - above[::-1].argmax(axis=0), end_value)
    base = (left + right) / 2
    inside = (days >= start) & (days <= end)
    integral = np.where(inside, curve, 0).sum(axis=0)
    metrics = {
        "integral": integral, "base_integral": integral - base * inside.sum(axis=0), "peak_day": peak_at + 1.0,
        "start_day": start + 1, "end_day": end + 1, "length_days": end - start, "start_value": start_value,
        "end_value": end_value,
    }  # fmt: skip
    has_season = peak - base >= MIN_AMPLITUDE
    seasonal = {name: np.where(has_season, values, NO_SEASON) for name, values in metrics.items()}
    always = {"peak": peak, "base": base, "amplitude": peak - base}
    return np.stack([(seasonal | always)[name] for name in METRICS]).astype(np.float32)


def _crossing(curve: FloatArray, day: npt.NDArray[np.int64], value: FloatArray) -> FloatArray:
    """Where the curve has a value between a day (counted from 0) and the next one."""
    first = np.clip(day, 0, len(curve) - 2)
    one, two = (np.take_along_axis(curve, at[None], axis=0)[0] for at in (first, first + 1))
    difference = np.where(two == one, 1, two - one)
    crossing: FloatArray = first + np.clip((value - one) / difference, 0, 1)
    return crossing


def window_curves(
    world: World, seed: int, year: int, window: Window, lon_lat: tuple[float, float]
) -> dict[Level, Curves]:
    """Season metrics and the ten-day index of one window, at both levels."""
    curves = daily_ndvi(world, seed, year, window, lon_lat)
    return {
        level: Curves(season_metrics(curve), np.rint(curve[::STEP_DAYS] / INDEX_SCALE).astype(np.int16))
        for level, curve in zip(_LEVELS, curves, strict=True)
    }


def write_seasons(
    world: World, year: int, windows: list[Window], parts: list[dict[Level, Curves]], folder: Path
) -> dict[str, list[Path]]:
    """`phenology/<year>.tif` and `ndvi/<year>.tif` of the surface, and the same with `_toa`: kind to its files."""
    days = [f"{date(year, 1, 1) + timedelta(days=day)}" for day in range(0, 366, STEP_DAYS)]
    written: dict[str, list[Path]] = {"phenology": [], "ndvi": []}
    for level in _LEVELS:
        name = f"{year}.tif" if level == "L2A" else f"{year}_toa.tif"
        curves = [part[level] for part in parts]
        bands: dict[str, tuple[Sequence[str], list[npt.NDArray[Any]]]] = {
            "phenology": (METRICS, [each.metrics for each in curves]),
            "ndvi": (days[: len(curves[0].ndvi)], [each.ndvi for each in curves]),
        }
        for kind, (labels, values) in bands.items():
            written[kind].append(folder / kind / name)
            _write_bands(folder / kind / name, world.grid, tuple(labels), windows, values)
    return written


def _write_bands(
    path: Path, grid: Grid, labels: tuple[str, ...], windows: list[Window], parts: list[npt.NDArray[Any]]
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {
        "driver": "GTiff", "width": grid.width, "height": grid.height, "count": len(labels), "dtype": parts[0].dtype,
        "crs": grid.epsg, "transform": from_origin(grid.west_m, grid.north_m, PIXEL_M, PIXEL_M), "tiled": True,
        "blockxsize": 128, "blockysize": 128, "compress": "deflate", "BIGTIFF": "IF_SAFER",
        "nodata": NO_SEASON if parts[0].dtype == np.float32 else -32768,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.descriptions = labels
        for (rows, columns), values in zip(windows, parts, strict=True):
            halved = slice(rows.start // 2, rows.stop // 2), slice(columns.start // 2, columns.stop // 2)
            target.write(values, window=RasterWindow.from_slices(*halved))
