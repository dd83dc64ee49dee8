"""One virtual raster per layer, whose members are found from its place in the store."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.grid import part_of
from containers.base.raster import read_band
from containers.base.step import local_path
from containers.gdal.contract.mosaic import MosaicParams, MosaicResult
from containers.gdal.mosaic import run

NODATA = -32768
GRID = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=6, height=4)


def window(col: int, row: int, width: int, height: int) -> Grid:
    return part_of(GRID, rasterio.windows.Window(col, row, width, height))


def mosaic(store: Any, tiles: list[dict[str, Any]], grid: Grid = GRID) -> tuple[MosaicResult, Path]:
    out = store.folder("gdal.mosaic")
    return run(MosaicParams(period="2018", grid=grid, tiles=tuple(tiles)), out), out


def test_tiles_side_by_side_and_a_hole(raster_store) -> None:
    left = raster_store.cog(np.full((4, 2), 7, np.int16), window(0, 0, 2, 4), nodata=NODATA)
    right = raster_store.cog(np.full((2, 3), 9, np.int16), window(3, 1, 3, 2), nodata=NODATA)
    result, out = mosaic(raster_store, [{"red": left}, {"red": right}])
    gap = NODATA
    assert raster_store.read(result.mosaic.layers["red"], out).tolist() == [
        [7, 7, gap, gap, gap, gap],
        [7, 7, gap, 9, 9, 9],
        [7, 7, gap, 9, 9, 9],
        [7, 7, gap, gap, gap, gap],
    ]


def test_where_tiles_overlap_the_first_with_data_wins_in_every_layer(raster_store) -> None:
    """Also in the count, which declares no nodata: a cell keeps the count that belongs to its value."""
    whole = window(0, 0, 6, 4)
    values = np.full((2, 4, 6), 100, np.int16)
    values[0, :2] = NODATA
    values[1] = 200
    counts = np.where(values == NODATA, 0, values // 100).astype(np.uint8)
    tiles = [
        {
            "red": raster_store.cog(values[number], whole, nodata=NODATA),
            "observations": raster_store.cog(counts[number], whole, nodata=None, name="observations"),
        }
        for number in range(2)
    ]
    result, out = mosaic(raster_store, tiles)
    layers = result.mosaic.layers
    assert raster_store.read(layers["red"], out)[:, 0].tolist() == [200, 200, 100, 100]
    assert raster_store.read(layers["observations"], out)[:, 0].tolist() == [2, 2, 1, 1]


def test_headers_and_members(raster_store) -> None:
    tile = raster_store.cog(np.ones((4, 6), np.int16), GRID, nodata=NODATA)
    result, out = mosaic(raster_store, [{"red": tile}])
    file = result.mosaic.layers["red"]
    assert file.members == (tile,)
    assert f"../../../{tile.store_path}" in (out / "red.vrt").read_text()
    with rasterio.open(out / "red.vrt") as dataset:
        assert (dataset.nodata, dataset.dtypes[0], dataset.descriptions[0]) == (NODATA, "int16", "red")
        assert (dataset.crs.to_epsg(), dataset.shape) == (3035, (4, 6))
        assert dataset.transform[:6] == (20, 0, 4_000_000, 0, -20, 3_000_000)


def test_it_works_from_its_final_place_although_written_elsewhere(raster_store, tmp_path) -> None:
    tile = raster_store.cog(np.full((4, 6), 5, np.int16), GRID, nodata=NODATA)
    out = tmp_path / "out"
    out.mkdir()
    params = MosaicParams(period="2018", grid=GRID, tiles=({"red": tile},))
    file = run(params, out).mosaic.layers["red"]
    place = raster_store.folder("gdal.mosaic")
    (out / file.href).rename(place / file.href)
    assert (read_band(local_path(raster_store.adopt(file, place))) == 5).all()


def test_a_tile_that_reaches_beyond_the_common_extent_is_cut(raster_store) -> None:
    wide = Grid(epsg=3035, resolution_m=20, west_m=3_999_960, north_m=3_000_020, width=10, height=6)
    cells = np.arange(60, dtype=np.int16).reshape(6, 10)
    result, out = mosaic(raster_store, [{"red": raster_store.cog(cells, wide, nodata=NODATA)}])
    assert raster_store.read(result.mosaic.layers["red"], out).tolist() == cells[1:5, 2:8].tolist()


def test_content_id_follows_the_members_and_not_their_places(raster_store) -> None:
    tiles = [raster_store.cog(np.full((4, 6), value, np.int16), GRID, nodata=NODATA) for value in (5, 5, 6)]
    ids = [mosaic(raster_store, [{"red": tile}])[0].mosaic.layers["red"].content_id for tile in tiles]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("array", "grid", "nodata", "values"),
    [
        (np.ones((4, 6), np.uint8), GRID, NODATA and 0, ("uint8", "int16")),
        (np.ones((4, 6), np.int16), GRID, 0, ("nodata 0", "-32768")),
        (np.ones((4, 6), np.int16), GRID.model_copy(update={"epsg": 32633}), NODATA, ("32633", "3035")),
        (np.ones((4, 6), np.int16), GRID.model_copy(update={"resolution_m": 10.0}), NODATA, ("10.0", "20.0")),
    ],
    ids=["type", "nodata", "CRS", "resolution"],
)
def test_a_tile_that_does_not_fit_is_refused_with_both_values(array, grid, nodata, values, raster_store) -> None:
    first = raster_store.cog(np.ones((4, 6), np.int16), GRID, nodata=NODATA)
    other = raster_store.cog(array, grid, nodata=nodata)
    with pytest.raises(StepError) as caught:
        mosaic(raster_store, [{"red": first}, {"red": other}])
    assert caught.value.code == "grid_mismatch"
    assert other.store_path in caught.value.reason
    assert all(value in caught.value.reason for value in values)


def test_a_shifted_tile_is_refused(raster_store) -> None:
    half = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=6, height=4)
    tile = raster_store.cog(np.ones((4, 6), np.int16), half, nodata=NODATA)
    common = GRID.model_construct(**{**GRID.model_dump(), "west_m": 4_000_010.0})
    with pytest.raises(StepError, match=r"0\.500") as caught:
        run(MosaicParams.model_construct(period="2018", grid=common, tiles=({"red": tile},)), raster_store.folder())
    assert caught.value.code == "grid_mismatch"


def test_tiles_with_different_layers(raster_store) -> None:
    tile = raster_store.cog(np.ones((4, 6), np.int16), GRID, nodata=NODATA)
    with pytest.raises(StepError, match=r"swir16.*red") as caught:
        mosaic(raster_store, [{"red": tile}, {"swir16": tile}])
    assert caught.value.code == "grid_mismatch"


def test_no_tile_on_the_grid(raster_store) -> None:
    tile = raster_store.cog(np.ones((4, 6), np.int16), GRID, nodata=NODATA)
    with pytest.raises(StepError) as caught:
        mosaic(raster_store, [{"red": tile}], GRID.model_copy(update={"west_m": 4_002_000.0}))
    assert caught.value.code == "no_valid_pixels"
