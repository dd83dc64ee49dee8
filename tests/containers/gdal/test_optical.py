"""The mosaic of one date against one cell at a time."""

import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from rasterio.crs import CRS
from rasterio.transform import from_origin

from containers.base.contract.grid import Grid
from containers.base.contract.legend import Sky
from containers.base.contract.step import StepError
from containers.gdal.contract.optical import OpticalParams
from containers.gdal.contract.series import Seen
from containers.gdal.optical import run
from tests.reference import exact_source_positions, near_pixel_edge, nearest_warp

NODATA = -32768
GRID = Grid(epsg=32633, resolution_m=10, west_m=500_000, north_m=5_500_000, width=300, height=280)
START = datetime(2020, 5, 11, 10, tzinfo=UTC)
BANDS = ("red", "nir08")


def part(row: int, col: int, height: int, width: int) -> Grid:
    west, north = GRID.west_m + col * 10, GRID.north_m - row * 10
    return GRID.model_copy(update={"west_m": west, "north_m": north, "width": width, "height": height})


@pytest.fixture
def make_tile(raster_store):
    """A tile with random reflectance, a twentieth of it without data in each band, and random sky on its own grid."""

    def make(tile: str, grid: Grid = GRID, seconds: float = 0, sky: Any = None, **facts: Any) -> Any:
        rng = np.random.default_rng(list(tile.encode()))
        values = {band: rng.integers(-200, 6000, grid.shape).astype(np.int16) for band in BANDS}
        for layer in values.values():
            layer[rng.random(grid.shape) < 0.05] = NODATA
        sky = rng.integers(0, 6, grid.shape).astype(np.uint8) if sky is None else sky
        named: dict[str, Any] = {
            "scene_id": f"S2A_MSIL2A_20200511T100000_N0500_R022_T{tile}_20200512T000000",
            "acquired": START + timedelta(seconds=seconds),
            "grid": grid,
            "bands": {band: raster_store.cog(layer, grid, nodata=NODATA, name=band) for band, layer in values.items()},
            "mask": raster_store.cog(sky, grid, nodata=0, name="mask"),
        }
        return Seen(**(named | facts)), values, sky

    return make


def one_cell_at_a_time(tiles: list[Any]) -> dict[str, np.ndarray]:
    known = {
        item.scene_id: (sky != 0) & np.all([layer != NODATA for layer in values.values()], axis=0)
        for item, values, sky in tiles
    }
    order = sorted(tiles, key=lambda tile: (-known[tile[0].scene_id].sum(), tile[0].scene_id))
    image = {name: np.full(GRID.shape, NODATA, np.int16) for name in BANDS} | {"sky": np.zeros(GRID.shape, np.uint8)}
    for row, col in np.ndindex(GRID.shape):
        for item, values, sky in order:
            at = (
                row - round((GRID.north_m - item.grid.north_m) / 10),
                col - round((item.grid.west_m - GRID.west_m) / 10),
            )
            inside = all(0 <= place < size for place, size in zip(at, item.grid.shape, strict=True))
            if inside and known[item.scene_id][at]:
                for name, layer in {**values, "sky": sky}.items():
                    image[name][row, col] = layer[at]
                break
    return image


def test_each_cell_comes_from_one_tile_the_one_with_more_data(make_tile, raster_store, tmp_path) -> None:
    tiles = [
        make_tile("33UUP", part(-30, -20, 200, 180)),
        make_tile("33UVP", part(20, 90, 260, 230), seconds=20),
        make_tile("33UUQ", part(150, 0, 50, 160), seconds=10),
    ]
    result = run(OpticalParams(seen=tuple(tile[0] for tile in tiles), grid=GRID), tmp_path)
    # The tile in the south-east has the most cells on the grid, though the first has as many in all.
    expected = one_cell_at_a_time([clip(tile) for tile in tiles])
    image = result.image
    for name, file in {**image.bands, "sky": image.sky}.items():
        assert (raster_store.read(file, tmp_path) == expected[name]).all(), name
    sky = expected["sky"]
    assert result.valid_share == pytest.approx((sky > 0).mean())
    assert result.hidden_share == pytest.approx(np.isin(sky, (2, 3, 4)).sum() / (sky > 0).sum())
    assert (image.acquired, list(image.bands)) == (START, list(BANDS))


def clip(tile: Any) -> Any:
    """What of a tile lies on the grid."""
    item, values, sky = tile
    row, col = round((GRID.north_m - item.grid.north_m) / 10), round((item.grid.west_m - GRID.west_m) / 10)
    top, left = max(0, -row), max(0, -col)
    bottom, right = min(item.grid.height, GRID.height - row), min(item.grid.width, GRID.width - col)
    inner = slice(top, bottom), slice(left, right)
    grid = part(row + top, col + left, bottom - top, right - left)
    return item.model_copy(update={"grid": grid}), {name: layer[inner] for name, layer in values.items()}, sky[inner]


def test_the_order_of_the_input_does_not_matter(make_tile, tmp_path) -> None:
    """Equal tiles all over each other: the first by name wins."""
    sky = np.ones(GRID.shape, np.uint8)
    bands = make_tile("33UUP", sky=sky)[0].bands
    one, other = make_tile("33UVP", sky=sky, bands=bands)[0], make_tile("33UUQ", sky=sky, bands=bands)[0]
    ids = []
    for name, seen in (("a", (one, other)), ("b", (other, one))):
        (tmp_path / name).mkdir()
        image = run(OpticalParams(seen=seen, grid=GRID), tmp_path / name).image
        ids.append([file.content_id for file in (*image.bands.values(), image.sky)])
    assert ids[0] == ids[1]


def test_classes_of_another_grid_are_taken_from_the_nearest_cell(make_tile, raster_store, tmp_path) -> None:
    """A mask of 60 m of the neighbouring UTM zone, against every cell transformed on its own."""
    rng = np.random.default_rng(7)
    sky = rng.integers(1, 6, (120, 120)).astype(np.uint8)
    crs = CRS.from_epsg(32632)
    northings, eastings = exact_source_positions(GRID, crs, from_origin(0, 0, 1, 1))
    transform = from_origin(eastings.min() // 60 * 60 - 600, -(northings.min() // 60) * 60 + 600, 60, 60)
    mask = raster_store.source(sky, epsg=32632, transform=transform, name="mask.tif")
    item, values, _ = make_tile("33UUP", mask=mask)
    result = run(OpticalParams(seen=(item,), grid=GRID), tmp_path)
    positions = exact_source_positions(GRID, crs, transform)
    known = np.all([layer != NODATA for layer in values.values()], axis=0)
    sure = ~near_pixel_edge(positions, 0.0625)
    found = raster_store.read(result.image.sky, tmp_path)
    assert sure.mean() > 0.6
    assert (found == np.where(known, nearest_warp(sky, positions, 0), 0))[sure].all()


def test_memory_does_not_grow_with_the_height_of_the_grid(make_tile, raster_store) -> None:
    peaks = []
    for height in (512, 4096):
        grid = GRID.model_copy(update={"height": height, "width": 64})
        item = make_tile("33UUP", grid)[0]
        tracemalloc.start()
        run(OpticalParams(seen=(item,), grid=grid), raster_store.folder("gdal.optical"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def far_apart(make_tile):
    return (make_tile("33UUP")[0], make_tile("33UVP", seconds=3600)[0]), "bad_dates", "11:00"


def twice(make_tile):
    item = make_tile("33UUP")[0]
    return (item, item.model_copy(update={"scene_id": item.scene_id[:-1] + "9"})), "bad_dates", "33UUP is given more"


def bandless(make_tile):
    item = make_tile("33UVP")[0]
    less = item.model_copy(update={"bands": {"red": item.bands["red"]}})
    return (make_tile("33UUP")[0], less), "unknown_band", r"\['red'\]"


def another_grid(make_tile):
    item = make_tile("33UUP")[0]
    return (item.model_copy(update={"grid": part(0, 0, 100, 100)}),), "grid_mismatch", "expected"


def off_the_cells(make_tile):
    grid = GRID.model_copy(update={"resolution_m": 20})
    return (make_tile("33UUP", grid)[0],), "grid_mismatch", "at 20 m does not fit"


def empty(make_tile):
    return (make_tile("33UUP", sky=np.full(GRID.shape, Sky.NODATA, np.uint8))[0],), "no_valid_pixels", "T33UUP"


@pytest.mark.parametrize("case", [far_apart, twice, bandless, another_grid, off_the_cells, empty])
def test_refusals_name_the_values(case, make_tile, tmp_path) -> None:
    seen, code, reason = case(make_tile)
    with pytest.raises(StepError, match=f"(?s){reason}") as caught:
        run(OpticalParams(seen=seen, grid=GRID), tmp_path)
    assert caught.value.code == code
    assert list(tmp_path.glob("*.tif")) == []
