"""Interpolated positions are the exact ones, to far less than a pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.transform import Affine

from containers.base.contract.grid import Grid
from containers.gdal.control_grid import MAX_ERROR_PX, Geometry, control_grid
from tests.reference import exact_source_positions


def utm(zone: int, size: int, resolution_m: float) -> Geometry:
    return Geometry(
        CRS.from_epsg(32600 + zone), Affine(resolution_m, 0, 399_960, 0, -resolution_m, 5_600_040), (size, size)
    )


def test_positions_in_the_same_crs_are_plain_arithmetic() -> None:
    grid = Grid(epsg=32633, resolution_m=20, west_m=400_000, north_m=5_600_000, width=5, height=3)
    rows, cols = control_grid(grid, utm(33, 100, 10.0)).at(0, 3, 5)
    assert np.allclose(rows[:, 0], [5, 7, 9])
    assert np.allclose(cols[0], [5, 7, 9, 11, 13])


@settings(max_examples=8, deadline=None)
@given(st.sampled_from([31, 32, 33, 34]), st.sampled_from([10.0, 20.0, 60.0]), st.integers(0, 500), st.integers(0, 500))
def test_interpolation_is_exact_to_the_bound(zone: int, resolution_m: float, row: int, col: int) -> None:
    grid = Grid(
        epsg=3035,
        resolution_m=20,
        west_m=4_000_000 + 2000 * col,
        north_m=3_500_000 - 2000 * row,
        width=200,
        height=130,
    )
    geometry = utm(zone, 5490, resolution_m)
    control = control_grid(grid, geometry)
    for approximate, exact in zip(
        control.at(0, *grid.shape), exact_source_positions(grid, geometry.crs, geometry.transform), strict=True
    ):
        assert np.abs(approximate - exact).max() <= MAX_ERROR_PX


def test_a_bent_projection_gets_a_finer_grid() -> None:
    """Near the pole a geographic CRS bends within a few cells: the step adapts until the bound holds."""
    grid = Grid(epsg=3413, resolution_m=1000, west_m=20_000, north_m=300_000, width=128, height=128)
    geometry = Geometry(CRS.from_epsg(4326), Affine(0.01, 0, -180, 0, -0.01, 90), (18_000, 36_000))
    control = control_grid(grid, geometry)
    assert control.step < 64
    for approximate, exact in zip(
        control.at(0, *grid.shape), exact_source_positions(grid, geometry.crs, geometry.transform), strict=True
    ):
        assert np.abs(approximate - exact).max() <= 2 * MAX_ERROR_PX


@pytest.mark.parametrize("first", [0, 63, 64, 100])
def test_row_blocks_join_without_a_seam(first: int) -> None:
    grid = Grid(epsg=3035, resolution_m=20, west_m=4_400_000, north_m=3_000_000, width=90, height=150)
    control = control_grid(grid, utm(33, 5490, 20.0))
    whole = control.at(0, *grid.shape)
    part = control.at(first, 20, grid.width)
    assert all(np.array_equal(a[first : first + 20], b) for a, b in zip(whole, part, strict=True))
