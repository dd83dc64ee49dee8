"""Periods that do not lie on each other are refused, by header and by ground."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal.check_alignment import candidates, run
from containers.gdal.contract.mosaic import CheckAlignmentParams, CheckAlignmentResult, PeriodLayers

NODATA = -32768
GRID = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=300, height=280)
GROUND = gaussian_filter(np.random.default_rng(0).normal(size=(600, 600)), 1.5) * 8000 + 2000


def ground(shift_cols: float = 0, seed: int = 0) -> Any:
    whole, part = divmod(shift_cols, 1)
    col = 100 - int(whole)
    image = GROUND[100:380, col : col + 300] * (1 - part) + GROUND[100:380, col - 1 : col + 299] * part
    return (image + np.random.default_rng(seed).normal(0, 30, image.shape)).astype(np.int16)


@pytest.fixture
def make_period(raster_store):
    def make(period: str, array: Any, grid: Grid = GRID, nodata: float = NODATA, layer: str = "red") -> PeriodLayers:
        return PeriodLayers(period=period, layers={layer: raster_store.cog(array, grid, nodata=nodata)})

    return make


def check(out: Path, *periods: PeriodLayers, **options: Any) -> CheckAlignmentResult:
    return run(CheckAlignmentParams(periods=periods, **options), out)


def test_shifts_between_every_two_periods(make_period, tmp_path) -> None:
    periods = [make_period(str(2018 + n), ground(shift, n)) for n, shift in enumerate((0.0, 0.2, 0.4))]
    result = check(tmp_path, *periods)
    assert result.grid == GRID
    assert [(pair.first, pair.second) for pair in result.shifts] == [
        ("2018", "2019"),
        ("2018", "2020"),
        ("2019", "2020"),
    ]
    assert [pair.shift_px for pair in result.shifts] == pytest.approx([0.2, 0.4, 0.2], abs=0.05)
    assert all(pair.n_windows == 16 for pair in result.shifts)
    assert result.warnings == ()


def test_a_large_shift_is_refused_with_both_periods(make_period, tmp_path) -> None:
    with pytest.raises(StepError, match=r"2018 and 2019 by 0\.9\d px") as caught:
        check(tmp_path, make_period("2018", ground()), make_period("2019", ground(0.95, 1)))
    assert caught.value.code == "grid_mismatch"


def test_gaps_do_not_shift_anything(make_period, tmp_path) -> None:
    first, second = ground(), ground(0, 1)
    first[:20], second[:, 260:] = NODATA, NODATA
    result = check(tmp_path, make_period("2018", first), make_period("2019", second))
    assert result.shifts[0].shift_px < 0.05


@pytest.mark.parametrize(
    "array", [np.full(GRID.shape, NODATA, np.int16), np.full(GRID.shape, 500, np.int16)], ids=["empty", "flat"]
)
def test_a_shift_that_cannot_be_measured_is_said(array, make_period, tmp_path) -> None:
    result = check(tmp_path, make_period("2018", ground()), make_period("2019", array))
    assert [(pair.shift_px, pair.n_windows) for pair in result.shifts] == [(0, 0)]
    assert [warning.code for warning in result.warnings] == ["shift_unknown"]


def test_one_period_has_no_shift(make_period, tmp_path) -> None:
    result = check(tmp_path, make_period("2018", ground()))
    assert (result.shifts, result.warnings) == ((), ())


@pytest.mark.parametrize(
    ("change", "nodata", "said"),
    [
        ({"width": 299}, NODATA, ("width is 300 in 2018/red and 299 in 2019/red",)),
        ({"west_m": 4_000_020.0}, NODATA, ("west_m is 4000000.0", "4000020.0 in 2019/red")),
        ({"epsg": 32633}, NODATA, ("epsg is 3035", "32633 in 2019/red")),
        ({"resolution_m": 10.0}, NODATA, ("resolution_m is 20.0", "10.0 in 2019/red")),
        ({}, 0, ("nodata is -32768.0 in 2018/red and 0.0 in 2019/red",)),
    ],
)
def test_headers_that_differ_are_named_with_both_values(change, nodata, said, make_period, tmp_path) -> None:
    grid = GRID.model_copy(update=change)
    other = make_period("2019", ground()[:, : grid.width], grid, nodata)
    with pytest.raises(StepError) as caught:
        check(tmp_path, make_period("2018", ground()), other)
    assert caught.value.code == "grid_mismatch"
    assert all(words in caught.value.reason for words in said)


def test_types_that_differ(make_period, tmp_path) -> None:
    with pytest.raises(StepError, match="dtype is int16 in 2018/red and int32 in 2019/red") as caught:
        check(tmp_path, make_period("2018", ground()), make_period("2019", ground().astype(np.int32)))
    assert caught.value.code == "grid_mismatch"


def test_layers_that_differ(make_period, tmp_path) -> None:
    with pytest.raises(StepError, match=r"\['red'\].*\['swir16'\]") as caught:
        check(tmp_path, make_period("2018", ground()), make_period("2019", ground(), layer="swir16"))
    assert caught.value.code == "grid_mismatch"


def test_unknown_reference_layer(make_period, tmp_path) -> None:
    with pytest.raises(StepError, match="'nir'") as caught:
        check(tmp_path, make_period("2018", ground()), reference_layer="nir")
    assert caught.value.code == "unknown_band"


def test_the_table_lists_every_raster(make_period, tmp_path) -> None:
    result = check(tmp_path, make_period("2018", ground()), make_period("2019", ground(0, 1)))
    with (tmp_path / result.table.href).open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["period"], row["layer"], row["dtype"], row["block"]) for row in rows] == [
        ("2018", "red", "int16", "256x256"),
        ("2019", "red", "int16", "256x256"),
    ]


@pytest.mark.parametrize(("shape", "count"), [((100, 90), 1), ((512, 700), 4), ((57_664, 67_006), 200)])
def test_candidates_are_few_however_large_the_raster(shape, count) -> None:
    assert len(candidates(shape, 256)) == count
