"""Series of single cells: the right cell, every date, and names that would do harm."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from rasterio.crs import CRS
from rasterio.warp import transform

from containers.base.contract.grid import Grid
from containers.gdal.contract.productivity import Place, PointsParams
from containers.gdal.points import cell_of, file_stem, run
from tests.containers.gdal.small_series import SmallSeries, double_logistic, every_ten_days

WEST = Grid(epsg=32633, resolution_m=10, west_m=465_180, north_m=5_080_260, width=70, height=40)
EAST = WEST.model_copy(update={"west_m": 465_880.0, "width": 30})
SEEN_DAYS = every_ten_days()[::3] + 4


def place_at(grid: Grid, row: int, col: int, name: str = "Here") -> Place:
    """The centre of a cell, a third of a cell to the south east."""
    x, y = grid.west_m + (col + 0.8) * 10, grid.north_m - (row + 0.8) * 10
    (lon,), (lat,) = transform(CRS.from_epsg(grid.epsg), CRS.from_epsg(4326), [x], [y])
    return Place(name=name, lon_deg=lon, lat_deg=lat)


@pytest.fixture
def make_params(raster_store):
    def make(*places: Place, **options: Any) -> PointsParams:
        small, days, windows = SmallSeries(raster_store), every_ten_days(), []
        for number, grid in enumerate((WEST, EAST)):
            rise = 100 + np.arange(grid.width * grid.height) / 100 + 20 * number
            values = double_logistic(days, rise, 270).reshape(len(days), *grid.shape)
            values[:, 0, 0] = np.nan
            seen = double_logistic(SEEN_DAYS, rise, 270).reshape(len(SEEN_DAYS), *grid.shape) - 0.02
            seen[:, 0, 0], seen[3] = np.nan, np.nan
            facts = {"start_day": 90, "peak_day": 180, "end_day": 280, "start_value": 0.3, "peak": 0.75}
            seasons = small.seasons(grid, (2021,), **facts, end_value=0.3)
            windows.append(small.window(grid, days, values, SEEN_DAYS, seen, seasons))
        return PointsParams(windows=tuple(windows), places=places, **options)

    return make


def table(out: Path) -> list[dict[str, str]]:
    with (out / "places.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize(("grid", "row", "col"), [(WEST, 3, 69), (EAST, 39, 0), (EAST, 0, 29)])
def test_the_cell_that_holds_the_place(make_params, grid: Grid, row: int, col: int) -> None:
    params = make_params(place_at(grid, row, col))
    found = cell_of(params.places[0], params.windows)
    assert found is not None
    assert (found.window.grid, found.row, found.col) == (grid, row, col)


def test_table_has_every_date_once(make_params, tmp_path: Path) -> None:
    run(make_params(place_at(EAST, 7, 5)), tmp_path)
    rows = table(tmp_path)
    dates = [row["date"] for row in rows]
    assert dates == sorted(set(dates))
    curve, seen = ([row for row in rows if row[name]] for name in ("value", "observed"))
    assert (len(curve), len(seen)) == (len(every_ten_days()), len(SEEN_DAYS) - 1)
    rise = 120 + (7 * EAST.width + 5) / 100
    assert [float(row["value"]) for row in curve] == pytest.approx(
        double_logistic(every_ten_days(), rise, 270)[:, 0], abs=1e-4
    )
    assert {row["uncertainty"] for row in curve} == {"0.0300"}
    assert {row["quality"] for row in curve} == {"1"}


def test_plot_is_drawn(make_params, tmp_path: Path) -> None:
    result = run(make_params(place_at(WEST, 7, 5, "Wald"), simulated=True), tmp_path)
    picture = np.asarray(Image.open(tmp_path / result.plots["Wald"].href).convert("RGB"))
    assert picture.shape == (420, 1000, 3)
    for colour in ((0x1B, 0x78, 0x37), (0x7A, 0x01, 0x77), (0x76, 0x2A, 0x83)):
        assert (np.abs(picture.astype(int) - colour).max(axis=-1) < 12).sum() > 30, "curve, banner and season"


def test_places_without_an_answer_have_a_row_and_a_warning(make_params, tmp_path: Path) -> None:
    away, pole = Place(name="Away", lon_deg=-3, lat_deg=54), Place(name="Pole", lon_deg=180, lat_deg=-90)
    result = run(make_params(away, pole, place_at(WEST, 0, 0, "Sea")), tmp_path)
    assert result.plots == {}
    assert [(warning.code, warning.reason.split()[0]) for warning in result.warnings] == [
        ("place_outside", "Away"),
        ("place_outside", "Pole"),
        ("place_without_data", "Sea"),
    ]
    assert [(row["place"], row["date"]) for row in table(tmp_path)] == [("Away", ""), ("Pole", ""), ("Sea", "")]


@pytest.mark.parametrize("name", ["../../etc/passwd", "$\\frac{a}$ $", 'x","y\n=1+1', "山の上", "a\x00b", "\u202eabc"])
def test_hostile_names_are_harmless(make_params, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    result = run(make_params(place_at(WEST, 7, 5, name)), out)
    (plot,) = result.plots.values()
    assert sorted(path.name for path in out.iterdir()) == [plot.href, "places.csv"]
    assert {row["place"].replace("\r\n", "\n") for row in table(out)} == {name}


@settings(deadline=None)
@given(st.text(min_size=1, max_size=100))
def test_file_names_are_plain(name: str) -> None:
    stem = file_stem(7, name)
    assert stem.startswith("place_007")
    assert set(stem) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
    assert len(stem) <= 60


def test_two_places_of_one_name_are_refused(make_params) -> None:
    with pytest.raises(ValidationError, match="Here"):
        make_params(place_at(WEST, 1, 1), place_at(WEST, 2, 2))


def test_a_place_without_season_has_a_plot(raster_store, tmp_path: Path) -> None:
    small, days = SmallSeries(raster_store), every_ten_days()
    flat = np.full((len(days), *EAST.shape), 0.5)
    window = small.window(EAST, days, flat, days, flat, small.seasons(EAST, (2021,), quality=1))
    result = run(PointsParams(windows=(window,), places=(place_at(EAST, 1, 1),)), tmp_path)
    assert list(result.plots) == ["Here"]
