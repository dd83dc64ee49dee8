"""Seasons from noisy, cloudy observations after gap filling, against the simulator's own greenness on every day.

Truth is the same definition on the daily curve without clouds and noise (tested against plain search and TIMESAT in
test_productivity.py). The cover types are those that have one season; what winter crops and cut meadows do to the
definition is told in docs/productivity.md.
"""

import io
from contextlib import redirect_stdout
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.base.contract.grid import Grid
from containers.gdal.contract.fill import Filling, FillParams
from containers.gdal.contract.productivity import METRICS, ProductivityParams, Season
from containers.gdal.productivity import Observed, run, season_metrics
from containers.gdal.series_file import EPOCH
from tests.containers.gdal.small_series import SmallSeries

COVERS = ("BROADLEAF", "MAIZE", "ROOT_CROP", "MOOR", "GARDEN")
N_CELLS, YEAR = 120, 2021
GRID = Grid(epsg=3035, resolution_m=10, west_m=4_000_000, north_m=3_000_000, width=N_CELLS, height=len(COVERS))
DAYS = np.arange((date(2019, 10, 1) - EPOCH).days, (date(2022, 3, 31) - EPOCH).days, dtype=np.int32)


def daily_ndvi() -> Any:
    """(day, cell): bare ground has 0.15, full cover 0.87; parcels differ in vigour, and in timing every year."""
    seasons = pytest.importorskip("containers.eodata.seasons", reason="only in the image of the simulated archive")
    cover = pytest.importorskip("containers.eodata.cover").Cover
    rng = np.random.default_rng(1)
    kinds = np.repeat([int(cover[name]) << 8 for name in COVERS], N_CELLS)
    vigour = rng.integers(0, 256, len(kinds))
    years = {year: seasons.Year.of(7, year) for year in range(2019, 2023)}
    timing = {year: rng.integers(0, 256, len(kinds)) for year in years}
    layers = []
    for when in (EPOCH + timedelta(days=int(day)) for day in DAYS):
        greenness = seasons.Greenness.on(float(when.timetuple().tm_yday), years[when.year])
        layers.append(0.15 + 0.72 * greenness.canopy(kinds, timing[when.year], vigour))
    return np.array(layers, dtype=np.float32)


def observed(ndvi: Any) -> Any:
    """Every fifth day, four in ten seen, in spells; noise of 0.025; 3 % lowered by clouds that nobody saw."""
    rng = np.random.default_rng(2)
    values = ndvi[::5] + rng.normal(0, 0.025, ndvi[::5].shape)
    values -= np.where(rng.random(values.shape) < 0.03, rng.uniform(0.1, 0.4, values.shape), 0)
    sky = rng.normal(size=values.shape)
    for step in range(1, len(sky)):
        sky[step] = 0.6 * sky[step - 1] + 0.8 * (0.6 * sky[step] + 0.8 * rng.normal())
    return np.where(sky > 0.25, values, np.nan)


def test_days_and_integral_after_filling(raster_store, tmp_path: Path) -> None:
    fill = pytest.importorskip("containers.gdal.fill", reason="the step fill is not there")
    ndvi = daily_ndvi()
    unseen = Observed(np.zeros(0, dtype=np.int32), np.zeros((0, ndvi.shape[1]), dtype=bool))
    truth = season_metrics(DAYS, ndvi, unseen, (YEAR,), Season(between="linear"))[YEAR]
    seen = observed(ndvi).reshape(-1, *GRID.shape)
    layers = {"values": seen, "land": np.ones(GRID.shape, dtype=np.uint8)}
    series = SmallSeries(raster_store).file(GRID, DAYS[::5], layers, "series")
    out = raster_store.folder("gdal.fill")
    smooth = Filling(observed_wins=False)
    with redirect_stdout(io.StringIO()):
        params = FillParams(series=series, first=date(2020, 1, 1), last=date(2022, 3, 20), filling=smooth)
        filled = raster_store.adopt(fill.run(params, out).filled, out)
        result = run(ProductivityParams(filled=filled, series=series, years=(YEAR,)), tmp_path)
    import rasterio

    with rasterio.open(tmp_path / result.seasons[0].raster.href) as dataset:
        found = dataset.read(masked=True).filled(np.nan).reshape(len(METRICS), -1)

    def errors(name: str) -> Any:
        number = METRICS.index(name)
        return np.abs(found[number] - truth[number])

    assert np.isfinite(found[0]).mean() > 0.98
    for name in ("start_day", "end_day"):
        assert np.nanmedian(errors(name)) < 10
        assert np.nanpercentile(errors(name), 90) < 30
    assert np.nanmedian(errors("integral") / truth[0]) < 0.08
