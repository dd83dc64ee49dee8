"""Curves and season figures per region, against shapely's own areas and numpy's percentiles."""

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import box

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal import curves as step
from containers.gdal.contract.productivity import METRICS, CurvesParams
from containers.gdal.curves import nearest_dates, run
from containers.gdal.region_sums import BIN, weighted_percentile
from containers.gdal.season import first_of_january
from tests.containers.gdal.small_series import SmallSeries

WHOLE = Grid(epsg=3035, resolution_m=10, west_m=4_000_000, north_m=3_000_000, width=170, height=90)
LEFT = WHOLE.model_copy(update={"width": 64})
RIGHT = WHOLE.model_copy(update={"width": 106, "west_m": 4_000_640.0})
DAYS = (first_of_january(2021) + np.arange(0, 60, 10)).astype(np.int32)
SEEN_DAYS = (first_of_january(2021) + np.array([1, 9, 16, 31, 54, 70])).astype(np.int32)
REGIONS = {
    "A": box(4_000_103, 2_999_207, 4_000_557, 2_999_881),
    "B": shapely.Point(4_000_700, 2_999_500).buffer(283.3),
    "void": box(4_001_500, 2_999_800, 4_001_600, 2_999_900),
    "far": box(5_000_000, 3_500_000, 5_001_000, 3_501_000),
}


@pytest.fixture
def fields() -> dict[str, Any]:
    """Arrays on the whole grid: a value of every cell and date, NaN in the region `void` and here and there."""
    rng = np.random.default_rng(2)
    values = np.round(rng.uniform(-0.2, 0.9, (len(DAYS), *WHOLE.shape)), 4)
    values[:, :30, 140:] = np.nan
    values[2, 40:50, 60:80] = np.nan
    seen = np.where(rng.random((len(SEEN_DAYS), *WHOLE.shape)) < 0.4, 0.5, np.nan)
    return {"values": values, "seen": seen}


@pytest.fixture
def params(raster_store, fields) -> CurvesParams:
    small = SmallSeries(raster_store)
    windows = []
    for grid, cols in ((LEFT, slice(0, 64)), (RIGHT, slice(64, None))):
        seasons = small.seasons(grid, (2020, 2021), integral=100 + cols.start, peak=0.8, quality=9)
        arrays = (fields["values"][:, :, cols], SEEN_DAYS, fields["seen"][:, :, cols])
        windows.append(small.window(grid, DAYS, *arrays, seasons))
    path = raster_store.folder("user.regions") / "regions.gpkg"
    frame = {"code": list(REGIONS), "label": [f"Region {name}" for name in REGIONS]}
    geopandas.GeoDataFrame(frame, geometry=list(REGIONS.values()), crs=3035).to_crs(4326).to_crs(3035).to_file(path)
    return CurvesParams(
        windows=tuple(windows),
        regions=raster_store.file(path),
        region_id_field="code",
        region_name_field="label",
    )


def weights(name: str) -> Any:
    """Covered part of every cell, by intersecting each of them with the polygon."""
    rows, cols = np.indices(WHOLE.shape)
    west, north = WHOLE.west_m + cols * 10, WHOLE.north_m - rows * 10
    return shapely.area(shapely.intersection(shapely.box(west, north - 10, west + 10, north), REGIONS[name])) / 100


def tables(result: Any, out: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    return pd.read_parquet(out / result.curves.href), pd.read_parquet(out / result.seasons.href)


@pytest.mark.parametrize("block", [64, 1024])
def test_curves_are_weighted_means_and_percentiles(params, fields, tmp_path, monkeypatch, block) -> None:
    """Over two windows, whatever the blocks."""
    monkeypatch.setattr(step, "_BLOCK_ROWS", block)
    monkeypatch.setattr(step, "_BLOCK_COLS", block)
    found, _ = tables(run(params, tmp_path), tmp_path)
    for name in ("A", "B"):
        weight, rows = weights(name), found[found["region_id"] == name].reset_index()
        assert rows["date"].astype(str).tolist() == [f"2021-01-{day:02}" for day in (1, 11, 21, 31)] + [
            "2021-02-10",
            "2021-02-20",
        ]
        for number, row in rows.iterrows():
            value = fields["values"][number]
            known = np.isfinite(value) & (weight > 0)
            order = np.argsort(value[known])
            until = np.cumsum(weight[known][order]) / weight[known].sum()
            assert row["cells"] == pytest.approx(weight[known].sum(), rel=1e-5)
            assert row["mean"] == pytest.approx(np.average(value[known], weights=weight[known]), abs=1e-5)
            for share, column in ((0.1, "p10"), (0.9, "p90")):
                expected = value[known][order][np.searchsorted(until, share)]
                assert row[column] == pytest.approx(expected, abs=2 * BIN)


def test_observations_count_for_the_nearest_date(params, fields, tmp_path) -> None:
    found, _ = tables(run(params, tmp_path), tmp_path)
    weight, seen = weights("A"), np.isfinite(fields["seen"])
    known = np.isfinite(fields["values"])
    # Days 1; 9; 16; 31; 54: dates 0; 10; 20; 30; 50. Day 70 is beyond the curve, and no day is next to 40.
    for number, layers in enumerate(([0], [1], [2], [3], [], [4])):
        share = found[found["region_id"] == "A"]["observed_share"].iloc[number]
        was_seen = seen[layers].any(axis=0) & known[number]
        assert share == pytest.approx(weight[was_seen].sum() / weight[known[number]].sum(), abs=1e-5)


def test_nearest_dates_by_hand() -> None:
    days = np.array([0, 10, 20])
    assert nearest_dates(days, np.array([-6, -5, 4, 5, 6, 24, 26])).tolist() == [-1, 0, 0, 0, 1, 2, -1]


def test_season_figures(params, tmp_path) -> None:
    _, found = tables(run(params, tmp_path), tmp_path)
    figures = found.set_index(["region_id", "year", "metric"])
    left = weights("B")[:, :64].sum() / weights("B").sum()
    integral = figures.loc[("B", 2021, "integral")]
    assert integral["mean"] == pytest.approx(100 * left + 164 * (1 - left), rel=1e-4)
    assert integral["deviation"] == pytest.approx(64 * (left * (1 - left)) ** 0.5, rel=1e-3)
    assert integral["area_ha"] == pytest.approx(REGIONS["B"].area / 10_000, rel=1e-4)
    assert (integral["valid_share"], integral["quality"]) == (pytest.approx(1, abs=1e-6), 9)
    assert integral["region_name"] == "Region B"
    base = figures.loc[("B", 2021, "base")]
    assert np.isnan(base["mean"])
    assert base["valid_share"] == 0
    assert set(found["metric"]) == set(METRICS)
    assert set(found["year"]) == {2020, 2021}


def test_regions_without_data_have_empty_rows_and_are_named(params, tmp_path) -> None:
    result = run(params, tmp_path)
    found, _ = tables(result, tmp_path)
    void = found[found["region_id"] == "void"]
    assert len(void) == len(DAYS)
    assert void[["mean", "p10", "p90", "observed_share"]].isna().all().all()
    assert (void["cells"] == 0).all()
    warnings = {warning.code: warning.reason for warning in result.warnings}
    assert "far" in warnings["regions_outside"]
    assert "void" in warnings["regions_without_data"]


def test_a_region_between_windows_is_not_silent(params, raster_store, fields, tmp_path) -> None:
    """The run has a hole of 46 columns, in which B lies, where no window was made."""
    east = WHOLE.model_copy(update={"west_m": 4_001_100.0, "width": 60})
    arrays = (fields["values"][:, :, 110:], SEEN_DAYS, fields["seen"][:, :, 110:])
    narrow = SmallSeries(raster_store).window(
        LEFT.model_copy(update={"width": 40}), DAYS, fields["values"][:, :, :40], SEEN_DAYS, fields["seen"][:, :, :40]
    )
    other = SmallSeries(raster_store).window(east, DAYS, *arrays)
    result = run(params.model_copy(update={"windows": (narrow, other)}), tmp_path)
    found, _ = tables(result, tmp_path)
    assert found[found["region_id"] == "B"]["mean"].isna().all()
    assert "B" in next(warning.reason for warning in result.warnings if warning.code == "regions_without_data")


def test_windows_that_overlap_are_refused(params, tmp_path) -> None:
    twice = params.model_copy(update={"windows": params.windows * 2})
    with pytest.raises(StepError, match="overlap") as caught:
        run(twice, tmp_path)
    assert caught.value.code == "grid_mismatch"


def test_windows_of_other_dates_are_refused(params, raster_store, fields, tmp_path) -> None:
    values, seen = fields["values"][:-1, :, 64:], fields["seen"][:, :, 64:]
    other = SmallSeries(raster_store).window(RIGHT, DAYS[:-1], values, SEEN_DAYS, seen)
    mixed = params.model_copy(update={"windows": (params.windows[0], other)})
    with pytest.raises(StepError, match="6 and 5 dates") as caught:
        run(mixed, tmp_path)
    assert caught.value.code == "grid_mismatch"


def test_percentile_of_a_histogram_by_hand() -> None:
    """All weight in one bin: percentiles are spread evenly over it."""
    histogram = np.zeros(500)
    histogram[250] = 4.0
    assert weighted_percentile(histogram, 0.1) == pytest.approx(0.1 * BIN)
    histogram[300] = 4.0
    assert weighted_percentile(histogram, 0.5) == pytest.approx(BIN)
    assert weighted_percentile(histogram, 0.75) == pytest.approx(50.5 * BIN)
