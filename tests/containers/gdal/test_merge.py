"""Windows of a grid joined cell for cell."""

import numpy as np
import pytest
import rasterio

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.grid import part_of
from containers.base.raster import tile_windows, write_cog
from containers.gdal import merge
from containers.gdal.contract.merge import MergeParams, Piece

WHOLE = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=70, height=50)
NODATA = -32768


@pytest.fixture
def make_piece(raster_store):
    def make(array, grid: Grid, nodata=NODATA, bands=("ndvi", "quality"), scale=1e-4, tags=None) -> Piece:
        path = raster_store.folder("gdal.fill") / "piece.tif"
        write_cog(path, array, grid, nodata=nodata, bands=bands, scale=scale, tags=tags or {})
        return Piece(grid=grid, raster=raster_store.file(path))

    return make


def merged(pieces, out, **more):
    return merge.run(MergeParams(pieces={"series": tuple(pieces)} | more, grid=WHOLE), out)


@pytest.mark.parametrize("size", [17, 32, 70])
def test_pieces_in_any_order_give_the_whole(size, make_piece, tmp_path) -> None:
    whole = np.random.default_rng(1).integers(-9000, 9000, (2, *WHOLE.shape)).astype(np.int16)
    pieces = [
        make_piece(
            whole[(slice(None), *window.toslices())], part_of(WHOLE, window), tags={"SEASON": "2018", "N": str(size)}
        )
        for window in tile_windows(WHOLE.shape, size)
    ]
    result = merged(pieces[::-1], tmp_path)
    with rasterio.open(tmp_path / result.rasters["series"].href) as dataset:
        assert (dataset.read() == whole).all()
        assert dataset.descriptions == ("ndvi", "quality")
        assert (dataset.nodata, dataset.scales, dataset.dtypes[0]) == (NODATA, (1e-4, 1e-4), "int16")
        assert dataset.tags()["SEASON"] == "2018"


def test_gaps_are_nodata_and_names_are_apart(make_piece, tmp_path) -> None:
    grid = part_of(WHOLE, next(tile_windows(WHOLE.shape, 20)))
    ones = np.ones((2, *grid.shape), np.int16)
    count = make_piece(ones[:1].astype(np.uint8), grid, nodata=None, bands=("observations",), scale=1.0)
    result = merged([make_piece(ones, grid)], tmp_path, observations=(count,))
    with rasterio.open(tmp_path / result.rasters["series"].href) as dataset:
        series = dataset.read()
    assert (series[:, :20, :20] == 1).all()
    assert (series != NODATA).sum() == 2 * 400
    with rasterio.open(tmp_path / result.rasters["observations"].href) as dataset:
        assert (dataset.read(1).sum(), dataset.nodata, dataset.dtypes[0]) == (400, None, "uint8")


def refused(code: str, *args) -> str:
    with pytest.raises(StepError) as caught:
        merged(*args)
    assert caught.value.code == code
    return caught.value.reason


def test_overlap_and_outside_are_refused(make_piece, tmp_path) -> None:
    windows = list(tile_windows(WHOLE.shape, 20))
    first, second = part_of(WHOLE, windows[0]), part_of(WHOLE, windows[1])
    nearer = second.model_copy(update={"west_m": second.west_m - 20})
    ones = np.ones((2, *first.shape), np.int16)
    assert "overlap" in refused("grid_mismatch", [make_piece(ones, first), make_piece(ones, nearer)], tmp_path)
    beyond = first.model_copy(update={"west_m": first.west_m - 20})
    assert "reaches beyond" in refused("grid_mismatch", [make_piece(ones, beyond)], tmp_path)
    shifted = first.model_copy(update={"resolution_m": 10.0})
    refused("grid_mismatch", [make_piece(ones, shifted)], tmp_path)


def test_pieces_that_differ_or_lie_are_refused(make_piece, tmp_path) -> None:
    windows = list(tile_windows(WHOLE.shape, 20))
    first, second = part_of(WHOLE, windows[0]), part_of(WHOLE, windows[1])
    ones = np.ones((2, *first.shape), np.int16)
    piece = make_piece(ones, first)
    assert "differ" in refused("grid_mismatch", [piece, make_piece(ones.astype(np.float32), second)], tmp_path)
    assert "differ" in refused("grid_mismatch", [piece, make_piece(ones, second, bands=("evi", "quality"))], tmp_path)
    lying = Piece(grid=second, raster=piece.raster)
    refused("grid_mismatch", [lying], tmp_path)
