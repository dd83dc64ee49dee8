"""Seasons of real vegetation: three years of NDVI at 10 m over Slovenia, clouds left out."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest
import rasterio

from containers.base.contract.grid import Grid
from containers.gdal import curves, productivity
from containers.gdal.contract.fill import Filling, FillParams
from containers.gdal.contract.productivity import (
    METRICS,
    CurvesParams,
    FilledWindow,
    Metrics,
    ProductivityParams,
    Season,
)
from containers.gdal.productivity import Observed, season_metrics
from tests.containers.gdal.conftest import RasterStore
from tests.containers.gdal.small_series import SmallSeries

pytestmark = pytest.mark.real
FOREST, GRASSLAND = 2, 3
SNOWY_NDVI = 0.3


@pytest.fixture(scope="module")
def clear_ndvi(sample_data: Path) -> tuple[Any, Any, Any]:
    """Days, NDVI (time, y, x) with NaN under clouds, and land use.

    The sample has no snow mask: dates on which the forest is less green than bare ground are taken for snow.
    """
    folder = sample_data / "eolearn-testeopatch" / "example_data" / "TestEOPatch"
    ndvi = np.load(folder / "data" / "NDVI.npy")[..., 0].astype(np.float32)
    ndvi[~np.load(folder / "mask" / "IS_VALID.npy")[..., 0]] = np.nan
    land_use = np.load(folder / "mask_timeless" / "LULC.npy")[..., 0]
    times = json.loads((folder / "timestamps.json").read_text())
    days = np.array([(date.fromisoformat(time[:10]) - date(1970, 1, 1)).days for time in times], dtype=np.int32)
    forest = ndvi[:, land_use == FOREST]
    seen = np.isfinite(forest).any(axis=1) & (np.diff(days, prepend=0) > 0)
    green = np.zeros(len(days), dtype=bool)
    green[seen] = np.nanmedian(forest[seen], axis=1) > SNOWY_NDVI
    return days[green], ndvi[green], land_use


def medians(clear_ndvi: tuple[Any, Any, Any], kind: int, year: int) -> tuple[dict[str, float], float]:
    """Metric to its median over the cells of a land use, and the share of cells with a season."""
    days, ndvi, land_use = clear_ndvi
    values = ndvi[:, land_use == kind]
    metrics = season_metrics(days, values, Observed(days, np.isfinite(values)), (year,), Season())[year]
    figures = (float(value) for value in np.nanmedian(metrics, axis=1))
    return dict(zip(METRICS, figures, strict=True)), float(np.isfinite(metrics[0]).mean())


def test_forest_greens_in_spring(clear_ndvi) -> None:
    """In 2016 the wood's NDVI passes a quarter of its rise around the end of March, and is highest in summer."""
    metrics, found = medians(clear_ndvi, FOREST, 2016)
    assert found > 0.95
    assert 70 < metrics["start_day"] < 130
    assert 150 < metrics["peak_day"] < 240
    assert 0.7 < metrics["peak"] < 0.85
    assert 0.25 < metrics["base"] < 0.5
    assert metrics["quality"] >= 7


def test_meadows_green_before_the_wood(clear_ndvi) -> None:
    forest, _ = medians(clear_ndvi, FOREST, 2016)
    grassland, found = medians(clear_ndvi, GRASSLAND, 2016)
    assert found > 0.95
    assert grassland["start_day"] < forest["start_day"] - 5
    assert grassland["peak_day"] < forest["peak_day"]


def test_a_season_that_is_not_over_is_no_season(clear_ndvi) -> None:
    """In 2017 the last snow-free date is in October, when most meadows are still green."""
    _, found = medians(clear_ndvi, GRASSLAND, 2017)
    assert found < 0.5


def test_from_observations_to_the_region(clear_ndvi, sample_data: Path, tmp_path: Path, monkeypatch) -> None:
    """Filled by the default engine, then seasons, then the curve of the patch's own outline."""
    fill = pytest.importorskip("containers.gdal.fill", reason="the step fill is not there")
    monkeypatch.setenv("CLEARGROUND_STORE", str(tmp_path))
    store = RasterStore(tmp_path)
    days, ndvi, land_use = clear_ndvi
    # The patch's own corner lies a metre off the 10 m lattice.
    grid = Grid(epsg=32633, resolution_m=10, west_m=465_180, north_m=5_080_250, width=100, height=101)
    layers = {"values": ndvi, "land": np.ones(grid.shape, dtype=np.uint8)}
    series = SmallSeries(store).file(grid, days, layers, "series")
    out = store.folder("gdal.fill")
    asked = FillParams(
        series=series, first=date(2015, 8, 1), last=date(2017, 12, 20), filling=Filling(observed_wins=False)
    )
    filled = store.adopt(fill.run(asked, out).filled, out)
    out = store.folder("gdal.productivity")
    result = productivity.run(ProductivityParams(filled=filled, series=series, years=(2016, 2017)), out)
    seasons = tuple(Metrics(year=item.year, raster=store.adopt(item.raster, out)) for item in result.seasons)
    _require_sane(out, land_use)
    outline = store.folder("user.regions") / "bbox.gpkg"
    box = sample_data / "eolearn-testeopatch" / "example_data" / "TestEOPatch" / "bbox.geojson"
    geopandas.read_file(box).assign(code="patch").to_file(outline)
    window = FilledWindow(grid=grid, filled=filled, series=series, seasons=seasons)
    params = CurvesParams(
        windows=(window,), regions=store.file(outline), region_id_field="code", region_name_field="code"
    )
    found = curves.run(params, tmp_path)
    curve = pd.read_parquet(tmp_path / found.curves.href)
    month = pd.to_datetime(curve["date"]).dt.month
    assert curve[month.isin([6, 7, 8])]["mean"].between(0.6, 0.8).all()
    assert curve[month == 1]["mean"].between(0.1, 0.5).all()
    assert ((curve["p10"] < curve["mean"]) & (curve["mean"] < curve["p90"])).all()
    table = pd.read_parquet(tmp_path / found.seasons.href).set_index(["year", "metric"])
    assert table.loc[(2016, "integral"), "valid_share"] > 0.95
    assert 130 < table.loc[(2016, "integral"), "mean"] < 200


def _require_sane(folder: Path, land_use: Any) -> None:
    with rasterio.open(folder / "season_2016.tif") as dataset:
        bands = dataset.read(masked=True).filled(np.nan)
    start, peak = (bands[METRICS.index(name)] for name in ("start_day", "peak"))
    forest, grassland = land_use == FOREST, land_use == GRASSLAND
    assert 75 < np.nanmedian(start[forest]) < 125
    assert np.nanmedian(start[grassland]) < np.nanmedian(start[forest]) - 5
    assert 0.68 < np.nanmedian(peak[forest]) < 0.85
