"""Anomalies by hand, and the step as a whole."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from scipy.stats import theilslopes

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.raster import write_cog
from containers.gdal import trend as step
from containers.gdal.contract.productivity import METRICS, NODATA, Metrics, TrendParams
from containers.gdal.trend import ANOMALY_BANDS, TREND_BANDS, anomalies, run

GRID = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=30, height=40)


def test_anomalies_by_hand() -> None:
    """Reference 10, 12, 14: mean 12, standard deviation 2."""
    values = np.array([[10], [12], [14], [17]], dtype=np.float32)
    found = anomalies(values, np.array([True, True, True, False]))
    assert found[:, 0, 0].tolist() == [-2, 0, 2, 5]
    assert found[:, 1, 0].tolist() == [-1, 0, 1, 2.5]


def test_missing_reference_years() -> None:
    nan = np.nan
    values = np.array([[10, nan, 5], [12, nan, 5], [nan, nan, 5], [17, 3, 6]], dtype=np.float32)
    found = anomalies(values, np.array([True, True, True, False]))
    assert found[3, 0].tolist() == [6, pytest.approx(nan, nan_ok=True), 1]
    # Two values have no standard deviation worth the name, equal ones have none at all.
    assert np.isnan(found[3, 1]).all()


@pytest.fixture
def yearly(raster_store):
    """Make season rasters of a metric and a quality, (year, y, x)."""

    def make(values: Any, quality: Any, metric: str = "integral", first: int = 2015) -> tuple[Metrics, ...]:
        made = []
        for number, (layer, classes) in enumerate(zip(values, quality, strict=True)):
            bands = np.full((len(METRICS), *GRID.shape), NODATA, dtype=np.float32)
            bands[METRICS.index(metric)], bands[METRICS.index("quality")] = layer, classes
            path = raster_store.folder("gdal.productivity") / "season.tif"
            write_cog(path, bands, GRID, nodata=NODATA, bands=METRICS)
            made.append(Metrics(year=first + number, raster=raster_store.file(path)))
        return tuple(made)

    return make


def random_years(n_years: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(5)
    values = rng.normal(100, 10, (n_years, *GRID.shape)).astype(np.float32)
    values[rng.random(values.shape) < 0.05] = NODATA
    return values, rng.integers(1, 11, values.shape)


def read(path: Path) -> Any:
    with rasterio.open(path) as dataset:
        return dataset.read(), dataset.descriptions


def test_the_step_cell_by_cell(yearly, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(step, "_PAIRED_CELLS", 500 * 7**2)
    values, quality = random_years(7)
    result = run(TrendParams(seasons=yearly(values, quality), grid=GRID, reference_years=(2015, 2016, 2017)), tmp_path)
    assert result.warnings == ()
    used = np.where((values == NODATA) | (quality < 4), np.nan, values)
    layers, names = read(tmp_path / result.trend.href)
    assert names == TREND_BANDS
    for cell in np.ndindex(GRID.shape):
        column = used[(slice(None), *cell)].astype(float)
        known = np.isfinite(column)
        if known.sum() < 4:
            assert (layers[(slice(None), *cell)] == NODATA).all()
            continue
        expected = theilslopes(column[known], np.arange(2015, 2022)[known])
        assert layers[(slice(0, 3), *cell)] == pytest.approx(
            [expected.slope, expected.low_slope, expected.high_slope], rel=1e-4, abs=1e-4
        )
    for number, anomaly in enumerate(result.anomalies):
        bands, names = read(tmp_path / anomaly.raster.href)
        assert names == ANOMALY_BANDS
        known = np.isfinite(used[:3]).any(axis=0) & np.isfinite(used[number])
        expected = (used[number] - np.nanmean(used[:3], axis=0))[known]
        assert bands[0][known] == pytest.approx(expected, abs=1e-3)
        assert (bands[0][~known] == NODATA).all()


def test_three_years_have_anomalies_but_no_trend(yearly, tmp_path) -> None:
    params = TrendParams(seasons=yearly(*random_years(3)), grid=GRID, reference_years=(2015, 2016))
    result = run(params, tmp_path)
    assert result.trend is None
    assert [warning.code for warning in result.warnings] == ["too_few_years", "too_few_reference_years"]
    bands, _ = read(tmp_path / result.anomalies[2].raster.href)
    assert (bands[0] != NODATA).any()
    assert (bands[1] == NODATA).all()


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"metric": "ndvi"}, "unknown_band", "'ndvi'"),
        ({"reference_years": (2015, 1999)}, "bad_dates", "1999"),
    ],
)
def test_what_is_not_there_is_refused(yearly, tmp_path, fields, code, words) -> None:
    facts = {"seasons": yearly(*random_years(2)), "grid": GRID, "reference_years": (2015,)}
    with pytest.raises(StepError, match=words) as caught:
        run(TrendParams(**(facts | fields)), tmp_path)
    assert caught.value.code == code


def test_years_out_of_order_are_refused(yearly, tmp_path) -> None:
    seasons = yearly(*random_years(2))[::-1]
    with pytest.raises(StepError, match=r"2016, 2015") as caught:
        run(TrendParams(seasons=seasons, grid=GRID, reference_years=(2015,)), tmp_path)
    assert caught.value.code == "bad_dates"


def test_another_grid_is_refused(yearly, tmp_path) -> None:
    shifted = GRID.model_copy(update={"west_m": 4_000_020.0})
    with pytest.raises(StepError) as caught:
        run(TrendParams(seasons=yearly(*random_years(2)), grid=shifted, reference_years=(2015,)), tmp_path)
    assert caught.value.code == "grid_mismatch"
