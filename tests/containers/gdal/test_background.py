"""The median of other dates, against numpy on one cell at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal.background import background_of, median_of
from containers.gdal.contract.observe import Image

NODATA = -32768
COARSE = Grid(epsg=32633, resolution_m=240, west_m=400_080, north_m=5_600_160, width=12, height=10)
FINE = Grid(epsg=32633, resolution_m=60, west_m=400_140, north_m=5_600_100, width=44, height=38)


@pytest.fixture
def make_image(raster_store):
    def make(arrays: dict[str, np.ndarray], grid: Grid = COARSE) -> Image:
        from containers.base.raster import write_cog

        path = raster_store.folder("gdal.observe") / "background.tif"
        write_cog(path, np.stack(list(arrays.values())), grid, nodata=NODATA, bands=tuple(arrays))
        return Image(file=raster_store.file(path), grid=grid)

    return make


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 7), st.sampled_from([0.0, 0.5, 1.0]), st.integers(0, 99))
def test_median_equals_numpy_cell_by_cell(images, share, seed) -> None:
    rng = np.random.default_rng(seed)
    stack = rng.integers(-300, 30_000, (images, 3, 4)).astype(np.int16)
    stack[rng.random(stack.shape) < 0.4] = NODATA
    found = median_of(stack, share)
    for cell in np.ndindex(3, 4):
        seen = stack[(slice(None), *cell)]
        seen = seen[seen != NODATA]
        enough = seen.size > 0 and seen.size >= share * images
        assert found[cell] == (np.rint(np.median(seen)) if enough else NODATA)


def test_background_by_hand(make_image) -> None:
    """Median 300 of 100, 300, 9000 (a cloud); a cell that one of three dates sees is left out."""
    images = []
    for value in (100, 9000, 300):
        array = np.full(COARSE.shape, value, np.int16)
        if value != 300:
            array[0, 0] = NODATA
        images.append(make_image({"red": array, "blue": np.where(array == NODATA, array, array // 100)}))
    found = background_of(images, ("blue", "red"), 0.5)
    assert found.names == ("blue", "red")
    assert found.median[:, 0, 0].tolist() == [NODATA, NODATA]
    assert (found.median[:, 1:] == np.array([3, 300]).reshape(2, 1, 1)).all()


def test_interpolation_keeps_a_plane_and_mixes_no_nodata(make_image) -> None:
    rows, cols = np.mgrid[:10, :12]
    plane = (1000 + 40 * rows + 80 * cols).astype(np.int16)
    plane[4, 5] = NODATA
    found = background_of([make_image({"red": plane})], ("red",), 1.0).on(FINE)[0]
    at_row = (COARSE.north_m - (FINE.north_m - (np.arange(FINE.height) + 0.5) * 60)) / 240 - 0.5
    at_col = (FINE.west_m + (np.arange(FINE.width) + 0.5) * 60 - COARSE.west_m) / 240 - 0.5
    expected = 1000 + 40 * at_row[:, None] + 80 * at_col
    near_hole = (np.abs(at_row[:, None] - 4) < 1) & (np.abs(at_col - 5) < 1)
    inside = (at_row[:, None] > 0) & (at_col > 0) & (at_row[:, None] < 9) & (at_col < 11) & ~near_hole
    assert inside.sum() > 1000
    assert np.abs(found - expected)[inside].max() <= 1
    assert found[found != NODATA].min() > 900, "nodata was mixed in"


def test_backgrounds_of_another_grid_are_refused(make_image) -> None:
    array = np.ones(COARSE.shape, np.int16)
    moved = COARSE.model_copy(update={"west_m": 400_320.0})
    with pytest.raises(StepError, match=r"400080.*400320") as caught:
        background_of([make_image({"red": array}), make_image({"red": array}, moved)], ("red",), 0.5)
    assert caught.value.code == "grid_mismatch"


def test_a_missing_band_is_named(make_image) -> None:
    with pytest.raises(StepError, match="swir16") as caught:
        background_of([make_image({"red": np.ones(COARSE.shape, np.int16)})], ("red", "swir16"), 0.5)
    assert caught.value.code == "unknown_band"
