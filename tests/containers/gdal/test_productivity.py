"""Season metrics: by hand, against densely evaluated double logistics, against TIMESAT, and as a step."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal import productivity
from containers.gdal.contract.productivity import METRICS, NODATA, ProductivityParams, Season
from containers.gdal.curve import Values
from containers.gdal.productivity import Observed, run, season_metrics
from containers.gdal.season import first_of_january
from tests.containers.gdal.small_series import SmallSeries, double_logistic, every_ten_days

GRID = Grid(epsg=3035, resolution_m=10, west_m=4_000_000, north_m=3_000_000, width=150, height=70)
UNSEEN = Observed(np.zeros(0, dtype=np.int32), np.zeros((0, 1), dtype=bool))
LINEAR, PCHIP = Season(between="linear"), Season(between="pchip")


def metrics_of(
    days: Any, values: Any, year: int = 2021, season: Season = LINEAR, observed: Observed | None = None
) -> dict[str, Values]:
    """One year's metrics by name, of values (time, cell)."""
    values = np.asarray(values, dtype=np.float32)
    seen = observed or Observed(UNSEEN.days, np.zeros((0, values.shape[1]), dtype=bool))
    layers = season_metrics(np.asarray(days, dtype=np.int32), values, seen, (year,), season)[year]
    return dict(zip(METRICS, layers, strict=True))


def test_triangle_by_hand() -> None:
    """Rise from 0.2 to 0.8 in 60 days from day 100 on, fall to 0.1 in 140 days, winter before and after."""
    january = first_of_january(2021)
    days = january - 1 + np.array([-50, 100, 160, 300, 400])
    found = metrics_of(days, [[0.2], [0.2], [0.8], [0.1], [0.1]])
    start, end = 100 + 0.25 * 60, 160 + 0.85 * 140
    area = (0.35 + 0.8) / 2 * 45 + (0.8 + 0.205) / 2 * 119
    expected = {
        "start_day": start, "end_day": end, "length_days": end - start, "start_value": 0.35, "end_value": 0.205,
        "base": 0.15, "peak": 0.8, "amplitude": 0.65, "integral": area, "base_integral": area - 0.15 * (end - start),
        "quality": 2,
    }  # fmt: skip
    assert {name: float(found[name][0]) for name in expected} == pytest.approx(expected, abs=0.02)


def dense_metrics(values: Any, first_day: int, season: Season) -> dict[str, float]:
    """The definitions on a curve of a hundred values per day, one season, by plain search."""
    fine = np.asarray(values, dtype=float)
    top = int(fine.argmax())
    left, right = fine[:top].min(), fine[top:].min()
    start = int(np.argmax(fine >= left + season.start_share * (fine[top] - left)))
    end = len(fine) - 1 - int(np.argmax(fine[::-1] >= right + season.end_share * (fine[top] - right)))
    return {
        "start_day": first_day + start / 100,
        "end_day": first_day + end / 100,
        "peak_day": first_day + top / 100,
        "peak": fine[top],
        "integral": np.trapezoid(fine[start : end + 1]) / 100,
        "base_integral": np.trapezoid(fine[start : end + 1] - (left + right) / 2) / 100,
    }


@pytest.mark.parametrize(("season", "dates_error"), [(LINEAR, 1.0), (PCHIP, 0.3)], ids=["linear", "pchip"])
def test_double_logistics_from_ten_days_apart(season: Season, dates_error: float) -> None:
    rng = np.random.default_rng(0)
    rise, fall = rng.uniform(90, 150, 60), rng.uniform(230, 300, 60)
    days = every_ten_days()
    found = metrics_of(days, double_logistic(days, rise, fall), season=season)
    fine_days = np.arange(days[0], days[-1], 0.01)
    fine = double_logistic(fine_days, rise, fall)
    first = int(days[0]) - first_of_january(2021) + 1
    expected = [dense_metrics(column, first, season) for column in fine.T]

    def errors(name: str) -> Any:
        return found[name] - np.array([truth[name] for truth in expected])

    assert np.percentile(np.abs(errors("start_day")), 90) < dates_error
    assert np.percentile(np.abs(errors("end_day")), 90) < dates_error
    assert np.percentile(np.abs(errors("peak_day")), 90) < 1.0
    assert np.abs(errors("peak")).max() < 0.01
    for name in ("integral", "base_integral"):
        relative = np.abs(errors(name)) / [truth[name] for truth in expected]
        assert np.median(relative) < 0.003


def test_timesat_finds_the_same() -> None:
    """The same daily curves given to TIMESAT's own routine; its years have 365 days and its second one is scored.

    The package may be used for research only and is no dependency: `pip install timesat` to run this.
    """
    timesat = pytest.importorskip("timesat", reason="TIMESAT (research licence, no dependency) is not installed")
    rng = np.random.default_rng(1)
    for _ in range(20):
        rise, fall = rng.uniform(90, 150), rng.uniform(230, 300)
        day = np.arange(1, 3 * 365 + 1)
        # 2021 is the middle year; the years around have other dates and heights, so that the two minima differ.
        curve = 0.2 + sum(
            double_logistic(first_of_january(2020) + day - 1, rise + shift, fall + shift, 2020 + number,
                            base=0.0, amplitude=height)[:, 0]
            for number, (shift, height) in enumerate(((9, 0.5), (0, 0.6), (-7, 0.55)))
        )  # fmt: skip
        day = np.arange(first_of_january(2020), first_of_january(2020) + len(curve))
        found = metrics_of(day, curve[:, np.newaxis])
        vpp = timesat.phenology(
            np.arange(1.0, len(curve) + 1), curve, curve, 3, 1, np.array([0.25, 0.15]), 3, 365, 2020, -9999.0, 0, 2
        )[0][:, 2]
        # TIMESAT counts from the first day of its second year; 2020 had one day more.
        names = ("start_day", "start_value", None, "end_day", "end_value", None, "length_days", "base", "peak_day",
                 "peak", "amplitude", "integral", "base_integral")  # fmt: skip
        theirs = {name: float(value) for name, value in zip(names, vpp, strict=True) if name}
        ours = {name: float(found[name][0]) for name in theirs}
        for name in ("start_day", "end_day", "peak_day"):
            assert ours[name] + 1 == pytest.approx(theirs[name], abs=1.0)
        for name in ("start_value", "end_value", "base", "peak", "amplitude"):
            assert ours[name] == pytest.approx(theirs[name], abs=0.002)
        assert ours["length_days"] == pytest.approx(theirs["length_days"], rel=0.005)
        # TIMESAT adds up daily values, both ends included: about half a day more of the values there.
        for name in ("integral", "base_integral"):
            assert ours[name] == pytest.approx(theirs[name], rel=0.008)


def test_the_simulators_truth_is_the_same_where_there_is_one_season() -> None:
    """Written by others, on daily curves. With weeds in winter it differs: it looks for the first crossing."""
    simulator = pytest.importorskip("containers.eodata.growing_season", reason="only in the simulator's image")
    rng = np.random.default_rng(4)
    rise, fall = rng.uniform(100, 150, 40), rng.uniform(230, 270, 40)
    days = first_of_january(2021) + np.arange(365)
    values = double_logistic(days, rise, fall, rise_rate=0.15, fall_rate=0.12).astype(np.float32)
    truth = dict(zip(simulator.METRICS, simulator.season_metrics(values[:, :, np.newaxis])[:, :, 0], strict=True))
    found = metrics_of(days, values)
    for name in ("start_day", "end_day"):
        assert found[name] == pytest.approx(truth[name], abs=0.05)
    assert found["peak_day"] == pytest.approx(truth["peak_day"], abs=1)
    for name in ("peak", "base", "amplitude", "start_value", "end_value"):
        assert found[name] == pytest.approx(truth[name], abs=0.002)
    for name in ("integral", "base_integral"):
        assert found[name] == pytest.approx(truth[name], rel=0.01)


@pytest.mark.parametrize("season", [LINEAR, PCHIP], ids=["linear", "pchip"])
@settings(deadline=None)
@given(shift=st.integers(-40, 40), rise=st.floats(100, 140), fall=st.floats(230, 280))
def test_a_shift_in_time_shifts_days_only(season: Season, shift: int, rise: float, fall: float) -> None:
    days = every_ten_days()
    values = double_logistic(days, rise, fall)
    before, after = metrics_of(days, values, season=season), metrics_of(days + shift, values, season=season)
    for name in METRICS:
        moved = shift if name in ("start_day", "end_day", "peak_day") else 0
        assert after[name] - before[name] == pytest.approx(moved, abs=0.02), name


@pytest.mark.parametrize("season", [LINEAR, PCHIP], ids=["linear", "pchip"])
@settings(deadline=None)
@given(scale=st.floats(0.5, 1.5), offset=st.floats(-0.1, 0.1))
def test_scaling_keeps_days(season: Season, scale: float, offset: float) -> None:
    days = every_ten_days()
    values = double_logistic(days, [105, 130], [240, 270])
    before, after = metrics_of(days, values, season=season), metrics_of(days, offset + scale * values, season=season)
    for name in ("start_day", "end_day", "peak_day", "length_days", "quality"):
        assert after[name] == pytest.approx(before[name], abs=0.05)
    for name in ("amplitude", "base_integral"):
        assert after[name] == pytest.approx(scale * before[name], rel=1e-3)
    assert after["integral"] == pytest.approx(scale * before["integral"] + offset * before["length_days"], rel=1e-3)


def test_southern_seasons_cross_the_new_year() -> None:
    """A season from October 2020 to May 2021 with its peak in January belongs to 2021 and starts before its day 1."""
    days = np.arange(first_of_january(2020), first_of_january(2023), 10)
    values = 0.5 - 0.3 * np.cos((days - first_of_january(2021) - 20 + 182) / 365.25 * 2 * np.pi)
    found = metrics_of(days, values[:, np.newaxis])
    assert found["peak_day"][0] == pytest.approx(21, abs=2)
    assert found["start_day"][0] == pytest.approx(21 - 365.25 / 3, abs=2)
    assert found["end_day"][0] == pytest.approx(21 + 365.25 * np.arccos(-0.7) / 2 / np.pi, abs=2)


def test_flat_and_empty_cells() -> None:
    days = every_ten_days()
    values = np.full((len(days), 3), 0.45)
    values[:, 1] += 0.04 * np.sin(days / 58)
    values[:, 2] = np.nan
    found = metrics_of(days, values)
    assert found["quality"][:2].tolist() == [1, 1]
    assert all(np.isnan(layer).all() for name, layer in found.items() if name != "quality")
    assert np.isnan(found["quality"][2])


def test_missing_dates_are_bridged() -> None:
    days = every_ten_days()
    values = double_logistic(days, 120, 260)
    whole = metrics_of(days, values)
    values[[20, 25, 30]] = np.nan
    holed = metrics_of(days, values)
    for name in ("start_day", "end_day", "integral"):
        assert holed[name] == pytest.approx(whole[name], rel=0.02)


@pytest.mark.parametrize(
    ("phases", "quality"),
    [
        ((), 2), (("up",), 6), (("top",), 5), (("down",), 4), (("up", "top"), 7), (("up", "down"), 8),
        (("top", "down"), 9), (("up", "top", "down"), 10),
    ],
)  # fmt: skip
def test_quality_counts_what_was_seen_when(phases: tuple[str, ...], quality: int) -> None:
    """HR-VPP's QFLAG: at least three clear observations in a phase. The rise is at day 120, the fall at day 260."""
    when = {"up": (95, 110, 120), "top": (160, 180, 200), "down": (260, 270, 280)}
    days = first_of_january(2021) - 1 + np.array(sorted(day for phase in phases for day in when[phase]), dtype=np.int32)
    curve_days = every_ten_days()
    observed = Observed(days, np.ones((len(days), 1), dtype=bool))
    found = metrics_of(curve_days, double_logistic(curve_days, 120, 260), observed=observed)
    assert found["quality"][0] == quality


def test_two_observations_are_too_few() -> None:
    days = first_of_january(2021) - 1 + np.array([100, 120], dtype=np.int32)
    curve_days = every_ten_days()
    observed = Observed(days, np.ones((2, 1), dtype=bool))
    assert metrics_of(curve_days, double_logistic(curve_days, 120, 260), observed=observed)["quality"][0] == 2


@pytest.fixture
def small_series(raster_store) -> SmallSeries:
    return SmallSeries(raster_store)


def files_of(small_series: SmallSeries, grid: Grid = GRID) -> dict[str, Any]:
    """A field of double logistics, with one cell off the land and one flat; every date seen by half of the cells."""
    rng = np.random.default_rng(3)
    days, n_cells = every_ten_days(), grid.width * grid.height
    values = double_logistic(days, rng.uniform(90, 150, n_cells), rng.uniform(230, 300, n_cells))
    values[:, 0], values[:, 1] = np.nan, 0.4
    seen = np.where(rng.random(values.shape) < 0.5, values, np.nan)
    shape = (len(days), *grid.shape)
    return {
        "filled": small_series.file(grid, days, {"values": values.reshape(shape)}, "fill"),
        "series": small_series.file(grid, days, {"values": seen.reshape(shape)}, "series"),
        "values": values,
        "seen": seen,
    }


def test_the_step_writes_what_the_functions_say(small_series, tmp_path: Path, monkeypatch) -> None:
    """Whatever the blocks are."""
    monkeypatch.setattr(productivity, "_WINDOW_PX", 64)
    files = files_of(small_series)
    params = ProductivityParams(filled=files["filled"], series=files["series"], years=(2021,))
    result = run(params, tmp_path)
    assert [season.year for season in result.seasons] == [2021]
    assert result.grid == GRID
    assert result.warnings == ()
    with rasterio.open(tmp_path / result.seasons[0].raster.href) as dataset:
        assert (dataset.descriptions, dataset.nodata, dataset.dtypes[0]) == (METRICS, NODATA, "float32")
        written = dataset.read().reshape(len(METRICS), -1)
    rounded = np.round(files["values"], 4).astype(np.float32)
    observed = Observed(every_ten_days(), np.isfinite(files["seen"]))
    expected = season_metrics(every_ten_days(), rounded, observed, (2021,), params.season)[2021]
    assert (written[:, 0] == NODATA).all()
    assert written[-1, 1] == 1
    assert (written[:-1, 1] == NODATA).all()
    assert np.isfinite(expected[:, 2:]).all()
    assert written[:, 2:] == pytest.approx(expected[:, 2:], abs=0.05)


def test_a_year_without_dates_is_refused(small_series, tmp_path: Path) -> None:
    files = files_of(small_series)
    with pytest.raises(StepError, match=r"2020-09-03.*2018") as caught:
        run(ProductivityParams(filled=files["filled"], series=files["series"], years=(2018,)), tmp_path)
    assert caught.value.code == "bad_dates"


def test_a_year_that_is_cut_is_named(small_series, tmp_path: Path) -> None:
    files = files_of(small_series)
    result = run(ProductivityParams(filled=files["filled"], series=files["series"], years=(2021, 2022)), tmp_path)
    assert [(warning.code, "2022" in warning.reason) for warning in result.warnings] == [("year_cut", True)]


def test_observations_of_other_cells_are_refused(small_series, tmp_path: Path) -> None:
    files = files_of(small_series)
    other = files_of(small_series, GRID.model_copy(update={"west_m": 4_000_010.0}))
    with pytest.raises(StepError, match=r"4000000.*4000010") as caught:
        run(ProductivityParams(filled=files["filled"], series=other["series"], years=(2021,)), tmp_path)
    assert caught.value.code == "grid_mismatch"
