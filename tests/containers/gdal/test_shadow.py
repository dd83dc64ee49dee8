"""Where the sun casts the shadow of a cloud, by hand, and which height is found."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from containers.base.contract.grid import Grid
from containers.base.sun import sun_at
from containers.gdal.darkness import darker_than, surroundings
from containers.gdal.shadow import Ground, Shift, cast_shadows, shadow_shift

NODATA = -32768
GRID = Grid(epsg=32633, resolution_m=60, west_m=300_000, north_m=5_600_040, width=400, height=300)
MORNING = datetime(2020, 3, 17, 10, 10, tzinfo=UTC)
SHIFT = Shift(rows=-0.008, cols=-0.006)
"""Ten cells per kilometre, to the north-west."""


def disk(row: int, col: int, radius: float, shape: tuple[int, int] = (120, 120)) -> np.ndarray:
    rows, cols = np.indices(shape)
    return (rows - row) ** 2 + (cols - col) ** 2 <= radius**2


def ground(dark, cloud, very_dark=None, nodata=None) -> Ground:
    hidden = cloud if nodata is None else cloud | nodata
    none = np.zeros_like(dark)
    return Ground(dark & ~hidden, none if very_dark is None else very_dark & ~hidden, hidden)


@pytest.mark.parametrize("epsg", [32633, 32733])
def test_direction_against_a_geodesic(epsg) -> None:
    """A shadow of 5 km height, laid off on the ellipsoid by the sun's true azimuth, ends in the cell foretold."""
    grid = GRID.model_copy(update={"epsg": epsg})
    shift = shadow_shift(grid, MORNING)
    x, y = grid.west_m + 200 * 60, grid.north_m - 150 * 60
    lon, lat = Transformer.from_crs(epsg, 4326, always_xy=True).transform(x, y)
    sun = sun_at(MORNING, lon, lat)
    assert sun.zenith_deg < 85
    length_m = 5_000 * math.tan(math.radians(sun.zenith_deg))
    end_lon, end_lat, _ = Geod(ellps="WGS84").fwd(lon, lat, sun.azimuth_deg + 180, length_m)
    end_x, end_y = Transformer.from_crs(4326, epsg, always_xy=True).transform(end_lon, end_lat)
    assert shift.cols * 5_000 == pytest.approx((end_x - x) / 60, abs=0.5)
    assert shift.rows * 5_000 == pytest.approx((y - end_y) / 60, abs=0.5)


@pytest.mark.parametrize("height_m", [400, 1_500, 4_000])
def test_the_shadow_is_found_at_its_height_and_other_dark_places_are_not(height_m) -> None:
    cloud = disk(80, 80, 6)
    shadow = disk(80 + round(SHIFT.rows * height_m), 80 + round(SHIFT.cols * height_m), 6)
    lake = disk(90, 20, 9)
    found = cast_shadows(cloud, ground(shadow | lake, cloud), SHIFT)
    assert (found == (shadow & ~cloud)).mean() > 0.999
    assert not (found & lake).any()


def test_two_decks_of_one_object() -> None:
    """Clouds of 1 and 3 km that touch in the picture: both shadows are found."""
    low, high = disk(90, 80, 6), disk(90, 92, 6)
    shadows = disk(82, 74, 6) | disk(66, 74, 6)
    found = cast_shadows(low | high, ground(shadows, low | high), SHIFT)
    assert found[shadows & ~(low | high)].mean() > 0.9


def test_a_cloud_without_a_visible_shadow_takes_the_height_of_the_others() -> None:
    """Its own shadow is only in part dark enough; the other cloud says at which height to look."""
    clear_case, faint_case = disk(40, 40, 6), disk(90, 90, 6)
    shadow, faint = disk(24, 28, 6), disk(74, 78, 6) & disk(74, 78, 3)
    cloud = clear_case | faint_case
    found = cast_shadows(cloud, ground(shadow | faint, cloud), SHIFT)
    assert found[shadow].mean() > 0.95
    assert found[faint].mean() > 0.8, "but for its four tips, which are one cell wide"


def test_no_cloud_no_shadow_and_nothing_bright() -> None:
    dark = disk(50, 50, 20)
    none = np.zeros_like(dark)
    assert not cast_shadows(none, ground(dark, none, dark), SHIFT).any()
    cloud = disk(80, 80, 6)
    assert not cast_shadows(cloud, ground(none, cloud), SHIFT).any()


def test_beyond_the_picture_very_dark_cells_count_at_the_scenes_height() -> None:
    """Towards the sun, 16 rows deep at 2 km, clouds would lie outside; farther in they would be seen."""
    cloud, shadow = disk(60, 60, 6), disk(44, 48, 6)
    at_edge, inside = disk(110, 60, 5), disk(90, 20, 5)
    found = cast_shadows(cloud, ground(shadow | at_edge | inside, cloud, at_edge | inside), SHIFT)
    assert found[at_edge].all()
    assert not found[inside].any()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 9999))
def test_shadow_is_dark_and_neither_cloud_nor_nodata(seed) -> None:
    rng = np.random.default_rng(seed)
    cloud, dark, nodata = (rng.random((40, 40)) < share for share in (0.1, 0.3, 0.1))
    seen = ground(dark, cloud, dark & (rng.random((40, 40)) < 0.5), nodata)
    found = cast_shadows(cloud, seen, SHIFT)
    assert not (found & (~dark | cloud | nodata)).any()


def test_darkness_by_hand() -> None:
    """Less than half in both bands, strictly; unknown ground or no data is not dark."""
    now = {"nir": np.array([[99, 100, 99, 99, NODATA]], np.int16), "swir16": np.array([[49, 49, 50, 49, 49]], np.int16)}
    expected = {"nir": np.array([[200, 200, 200, NODATA, 200]], np.int16), "swir16": np.full((1, 5), 100, np.int16)}
    assert darker_than(now, expected, 0.5).tolist() == [[True, False, False, False, False]]


def test_surroundings_are_the_bright_quarter_of_clear_cells_nearby() -> None:
    values = np.full((100, 150), 1000, np.int16)
    values[:, 100:] = 3000
    values[:, 30:40] = 200
    clear = np.ones(values.shape, bool)
    values[:20], clear[:20] = 9000, False
    around = surroundings(values, clear, 60.0)
    assert (around[:, :20] == 1000).all(), "neither the shaded strip nor the cloud counts"
    assert (around[:, -20:] == 3000).all()
    assert (surroundings(values, clear & False, 60.0) == NODATA).all()
