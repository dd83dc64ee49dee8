"""Gap filling on real series: clear observations hidden under the cloud patterns of other dates."""

import itertools
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from rasterio.windows import Window

from benchmarks.gap_filling_accuracy import EOLEARN_SHIFTS, TREESAT_SHIFTS, Errors, errors, with_undetected_clouds
from benchmarks.real_series import Cells, eolearn, scored, treesat
from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.gdal.contract.fill import Filling, FillParams
from containers.gdal.fill import run
from containers.gdal.series_file import CHUNK_PX, Header, chunk_windows, create_series, open_series

pytestmark = pytest.mark.real
BETWEEN = (0.0, 1000.0)
"""Days of a gap with an observation on both sides."""


@pytest.fixture(scope="module")
def slovenia(sample_data: Path) -> Cells:
    cells = scored(eolearn(sample_data))
    return cells.of(np.arange(0, cells.seen.shape[1], 3))


@pytest.fixture(scope="module")
def firs(sample_data: Path) -> Cells:
    return treesat(sample_data)


@pytest.fixture(scope="module")
def in_slovenia(slovenia: Cells) -> dict[str, Errors]:
    engines = ("seasonal", "whittaker", "ridge", "linear", "harmonic", "savitzky_golay")
    return {engine: errors(slovenia, EOLEARN_SHIFTS, Filling(engine=engine)) for engine in engines}


def test_the_default_is_best_over_three_cloudy_years(in_slovenia) -> None:
    """It fills everything, and at least 5 % better than lines, Whittaker and three regularised harmonics."""
    default = in_slovenia[Filling().engine]
    assert default.filled_share == 1
    for rival in ("linear", "whittaker", "ridge"):
        assert default.rmse(*BETWEEN) < 0.95 * in_slovenia[rival].rmse(*BETWEEN)
    assert default.rmse(*BETWEEN) < 0.125


@pytest.mark.parametrize("rival", ["linear", "whittaker", "savitzky_golay"])
def test_beyond_the_observations_the_default_errs_less_than_half_as_much(rival, in_slovenia) -> None:
    assert in_slovenia[Filling().engine].rmse(1000) < 0.5 * in_slovenia[rival].rmse(1000)


@pytest.mark.parametrize("engine", ["seasonal", "harmonic", "ridge", "whittaker", "savitzky_golay", "linear"])
def test_bands_of_90_percent_hold_85_to_95(engine, in_slovenia, firs) -> None:
    assert 0.85 <= in_slovenia[engine].coverage(*BETWEEN) <= 0.95
    assert 0.85 <= errors(firs, TREESAT_SHIFTS, Filling(engine=engine)).coverage(*BETWEEN) <= 0.955


def test_a_dense_year_is_filled_no_worse_than_by_lines(firs) -> None:
    """146 dates of one year, where undetected clouds decide: all engines are within a few percent."""
    default, linear = (errors(firs, TREESAT_SHIFTS, Filling(engine=engine)) for engine in ("seasonal", "linear"))
    assert default.rmse(*BETWEEN) < 0.99 * linear.rmse(*BETWEEN)
    assert default.rmse(0, 20) < 0.97 * linear.rmse(0, 20)


def test_leaving_dips_out_helps_against_planted_clouds(slovenia) -> None:
    planted = with_undetected_clouds(slovenia, 0.1)
    careful, trusting = (errors(planted, EOLEARN_SHIFTS, Filling(dip=dip)) for dip in (0.1, 0.0))
    assert careful.rmse(*BETWEEN) < trusting.rmse(*BETWEEN)


def one_per_date(cells: Cells) -> Cells:
    days, values, seen = np.unique(cells.days), cells.values.copy(), cells.seen.copy()
    for earlier, later in itertools.pairwise(range(len(cells.days))):
        if cells.days[earlier] == cells.days[later]:
            values[later] = np.where(seen[earlier], values[earlier], values[later])
            seen[later] |= seen[earlier]
    last = np.searchsorted(cells.days, days, side="right") - 1
    return Cells(days, values[last], seen[last], values[last])


def test_the_step_fills_a_real_series_from_file_to_file(sample_data: Path, tmp_path: Path, monkeypatch) -> None:
    """Slovenia whole: 101 × 100 cells, 68 images with odd spacing, margins at both ends.

    Some dates have two images, of which gdal.series would keep the first clear value.
    """
    cells = one_per_date(eolearn(sample_data))
    grid = Grid(epsg=32633, resolution_m=10, west_m=465_180, north_m=5_080_250, width=100, height=101)
    path = tmp_path / "gdal.series" / "key" / "1" / "series.h5"
    path.parent.mkdir(parents=True)
    stack = np.where(cells.seen, np.rint(cells.values * 1e4), -32768).astype(np.int16).reshape(-1, *grid.shape)
    with create_series(path, Header(grid, "ndvi", cells.days), ("values", "land")) as sink:
        for window in chunk_windows(grid, CHUNK_PX, CHUNK_PX):
            rows, cols = window.toslices()
            sink.write(sink.packed("values", window, stack[:, rows, cols]))
            sink.write(sink.packed("land", window, np.ones((int(window.height), int(window.width)), np.uint8)))
    monkeypatch.setenv("CLEARGROUND_STORE", str(tmp_path))
    file = output_file(path).model_copy(update={"href": "store:gdal.series/key/1/series.h5"})
    result = run(FillParams(series=file, first=date(2016, 1, 1), last=date(2017, 11, 30)), tmp_path)
    with open_series(tmp_path / "filled.h5") as filled:
        values, deviation = (filled.read(name, Window(0, 0, 100, 101)) for name in ("values", "uncertainty"))
    assert values.shape == (len(result.dates), 101, 100)
    assert np.abs(values).max() < 10_000
    assert (deviation > 0).all()
    summer = [day.month in (6, 7) for day in result.dates]
    winter = [day.month in (1, 12) for day in result.dates]
    assert np.median(values[summer]) > np.median(values[winter]) + 2000
