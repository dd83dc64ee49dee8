"""The analysis grid: snapped, covering, and the same whole or in part."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from containers.base.contract.grid import Bounds, Grid, spanning

coordinates = st.floats(-5e6, 5e6, allow_nan=False)
resolutions = st.sampled_from([1.0, 10.0, 20.0, 60.0, 0.5])
blocks = st.sampled_from([1, 16, 256])
extents = st.floats(1, 50_000)


@st.composite
def bounds(draw: st.DrawFn) -> Bounds:
    west, south = draw(coordinates), draw(coordinates)
    return Bounds(west, south, west + draw(extents), south + draw(extents))


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    resolution = draw(resolutions)
    return Grid(
        epsg=3035,
        resolution_m=resolution,
        west_m=draw(st.integers(-100_000, 100_000)) * resolution,
        north_m=draw(st.integers(-100_000, 100_000)) * resolution,
        width=draw(st.integers(1, 3_000)),
        height=draw(st.integers(1, 3_000)),
    )


@given(bounds(), resolutions, blocks)
def test_covering_grid_covers_and_is_smallest(area: Bounds, resolution_m: float, block_px: int) -> None:
    grid = Grid.covering(area, epsg=3035, resolution_m=resolution_m, block_px=block_px)
    step = resolution_m * block_px
    tolerance = 1e-6
    assert grid.bounds.west <= area.west + tolerance
    assert grid.bounds.south <= area.south + tolerance
    assert grid.bounds.east >= area.east - tolerance
    assert grid.bounds.north >= area.north - tolerance
    assert area.west - grid.bounds.west < step + tolerance
    assert grid.bounds.north - area.north < step + tolerance
    assert grid.width % block_px == grid.height % block_px == 0


@given(bounds(), bounds(), resolutions, blocks)
def test_grids_of_one_resolution_share_their_cells(
    first: Bounds, second: Bounds, resolution_m: float, block_px: int
) -> None:
    one, other = (
        Grid.covering(area, epsg=3035, resolution_m=resolution_m, block_px=block_px) for area in (first, second)
    )
    shift = (one.west_m - other.west_m) / (resolution_m * block_px)
    assert math.isclose(shift, round(shift), abs_tol=1e-6)


@st.composite
def grids_and_areas(draw: st.DrawFn) -> tuple[Grid, Bounds]:
    """A grid, and bounds that meet it: each side in shares of the grid's edge from its lower left corner."""
    grid = draw(grids())
    low, high = st.floats(-0.5, 0.9), st.floats(0.05, 0.6)
    west, south = draw(low), draw(low)
    east, north = max(west, 0) + draw(high), max(south, 0) + draw(high)
    width_m, height_m = grid.bounds.east - grid.bounds.west, grid.bounds.north - grid.bounds.south
    left, bottom = grid.bounds.west, grid.bounds.south
    return grid, Bounds(
        west=left + west * width_m,
        south=bottom + south * height_m,
        east=left + east * width_m,
        north=bottom + north * height_m,
    )


@given(grids_and_areas(), blocks)
def test_clipped_grid_lies_inside_and_covers_the_common_part(both: tuple[Grid, Bounds], block_px: int) -> None:
    grid, area = both
    part = grid.clipped_to(area, block_px)
    column, row = (part.west_m - grid.west_m) / grid.resolution_m, (grid.north_m - part.north_m) / grid.resolution_m
    assert column == pytest.approx(round(column), abs=1e-6)
    assert round(column) % block_px == round(row) % block_px == 0
    assert 0 <= round(column) <= round(column) + part.width <= grid.width
    assert 0 <= round(row) <= round(row) + part.height <= grid.height
    assert part.bounds.west <= max(area.west, grid.bounds.west) + 1e-6
    assert part.bounds.north >= min(area.north, grid.bounds.north) - 1e-6
    assert part.bounds.east >= min(area.east, grid.bounds.east) - 1e-6
    assert part.bounds.south <= max(area.south, grid.bounds.south) + 1e-6


@given(grids())
def test_clipping_to_itself_changes_nothing(grid: Grid) -> None:
    assert grid.clipped_to(grid.bounds) == grid


@given(grids())
def test_survives_json(grid: Grid) -> None:
    assert Grid.model_validate_json(grid.model_dump_json()) == grid


def test_by_hand() -> None:
    grid = Grid.covering(Bounds(105, 205, 131, 239), epsg=3035, resolution_m=10, block_px=2)
    assert (grid.west_m, grid.north_m, grid.width, grid.height) == (100, 240, 4, 4)
    assert grid.bounds == Bounds(100, 200, 140, 240)
    assert grid.shape == (4, 4)
    assert grid.cell_area_ha == 0.01


def test_windows_span_their_common_extent() -> None:
    grid = Grid(epsg=3035, resolution_m=10, west_m=0, north_m=100, width=10, height=10)
    west, south = grid.clipped_to(Bounds(0, 60, 30, 100)), grid.clipped_to(Bounds(50, 0, 70, 20))
    assert spanning([west, south]) == grid.clipped_to(Bounds(0, 0, 70, 100))
    with pytest.raises(ValueError, match="differ"):
        spanning([west, south.model_copy(update={"epsg": 32633})])


def test_origin_off_the_lattice_is_refused() -> None:
    with pytest.raises(ValidationError, match="not a multiple"):
        Grid(epsg=3035, resolution_m=20, west_m=10, north_m=0, width=1, height=1)


def test_no_area_and_no_common_part() -> None:
    with pytest.raises(ValueError, match="no area"):
        Grid.covering(Bounds(0, 0, 0, 0), epsg=3035, resolution_m=10)
    grid = Grid.covering(Bounds(0, 0, 10, 10), epsg=3035, resolution_m=10)
    with pytest.raises(ValueError, match="do not meet"):
        grid.clipped_to(Bounds(10, 0, 20, 10))


@pytest.mark.parametrize("field", ["resolution_m", "width", "height", "epsg"])
def test_nothing_is_zero(field: str) -> None:
    values = {"epsg": 3035, "resolution_m": 10, "west_m": 0, "north_m": 0, "width": 1, "height": 1}
    with pytest.raises(ValidationError, match=field):
        Grid.model_validate(values | {field: 0})
