"""Small versions of rasters keep what matters: scale, missing cells, rare changes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.step import StepError
from containers.base.raster import write_cog
from containers.gdal.preview import highest_in_blocks, preview_shape, read_codes, read_highest, read_quantities


def grid_of_shape(height: int, width: int) -> Grid:
    return Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=width, height=height)


@pytest.mark.parametrize(
    ("shape", "max_px", "expected"),
    [
        ((100, 50), 200, (100, 50)),
        ((1000, 500), 100, (100, 50)),
        ((57664, 67006), 1000, (861, 1000)),
        ((5, 9000), 90, (1, 90)),
    ],
)
def test_preview_shape(shape: tuple[int, int], max_px: int, expected: tuple[int, int]) -> None:
    assert preview_shape(shape, max_px) == expected


def test_highest_in_blocks_by_hand() -> None:
    codes = np.array([[0, 0, 3], [0, 255, 255], [1, 0, 2]], dtype=np.uint8)
    highest, valid = highest_in_blocks(codes, codes != 255, 2)
    assert highest.tolist() == [[0, 3], [1, 2]]
    assert valid.all()


@given(
    arrays.arrays(
        np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.sampled_from([0, 1, 2, 255])
    ),
    st.integers(1, 5),
)
def test_highest_in_blocks_equals_a_loop(codes: NDArray[np.uint8], factor: int) -> None:
    highest, valid = highest_in_blocks(codes, codes != 255, factor)
    for (row, col), is_valid in np.ndenumerate(valid):
        block = codes[row * factor : (row + 1) * factor, col * factor : (col + 1) * factor]
        known = block[block != 255]
        assert is_valid == (known.size > 0)
        assert not is_valid or highest[row, col] == known.max()


def test_a_single_changed_cell_survives(tmp_path: Path) -> None:
    codes = np.zeros((700, 900), dtype=np.uint8)
    codes[633, 421] = 1
    codes[:64, :64] = 255
    path = write_cog(tmp_path / "change.tif", codes, grid_of_shape(700, 900), nodata=255)
    preview = read_highest(path, 100)
    assert preview.values.shape == (1, 78, 100)
    assert np.argwhere(preview.values[0][preview.valid] == 1).size == 1
    assert preview.values[0, 633 // 9, 421 // 9] == 1
    assert not preview.valid[:7, :7].any()
    assert preview.valid.sum() == preview.valid.size - 49
    assert preview.bounds == Bounds(4_000_000, 3_000_000 - 78 * 9 * 20, 4_000_000 + 900 * 20, 3_000_000)


def test_codes_are_the_most_frequent(tmp_path: Path) -> None:
    codes = np.full((200, 200), 2, dtype=np.uint8)
    codes[:100, :100] = 1
    codes[10, 10] = 3
    path = write_cog(tmp_path / "classes.tif", codes, grid_of_shape(200, 200), nodata=0, overviews="mode")
    preview = read_codes(path, 50)
    assert preview.values[0, :25, :25].tolist() == np.full((25, 25), 1).tolist()
    assert set(np.unique(preview.values)) == {1, 2}


def test_quantities_are_scaled_averages_without_missing_cells(tmp_path: Path) -> None:
    values = np.full((64, 64), 2000, dtype=np.int16)
    values[:, 1::2] = 4000
    values[:32, 1::2] = -32768
    values[:, 60:] = -32768
    path = write_cog(tmp_path / "red.tif", values, grid_of_shape(64, 64), nodata=-32768, scale=1e-4)
    preview = read_quantities([path], 32)
    assert preview.values[0, :16, :30] == pytest.approx(np.full((16, 30), 0.2))
    assert preview.values[0, 16:, :30] == pytest.approx(np.full((16, 30), 0.3))
    assert not preview.valid[:, 30:].any()
    assert preview.valid[:, :30].all()


def test_quantities_of_different_grids_are_refused(tmp_path: Path) -> None:
    first = write_cog(tmp_path / "a.tif", np.zeros((64, 64), dtype=np.int16), grid_of_shape(64, 64), nodata=-32768)
    second = write_cog(tmp_path / "b.tif", np.zeros((64, 65), dtype=np.int16), grid_of_shape(64, 65), nodata=-32768)
    with pytest.raises(StepError) as caught:
        read_quantities([first, second], 32)
    assert caught.value.code == "grid_mismatch"
