"""The fill step: its files, its refusals, and what must not depend on blocks and threads."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal import fill
from containers.gdal.contract.fill import Filling, FillParams
from containers.gdal.fill import run
from containers.gdal.series_file import EPOCH, Header, chunk_windows, create_series

NODATA = -32768
GRID = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=70, height=66)
DAYS = np.arange(17_600, 18_100, 7, dtype=np.int32)
FIRST, LAST = date(2018, 5, 1), date(2019, 3, 31)


def season(grid: Grid = GRID, days=DAYS, seed: int = 1) -> Any:
    rng = np.random.default_rng(seed)
    curve = 0.45 + 0.3 * np.sin(days[:, np.newaxis, np.newaxis] / 58 + rng.normal(0, 0.4, grid.shape))
    values = np.rint((curve + rng.normal(0, 0.03, curve.shape)) * 1e4).astype(np.int16)
    values[rng.random(values.shape) < 0.5] = NODATA
    return values


def within(first: date, last: date) -> Any:
    """The dates from first to last, (date,)."""
    start, end = (first - EPOCH).days, (last - EPOCH).days
    return (start <= DAYS) & (end >= DAYS)


@pytest.fixture
def make_series(raster_store):
    def make(values, grid: Grid = GRID, days=DAYS, land=None):
        path = raster_store.folder("gdal.series") / "series.h5"
        land = np.ones(grid.shape, np.uint8) if land is None else land
        with create_series(path, Header(grid, "ndvi", days), ("values", "land")) as sink:
            for window in chunk_windows(grid, 64, 64):
                part = window.toslices()
                sink.write(sink.packed("values", window, values[:, *part]))
                sink.write(sink.packed("land", window, land[part]))
        return raster_store.file(path)

    return make


def filled(series, out: Path, **facts: Any):
    out.mkdir(exist_ok=True)
    result = run(FillParams(**({"series": series, "first": FIRST, "last": LAST} | facts)), out)
    with h5py.File(out / "filled.h5") as file:
        return result, {name: file[name][:] for name in ("values", "quality", "uncertainty", "days", "land")}


def test_output_is_from_first_to_last_only(make_series, tmp_path) -> None:
    """The series holds earlier and later dates: they are the margins of both ends."""
    result, layers = filled(make_series(season()), tmp_path, every_days=10)
    assert result.dates[0] == FIRST
    assert LAST - timedelta(days=10) < result.dates[-1] <= LAST
    assert layers["days"].tolist() == list(range((FIRST - EPOCH).days, (LAST - EPOCH).days + 1, 10))
    assert layers["values"].shape == layers["quality"].shape == (len(result.dates), *GRID.shape)
    assert (layers["values"] != NODATA).all()
    assert (layers["uncertainty"] > 0).all()
    assert sum(result.shares.values()) == pytest.approx(1)


def test_margins_of_both_ends_inform_the_output(make_series, tmp_path) -> None:
    values = season()
    inside = within(FIRST, LAST)
    _, with_margins = filled(make_series(values), tmp_path / "a")
    _, without = filled(make_series(values[inside], days=DAYS[inside]), tmp_path / "b")
    differing = (with_margins["values"] != without["values"]).mean(axis=(1, 2))
    assert differing[0] > 0.5
    assert differing[-1] > 0.5


def test_observed_values_stand_on_their_dates(make_series, tmp_path) -> None:
    values = season()
    result, layers = filled(make_series(values), tmp_path, every_days=0, filling=Filling(dip=0))
    inside = within(FIRST, LAST)
    seen = values[inside] != NODATA
    assert (layers["days"] == DAYS[inside]).all()
    assert ((layers["quality"] == -1) == seen).all()
    assert (layers["values"][seen] == values[inside][seen]).all()
    assert result.shares["-1"] == pytest.approx(seen.mean())


@pytest.mark.parametrize("engine", ["seasonal", "harmonic", "ridge", "whittaker", "savitzky_golay", "linear"])
def test_equal_values_whatever_the_blocks_and_threads(engine, make_series, tmp_path, monkeypatch) -> None:
    grid = GRID.model_copy(update={"width": 80, "height": 30})
    series, filling = make_series(season(grid), grid), Filling(engine=engine)
    first, layers = filled(series, tmp_path / "a", filling=filling, execution={"threads": 1})
    second, _ = filled(series, tmp_path / "b", filling=filling, execution={"threads": 3})
    assert first.filled.content_id == second.filled.content_id
    monkeypatch.setattr(fill, "_BATCH_CELLS", 313)
    monkeypatch.setattr(fill, "_BLOCK_COLS", 64)
    _, by_others = filled(series, tmp_path / "c", filling=filling)
    for name, layer in layers.items():
        assert (by_others[name] == layer).all()


def test_off_land_there_is_nothing(make_series, tmp_path) -> None:
    land = np.ones(GRID.shape, np.uint8)
    land[:, :50] = 0
    result, layers = filled(make_series(np.where(land, season(), np.int16(NODATA)), land=land), tmp_path)
    assert (layers["values"][:, land == 0] == NODATA).all()
    assert (layers["quality"][:, land == 0] == 0).all()
    assert (layers["uncertainty"][:, land == 0] == NODATA).all()
    assert (layers["land"] == land).all()
    assert "0" not in result.shares


def test_a_cell_that_was_never_seen_has_quality_0(make_series, tmp_path) -> None:
    values = season()
    values[:, 3, 4] = NODATA
    result, layers = filled(make_series(values), tmp_path)
    cell = (slice(None), 3, 4)
    assert (layers["values"][cell] == NODATA).all()
    assert (layers["uncertainty"][cell] == NODATA).all()
    assert not layers["quality"][cell].any()
    assert result.shares["0"] == pytest.approx(1 / (GRID.width * GRID.height))


def test_six_by_six_cells_over_three_years(make_series, tmp_path) -> None:
    grid = GRID.model_copy(update={"width": 6, "height": 6})
    rng = np.random.default_rng(3)
    days = np.unique(rng.integers(17_500, 18_600, 120)).astype(np.int32)
    values = season(grid, days)
    series = make_series(values, grid, days)
    result, layers = filled(series, tmp_path, first=date(2018, 1, 1), last=date(2020, 11, 1), every_days=5)
    assert layers["values"].shape[1:] == (6, 6)
    assert (layers["values"] != NODATA).all()
    assert set(result.shares) <= {"-1", "50", "51"}


def one_date(make_series):
    return {"series": make_series(season()[:1], days=DAYS[:1])}, "bad_dates", "one date only, 2018-03-10"


def too_early(make_series):
    return {"series": make_series(season()), "first": date(2017, 11, 1)}, "bad_dates", "2017-11-01.*2018-03-10"


def too_late(make_series):
    return {"series": make_series(season()), "last": date(2020, 1, 1)}, "bad_dates", "2020-01-01.*2019-07-"


def between_dates(make_series):
    asked = {"first": date(2018, 3, 11), "last": date(2018, 3, 12), "every_days": 0}
    return {"series": make_series(season())} | asked, "bad_dates", "No observation"


def all_cloud(make_series):
    return {"series": make_series(np.full_like(season(), NODATA))}, "no_valid_pixels", "72 dates"


@pytest.mark.parametrize("case", [one_date, too_early, too_late, between_dates, all_cloud])
def test_refusals_name_the_values(case, make_series, tmp_path) -> None:
    facts, code, reason = case(make_series)
    with pytest.raises(StepError, match=reason) as caught:
        filled(**facts, out=tmp_path / "out")
    assert caught.value.code == code
    assert not list((tmp_path / "out").iterdir())


def test_days_that_go_backwards_are_refused_with_both(make_series, raster_store, tmp_path) -> None:
    series = make_series(season())
    with h5py.File(raster_store.root / series.store_path, "r+") as file:
        file["days"][3] = file["days"][2] - 1
    with pytest.raises(StepError, match=r"2018-03-23 follows 2018-03-24") as caught:
        filled(series, tmp_path / "out")
    assert caught.value.code == "corrupt_file"
