"""Grids in rasterio's terms."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import Affine
from rasterio.windows import Window

from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.step import StepError
from containers.base.grid import bounds_in, grid_of, offset_in, part_of, require_grid, transform_of, window_of
from containers.base.raster import write_cog

GRID = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=40, height=30)


def written(path: Path, *, crs: str | None, transform: Affine, shape: tuple[int, int] = (4, 5)) -> Path:
    with rasterio.open(
        path, "w", driver="GTiff", height=shape[0], width=shape[1], count=1, dtype="uint8", crs=crs, transform=transform
    ) as sink:
        sink.write(np.ones(shape, np.uint8), 1)
    return path


def test_a_written_raster_has_the_grid_it_was_written_on(tmp_path: Path) -> None:
    path = write_cog(tmp_path / "a.tif", np.ones(GRID.shape, np.uint8), GRID, nodata=0)
    with rasterio.open(path) as dataset:
        assert grid_of(dataset) == GRID
        assert dataset.transform == transform_of(GRID)
        require_grid(dataset, GRID)


@pytest.mark.parametrize(
    "other",
    [
        GRID.model_copy(update={"west_m": 4_000_020}),
        GRID.model_copy(update={"width": 41}),
        GRID.model_copy(update={"epsg": 32633}),
        GRID.model_copy(update={"resolution_m": 10.0}),
    ],
)
def test_another_grid_is_refused_with_both_values(other: Grid, tmp_path: Path) -> None:
    path = write_cog(tmp_path / "a.tif", np.ones(GRID.shape, np.uint8), GRID, nodata=0)
    with rasterio.open(path) as dataset, pytest.raises(StepError) as caught:
        require_grid(dataset, other)
    assert caught.value.code == "grid_mismatch"
    assert repr(GRID) in caught.value.reason
    assert repr(other) in caught.value.reason


@pytest.mark.parametrize(
    ("crs", "transform", "code"),
    [
        (None, Affine(20, 0, 0, 0, -20, 0), "corrupt_file"),
        ("EPSG:3035", Affine(20, 0, 7, 0, -20, 0), "grid_mismatch"),
        ("EPSG:3035", Affine(20, 0, 0, 0, -10, 0), "grid_mismatch"),
        ("EPSG:3035", Affine(20, 1, 0, 0, -20, 0), "grid_mismatch"),
        ("EPSG:3035", Affine(20, 0, 0, 0, 20, 0), "grid_mismatch"),
    ],
    ids=["no CRS", "not snapped", "oblong", "rotated", "south up"],
)
def test_what_is_no_grid(crs: str | None, transform: Affine, code: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.tif", crs=crs, transform=transform)
    with rasterio.open(path) as dataset, pytest.raises(StepError) as caught:
        grid_of(dataset)
    assert caught.value.code == code


def test_offset_by_hand() -> None:
    inner = GRID.model_copy(update={"west_m": 4_000_060, "north_m": 2_999_980, "width": 2, "height": 2})
    assert offset_in(GRID, inner) == (1, 3)
    assert offset_in(inner, GRID) == (-1, -3)
    assert window_of(GRID, inner) == Window(3, 1, 2, 2)
    with pytest.raises(StepError, match="reaches beyond"):
        window_of(inner, GRID)


def test_cells_that_do_not_coincide_are_refused() -> None:
    shifted = GRID.model_construct(**{**GRID.model_dump(), "west_m": 4_000_005.0})
    with pytest.raises(StepError, match=r"0\.250") as caught:
        offset_in(GRID, shifted)
    assert caught.value.code == "grid_mismatch"


@given(st.integers(0, 29), st.integers(0, 39), st.data())
def test_part_and_window_are_inverse(row: int, col: int, data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 30 - row)), data.draw(st.integers(1, 40 - col))
    window = Window(col, row, width, height)
    assert window_of(GRID, part_of(GRID, window)) == window


def test_bounds_in_another_crs_hold_every_corner(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tif", crs="EPSG:32633", transform=Affine(20, 0, 400_000, 0, -20, 5_600_000))
    with rasterio.open(path) as dataset:
        bounds = bounds_in(dataset, 3035)
        same = bounds_in(dataset, 32633)
    assert same == pytest.approx(Bounds(400_000, 5_599_920, 400_100, 5_600_000))
    assert bounds.west <= 4_575_276.5 <= bounds.east
    assert bounds.south <= 3_054_178 <= bounds.north + 1
