"""Small pictures of rasters: by hand, against points on a fine lattice, and what must not happen to nodata."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal.picture import block_mean, block_mode, blocks_of, covering
from tests.reference import picture_of

NODATA = -32768


def grid(resolution_m: float, width: int, height: int, west_m: float = 400_020, north_m: float = 5_600_040) -> Grid:
    return Grid(epsg=32633, resolution_m=resolution_m, west_m=west_m, north_m=north_m, width=width, height=height)


def test_mean_by_hand() -> None:
    """Three of four cells hold data: their mean. One of four: nodata. Two of four: still data."""
    source = np.array([[100, 200, NODATA, 40], [600, NODATA, NODATA, NODATA], [1, 2, 9, NODATA], [2, 4, NODATA, 9]])
    own, picture = grid(20, 4, 4, 400_040, 5_600_040), grid(40, 2, 2, 400_040, 5_600_040)
    means = block_mean(source.astype(np.int16), blocks_of(own, picture), NODATA)
    assert means.tolist() == [[300, NODATA], [2, 9]], "2.25 is rounded"


def test_mode_by_hand() -> None:
    source = np.array([[4, 4, 0, 9], [9, 9, 0, 0], [3, 3, 0, 8], [3, 4, 8, 9]], np.uint8)
    own, picture = grid(20, 4, 4, 400_040, 5_600_040), grid(40, 2, 2, 400_040, 5_600_040)
    assert block_mode(source, blocks_of(own, picture), 0).tolist() == [[4, 0], [3, 8]], "of equals the lowest"
    assert block_mode(np.zeros_like(source), blocks_of(own, picture), 0).tolist() == [[0, 0], [0, 0]]


@settings(max_examples=40, deadline=None)
@given(
    source_m=st.sampled_from([10, 20, 60]),
    picture_m=st.sampled_from([10, 20, 30, 60, 120, 240]),
    size=st.tuples(st.integers(2, 9), st.integers(2, 9)),
    offset=st.tuples(st.integers(-5, 5), st.integers(-5, 5)),
    seed=st.integers(0, 99),
)
def test_mean_equals_points_on_a_lattice(source_m, picture_m, size, offset, seed) -> None:
    rng = np.random.default_rng(seed)
    own = grid(source_m, *size, west_m=source_m * (6_000 + offset[0]), north_m=source_m * (90_000 + offset[1]))
    source = rng.integers(-500, 9000, own.shape).astype(np.int16)
    source[rng.random(own.shape) < 0.3] = NODATA
    picture = covering(own, picture_m)
    if source_m == 20 and picture_m == 30 and (own.west_m % 10 or own.north_m % 10):
        return
    found = block_mean(source, blocks_of(own, picture), NODATA)
    expected = picture_of(source, own, picture, NODATA)
    assert (np.isnan(expected) == (found == NODATA)).all()
    valid = found != NODATA
    assert np.abs(found - expected)[valid].max(initial=0) <= 0.5 + 1e-9


@settings(max_examples=30, deadline=None)
@given(value=st.integers(-1000, 30_000), hole=st.integers(0, 63), picture_m=st.sampled_from([10, 30, 60, 120]))
def test_a_flat_surface_stays_what_it_is_whatever_is_missing(value, hole, picture_m) -> None:
    own = grid(20, 8, 8, 400_080, 5_600_040)
    source = np.full(own.shape, value, np.int16)
    source.flat[hole] = NODATA
    found = block_mean(source, blocks_of(own, covering(own, picture_m)), NODATA)
    assert set(np.unique(found)) <= {value, NODATA}


def test_a_coarser_band_is_repeated() -> None:
    own = grid(60, 2, 1)
    found = block_mean(np.array([[7, 9]], np.int16), blocks_of(own, covering(own, 20)), NODATA)
    assert found.tolist() == [[7, 7, 7, 9, 9, 9]] * 3


def test_cells_without_a_common_lattice_are_refused() -> None:
    own = grid(20, 4, 4, 400_040, 5_600_040)
    with pytest.raises(StepError, match="47") as caught:
        blocks_of(own, covering(own, 47))
    assert caught.value.code == "grid_mismatch"
