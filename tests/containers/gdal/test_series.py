"""The series of a few acquisitions against one cell at a time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import h5py
import numpy as np
import pytest
from rasterio.crs import CRS
from rasterio.transform import Affine, from_origin

from containers.base.contract.grid import Grid
from containers.base.contract.legend import Sky
from containers.base.contract.step import StepError
from containers.gdal import series
from containers.gdal.contract.series import Seen, SeriesParams
from containers.gdal.indices import index_of
from containers.gdal.series import run
from containers.gdal.series_file import open_series
from tests.reference import exact_source_positions, near_pixel_edge, nearest_warp

NODATA = -32768
GRID = Grid(epsg=32633, resolution_m=20, west_m=500_000, north_m=5_500_000, width=90, height=70)
START = datetime(2018, 5, 3, 10, tzinfo=UTC)


def part(row: int, col: int, height: int, width: int) -> Grid:
    """A window of the grid."""
    west, north = GRID.west_m + col * 20, GRID.north_m - row * 20
    return GRID.model_copy(update={"west_m": west, "north_m": north, "width": width, "height": height})


@pytest.fixture
def make_seen(raster_store):
    def make(day: float, grid: Grid = GRID, tile: str = "33UUP", sky: Any = None, seed: int = 0, **facts: Any) -> Seen:
        rng = np.random.default_rng([seed, int(day * 10)])
        acquired = START + timedelta(days=day)
        bands = {name: rng.integers(0, 6000, grid.shape).astype(np.int16) for name in ("red", "nir")}
        bands["red"][rng.random(grid.shape) < 0.1] = NODATA
        if sky is None:
            sky = rng.integers(0, 6, grid.shape).astype(np.uint8)
        named: dict[str, Any] = {
            "scene_id": f"S2A_MSIL1C_{acquired:%Y%m%dT%H%M%S}_N0500_R022_T{tile}_20180701T000000",
            "acquired": acquired,
            "grid": grid,
            "bands": {name: raster_store.cog(band, grid, nodata=NODATA, name=name) for name, band in bands.items()},
            "mask": raster_store.cog(sky, grid, nodata=0, name="mask"),
        }
        return Seen(**(named | facts))

    return make


@pytest.fixture
def read(raster_store):
    def values(item: Seen, what: str) -> Any:
        file = item.mask if what == "mask" else item.bands[what]
        return raster_store.read(file.model_copy(update={"href": file.store_path}), raster_store.root)

    return values


def stack_of(out) -> Any:
    with h5py.File(out / "series.h5") as file:
        return file["values"][:]


def expected_values(seen: list[Seen], read, usable: tuple[int, ...], grid: Grid = GRID) -> dict[Any, int]:
    """(date, row, column) to the value, one cell at a time."""
    found: dict[Any, int] = {}
    for item in sorted(seen, key=lambda item: (item.acquired, item.scene_id)):
        index = index_of("ndvi", {name: read(item, name) for name in ("red", "nir")})
        sky = read(item, "mask")
        row0 = round((grid.north_m - item.grid.north_m) / 20)
        col0 = round((item.grid.west_m - grid.west_m) / 20)
        for row, col in np.ndindex(item.grid.shape):
            if sky[row, col] in usable and index[row, col] != NODATA:
                found.setdefault((item.acquired.date(), row + row0, col + col0), int(index[row, col]))
    return found


@pytest.mark.parametrize("rows", [64, 256])
def test_series_equals_one_cell_at_a_time(rows, make_seen, read, raster_store, tmp_path, monkeypatch) -> None:
    """Two tiles overlap on one date; blocks of rows do not show."""
    monkeypatch.setattr(series, "BLOCK_PX", rows)
    seen = [
        make_seen(0, part(0, 0, 50, 60)),
        make_seen(0.1, part(20, 30, 50, 60), tile="33UVP"),
        make_seen(5),
        make_seen(7.5, part(3, 5, 10, 10)),
    ]
    land = np.ones(GRID.shape, np.uint8)
    land[:5] = 0
    params = SeriesParams(
        seen=tuple(seen), grid=GRID, land=raster_store.cog(land, GRID, nodata=None, name="land"), usable=(1, 5)
    )
    result = run(params, tmp_path)
    expected = np.full((3, *GRID.shape), NODATA)
    for (date, row, col), value in expected_values(seen, read, (1, 5)).items():
        if land[row, col]:
            expected[result.dates.index(date), row, col] = value
    found = stack_of(tmp_path)
    assert (found == expected).all()
    assert [day.isoformat() for day in result.dates] == ["2018-05-03", "2018-05-08", "2018-05-10"]
    count = (expected != NODATA).sum(axis=0)
    assert (raster_store.read(result.observations, tmp_path) == count).all()
    assert result.clear_share == pytest.approx(count.sum() / (land.sum() * 3))
    with h5py.File(tmp_path / "series.h5") as file:
        assert (file["land"][:] == land).all()


def test_of_one_date_the_first_clear_one_wins_whatever_the_order_of_the_input(make_seen, tmp_path) -> None:
    clear = np.full(GRID.shape, Sky.CLEAR, np.uint8)
    one = make_seen(0, sky=clear, seed=1)
    other = make_seen(0, sky=clear, seed=2, tile="33UVP")
    results = []
    for name, seen in (("a", (one, other)), ("b", (other, one))):
        (tmp_path / name).mkdir()
        run(SeriesParams(seen=seen, grid=GRID), tmp_path / name)
        results.append(stack_of(tmp_path / name))
    assert (results[0] == results[1]).all()


def test_only_a_window_of_the_grid_is_read(make_seen, read, tmp_path) -> None:
    window = part(13, 21, 30, 40)
    item = make_seen(0)
    run(SeriesParams(seen=(item,), grid=window), tmp_path)
    cells = expected_values([item], read, (1,))
    found = stack_of(tmp_path)[0]
    for row, col in np.ndindex(window.shape):
        assert found[row, col] == cells.get((START.date(), row + 13, col + 21), NODATA)


def test_masks_of_the_tiles_grid_are_looked_up_by_the_nearest_cell(raster_store, make_seen, tmp_path) -> None:
    """A mask of 60 m in UTM on a grid in EPSG:3035, against every cell transformed on its own."""
    grid = Grid(epsg=3035, resolution_m=20, west_m=4_700_000, north_m=3_000_000, width=100, height=80)
    rng = np.random.default_rng(7)
    sky = rng.integers(1, 6, (90, 90)).astype(np.uint8)
    crs = CRS.from_epsg(32633)
    northings, eastings = exact_source_positions(grid, crs, Affine.identity())
    transform = from_origin(eastings.min() // 60 * 60 - 600, northings.max() // 60 * 60 + 600, 60, 60)
    mask = raster_store.source(sky, epsg=32633, transform=transform, name="mask.tif")
    run(SeriesParams(seen=(make_seen(0, grid, mask=mask, seed=3),), grid=grid), tmp_path)
    positions = exact_source_positions(grid, crs, transform)
    expected = nearest_warp(sky, positions, 0) == Sky.CLEAR
    bands = make_seen(0, grid, seed=3)
    index = index_of(
        "ndvi", {name: raster_store.read(_at_root(bands.bands[name]), raster_store.root) for name in ("red", "nir")}
    )
    sure = ~near_pixel_edge(positions, 0.0625) & (index != NODATA)
    found = stack_of(tmp_path)[0] != NODATA
    assert sure.mean() > 0.6
    assert (found == expected)[sure].all()


def _at_root(file):
    return file.model_copy(update={"href": file.store_path})


def test_memory_does_not_grow_with_the_number_of_dates() -> None:
    assert [series.block_cols(10_980, count) for count in (1, 70, 700, 7000)] == [11_008, 5376, 512, 256]


def test_result_opens_as_a_series(make_seen, tmp_path) -> None:
    run(SeriesParams(seen=(make_seen(0), make_seen(9)), grid=GRID), tmp_path)
    with open_series(tmp_path / "series.h5") as opened:
        assert (opened.header.grid, opened.header.index, opened.layers) == (GRID, "ndvi", ("values", "land"))


def cloudy(make_seen):
    return (make_seen(0, sky=np.full(GRID.shape, Sky.CLOUD, np.uint8)),), "no_valid_pixels", "1 dates"


def backwards(make_seen):
    return (make_seen(5), make_seen(0)), "bad_dates", "20180503.*follows.*20180508"


def twice(make_seen):
    item = make_seen(0)
    again = item.model_copy(update={"scene_id": item.scene_id[:-1] + "9"})
    return (item, again), "bad_dates", "same acquisition: 33UUP"


def shifted(make_seen):
    return (make_seen(0, GRID.model_copy(update={"resolution_m": 10})),), "grid_mismatch", "at 10 m does not fit"


def bandless(make_seen):
    item = make_seen(0)
    return (item.model_copy(update={"bands": {"red": item.bands["red"]}}),), "unknown_band", "nir"


@pytest.mark.parametrize("case", [cloudy, backwards, twice, shifted, bandless])
def test_refusals_name_the_values(case, make_seen, tmp_path) -> None:
    seen, code, reason = case(make_seen)
    with pytest.raises(StepError, match=f"(?s){reason}") as caught:
        run(SeriesParams(seen=seen, grid=GRID), tmp_path)
    assert caught.value.code == code
    assert list(tmp_path.glob("*.h5")) == []
