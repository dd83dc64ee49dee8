"""The DEM for SNAP, the area that gpt works on, and grids that cannot be."""

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.warp import transform_geom

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.snap.backscatter_graph import DEM_NODATA
from containers.snap.terrain import prepared_dem, region_around, require_overlap, require_zone
from tests.containers.snap.conftest import GRID


def test_the_dem_keeps_its_heights_and_loses_its_compression(snap_store, tmp_path) -> None:
    heights = np.random.default_rng(1).uniform(200, 900, (90, 120)).astype(np.float32)
    heights[0, 0], heights[3, 4], heights[5, 6] = np.nan, 150, 1000
    relief_m = prepared_dem(snap_store.dem(heights), GRID, tmp_path / "dem.tif")
    assert relief_m == pytest.approx(850)
    with rasterio.open(tmp_path / "dem.tif") as dem:
        assert dem.compression is None
        assert (dem.crs.to_epsg(), dem.bounds.left, dem.bounds.top) == (4326, pytest.approx(14.9), pytest.approx(47.9))
        found = dem.read(1)
    np.testing.assert_array_equal(found, np.where(np.isnan(heights), DEM_NODATA, heights))


@pytest.mark.parametrize(
    "facts", [{"bounds": (15.01, 47.7, 15.2, 47.9)}, {"bounds": (14.9, 47.7, 15.2, 47.84)}, {"epsg": 4258}]
)
def test_a_dem_that_does_not_fit_is_refused(snap_store, tmp_path, facts) -> None:
    with pytest.raises(StepError) as raised:
        prepared_dem(snap_store.dem(**facts), GRID, tmp_path / "dem.tif")
    assert raised.value.code == "bad_grid"
    assert "EPSG:4326" in raised.value.reason


@pytest.mark.parametrize("relief_m", [0.0, 500.0, 3000.0])
def test_the_region_holds_the_grid_and_what_relief_shifts(relief_m: float) -> None:
    region = shapely.from_wkt(region_around(GRID, relief_m))
    back = shapely.geometry.shape(transform_geom("EPSG:4326", "EPSG:32633", shapely.geometry.mapping(region)))
    strip_m = 1000 + 2 * relief_m
    west, south, east, north = GRID.bounds
    expected = shapely.box(west - strip_m, south - strip_m, east + strip_m, north + strip_m)
    assert back.hausdorff_distance(expected) < 1.0


def test_zones() -> None:
    require_zone(GRID)
    for grid, words in (
        (Grid(epsg=3035, resolution_m=10, west_m=0, north_m=0, width=5, height=5), "no UTM zone"),
        (GRID.model_copy(update={"west_m": -200_000.0}), "has its middle at 15°"),
        (Grid(epsg=4326, resolution_m=1, west_m=15, north_m=48, width=1, height=1), "no UTM zone"),
    ):
        with pytest.raises(StepError) as raised:
            require_zone(grid)
        assert raised.value.code == "bad_grid"
        assert words in raised.value.reason


def test_footprints(radar_slice) -> None:
    away = radar_slice("away", footprint="POLYGON((20 47,21 47,21 49,20 49,20 47))")
    require_overlap(GRID, (away, radar_slice()))
    with pytest.raises(StepError) as raised:
        require_overlap(GRID, (away,))
    assert raised.value.code == "bad_aoi"
    assert "away" in raised.value.reason
