"""Where ground lies in the image: tie points of simulated annotation, xarray-sentinel's conversion, heights by hand."""

import numpy as np
import pytest
import rasterio
import xarray
from rasterio.transform import from_origin
from xarray_sentinel import open_sentinel1_dataset, slant_range_time_to_ground_range

from containers.base.contract.grid import Grid
from containers.sarsen.geometry import LIGHT_M_S, View, ground_range_m, open_view, positions_of
from containers.sarsen.safe import lay_out
from containers.sarsen.terrain import Ground, centres, ground_of
from tests.containers.sarsen.small_passes import RadarStore, SmallPass

GRID = Grid(epsg=32633, resolution_m=10, west_m=500_000, north_m=5_400_000, width=8, height=6)


@pytest.fixture
def view(hilly: SmallPass) -> View:
    return open_view(lay_out(hilly.folders[0]), "vv")


def test_tie_points_lie_at_their_pixels(view: View, hilly: SmallPass) -> None:
    ties = open_sentinel1_dataset(str(lay_out(hilly.folders[0])), group="IW/VV/gcp")
    row, col = positions_of(view, Ground(ties.longitude.values, ties.latitude.values, ties.height.values))
    np.testing.assert_allclose(row, np.broadcast_to(ties.line.values[:, np.newaxis], row.shape), atol=0.1)
    np.testing.assert_allclose(col, np.broadcast_to(ties.pixel.values, col.shape), atol=0.1)


def test_ground_range_is_that_of_xarray_sentinel(view: View, hilly: SmallPass) -> None:
    conversion = open_sentinel1_dataset(str(lay_out(hilly.folders[0])), group="IW/VV/coordinate_conversion")
    time_s = np.linspace(view.conversion_s[0], view.conversion_s[-1], 7)
    slant_m = float(view.slant_origin_m[0]) + np.linspace(0, 4_000, 7)
    times = view.orbit.epoch + (time_s * 1e9).astype("timedelta64[ns]")
    theirs = slant_range_time_to_ground_range(
        xarray.DataArray(times, dims="n"), xarray.DataArray(2 * slant_m / LIGHT_M_S, dims="n"), conversion
    )
    np.testing.assert_allclose(ground_range_m(view, time_s, slant_m)[1:-1], theirs.values[1:-1], atol=1e-3)


def test_heights_between_posts(tmp_path, radar_store: RadarStore) -> None:
    """A surface that is linear in degrees comes back exactly; outside there is nothing."""
    lon, lat = centres(GRID)
    step, west, north = 1e-4, lon.min() - 2e-4, lat.max() + 2e-4
    posts = np.arange(30) + 0.5
    values = 100 + 1e5 * (west + posts[np.newaxis] * step - 15) - 2e5 * (north - posts[:, np.newaxis] * step - 48.75)
    file = radar_store.raster(values, from_origin(west, north, step, step), 4326, "linear")
    with rasterio.open(radar_store.root / file.store_path) as dem:
        ground = ground_of(dem, GRID)
        np.testing.assert_allclose(ground.height_m, 100 + 1e5 * (lon - 15) - 2e5 * (lat - 48.75), atol=0.01)
        part = ground_of(dem, GRID.model_copy(update={"width": 3, "height": 2}))
        np.testing.assert_array_equal(part.height_m, ground.height_m[:2, :3])
        assert np.isnan(ground_of(dem, GRID.model_copy(update={"west_m": 600_000})).height_m).all()
