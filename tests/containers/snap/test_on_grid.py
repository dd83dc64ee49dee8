"""SNAP's output on the grid by whole cells, and its refusal off the lattice."""

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine
from rasterio.windows import Window

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.snap.on_grid import offset_on, read_on

GRID = Grid(epsg=32633, resolution_m=10, west_m=500_000, north_m=5_300_000, width=6, height=5)


@pytest.fixture
def raster(tmp_path):
    def write(transform: Affine, shape=(8, 9), epsg: int = 32633):
        path = tmp_path / "snap.tif"
        array = np.arange(shape[0] * shape[1], dtype=np.float32).reshape(shape)
        profile = {"driver": "GTiff", "height": shape[0], "width": shape[1], "count": 1, "dtype": "float32"}
        with rasterio.open(path, "w", crs=f"EPSG:{epsg}", transform=transform, **profile) as sink:
            sink.write(array, 1)
        return rasterio.open(path), array

    return write


@pytest.mark.parametrize(("col", "row"), [(0, 0), (-2, -1), (2, 1), (3, -4), (-20, 0), (50, 50)])
def test_cells_are_cut_and_filled_up(raster, col: int, row: int) -> None:
    """The raster begins `col` cells east and `row` cells south of the grid."""
    dataset, array = raster(Affine(10, 0, 500_000 + 10 * col, 0, -10, 5_300_000 - 10 * row))
    with dataset:
        found = read_on(dataset, offset_on(GRID, dataset), Window(0, 0, 6, 5))[0]
    for y, x in np.ndindex(5, 6):
        inside = 0 <= y - row < 8 and 0 <= x - col < 9
        expected = array[y - row, x - col] if inside else np.nan
        np.testing.assert_equal(found[y, x], np.float32(expected))


def test_windows_with_a_margin_agree_with_the_whole(raster) -> None:
    dataset, _ = raster(Affine(10, 0, 500_020, 0, -10, 5_300_010))
    with dataset:
        offset = offset_on(GRID, dataset)
        whole = read_on(dataset, offset, Window(0, 0, 6, 5), margin=1)
        part = read_on(dataset, offset, Window(2, 1, 3, 2), margin=1)
    np.testing.assert_array_equal(part, whole[:, 1:5, 2:7])


@pytest.mark.parametrize(
    ("transform", "epsg"),
    [
        (Affine(10, 0, 500_005, 0, -10, 5_300_000), 32633),
        (Affine(10, 0, 500_000, 0, -10, 5_300_000.001), 32633),
        (Affine(10.0001, 0, 500_000, 0, -10.0001, 5_300_000), 32633),
        (Affine(20, 0, 500_000, 0, -20, 5_300_000), 32633),
        (Affine(10, 0.01, 500_000, 0, -10, 5_300_000), 32633),
        (Affine(10, 0, 500_000, 0, -10, 5_300_000), 32632),
    ],
    ids=["half a cell", "a millimetre", "size", "twice the size", "turned", "zone"],
)
def test_another_lattice_is_refused(raster, transform: Affine, epsg: int) -> None:
    dataset, _ = raster(transform, epsg=epsg)
    with dataset, pytest.raises(StepError) as raised:
        offset_on(GRID, dataset)
    assert raised.value.code == "grid_mismatch"
    assert "500000.0, 5300000.0" in raised.value.reason
