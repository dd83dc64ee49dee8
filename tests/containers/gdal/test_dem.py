"""Heights joined from tiles of a hand-made archive: copied where lattices agree, never nodata."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from containers.base import storage
from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal import dem
from containers.gdal.contract.dem import DemParams, DemResult
from tests.conftest import S3Server

STEP = 1 / 1200
"""Posts of some 90 m, and 60 to a tile: a twentieth of a degree."""
TILE = 60
LON, LAT = 12.0, 48.0
UNDULATION_M = 46.0


def grid_at(east_m: float = 0, width: int = 60) -> Grid:
    """Around 12.05° E, 48.0° N, where four tiles meet, or east of there."""
    return Grid(epsg=32633, resolution_m=20, west_m=279_600 + east_m, north_m=5_320_600, width=width, height=50)


def surface(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    return 500 + 2000 * (lon - LON) - 3000 * (lat - LAT)


class Tiles:
    """Tiles around 12.05° E, 48.0° N, west, east, north and south of it, of one surface."""

    def __init__(self, store: Any) -> None:
        self.store = store

    def path(self, col: int, row: int, *, folder: Path | None = None, values: Any = None, **options: Any) -> Path:
        west, north = LON + col * TILE * STEP, LAT + (1 - row) * TILE * STEP
        lon, lat = west + (np.arange(TILE) + 0.5) * STEP, north - (np.arange(TILE) + 0.5) * STEP
        values = surface(*np.meshgrid(lon, lat)) if values is None else np.full((TILE, TILE), values)
        path = (folder or self.store.folder("archive.dem")) / f"{col}_{row}.tif"
        profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "crs": "EPSG:4326", "width": TILE, "height": TILE}
        with rasterio.open(path, "w", transform=from_origin(west, north, STEP, STEP), **(profile | options)) as sink:
            sink.write(values.astype("float32"), 1)
        return path

    def file(self, *args: Any, **options: Any) -> File:
        return self.store.file(self.path(*args, **options))

    def all(self) -> tuple[File, ...]:
        return tuple(self.file(col, row) for col in (0, 1) for row in (0, 1))

    def geoid(self, undulation_m: float = UNDULATION_M, west: float = 0.0) -> File:
        path = self.store.folder("archive.geoid") / "geoid.tif"
        profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "crs": "EPSG:4326", "width": 30, "height": 80}
        with rasterio.open(path, "w", transform=from_origin(west, 80, 1, 1), **profile) as sink:
            sink.write(np.full((80, 30), undulation_m, "float32"), 1)
        return self.store.file(path)


@pytest.fixture
def tiles(raster_store: Any) -> Tiles:
    return Tiles(raster_store)


def run(tmp_path: Path, **options: Any) -> tuple[DemResult, dict[str, Any]]:
    facts: dict[str, Any] = {"grid": grid_at(), "margin_m": 500.0}
    result = dem.run(DemParams(**(facts | options)), tmp_path)
    layers = {}
    for name in ("dem", "slope", "aspect"):
        with rasterio.open(tmp_path / getattr(result, name).href) as dataset:
            layers[name], layers[f"{name}_profile"] = dataset.read(1), dataset.profile
    return result, layers


def refused(tmp_path: Path, code: str, **options: Any) -> str:
    with pytest.raises(StepError) as caught:
        run(tmp_path, **options)
    assert caught.value.code == code
    return str(caught.value)


def posts_of(profile: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    transform = profile["transform"]
    lon = transform.c + (np.arange(profile["width"]) + 0.5) * transform.a
    lat = transform.f + (np.arange(profile["height"]) + 0.5) * transform.e
    return np.meshgrid(lon, lat)


def test_four_tiles_are_one_surface_above_the_ellipsoid(tiles: Tiles, tmp_path: Path) -> None:
    result, layers = run(tmp_path, tiles=tiles.all(), geoid=tiles.geoid())
    lon, lat = posts_of(layers["dem_profile"])
    np.testing.assert_allclose(layers["dem"], surface(lon, lat) + UNDULATION_M, atol=1e-3)
    assert layers["dem_profile"]["crs"].to_epsg() == 4326
    assert layers["dem_profile"]["nodata"] is None
    assert result.warnings == ()


def test_posts_stay_on_the_tiles_lattice_and_reach_beyond_the_grid(tiles: Tiles, tmp_path: Path) -> None:
    _, layers = run(tmp_path, tiles=tiles.all(), geoid=tiles.geoid())
    transform = layers["dem_profile"]["transform"]
    assert ((transform.c - LON) / STEP) % 1 == pytest.approx(0, abs=1e-6) or ((transform.c - LON) / STEP) % 1 > 1 - 1e-6
    west, south, east, north = rasterio.warp.transform_bounds(32633, 4326, *grid_at().bounds)
    bounds = rasterio.transform.array_bounds(*layers["dem"].shape, transform)
    margin = 490 / 111_320
    assert bounds[0] < west - margin
    assert bounds[1] < south - margin
    assert bounds[2] > east + margin
    assert bounds[3] > north + margin


def test_slope_and_aspect_of_a_plane_in_degrees(tiles: Tiles, tmp_path: Path) -> None:
    """2000 m per degree of longitude and −3000 m per degree of latitude, told in metres on the ellipsoid."""
    _, layers = run(tmp_path, tiles=tiles.all(), geoid=tiles.geoid())
    from pyproj import Geod

    geod = Geod(ellps="WGS84")
    east = 2000 * 1e-3 / geod.inv(12.05, 48, 12.051, 48)[2]
    north = -3000 * 1e-3 / geod.inv(12.05, 48, 12.05, 48.001)[2]
    np.testing.assert_allclose(layers["slope"], np.degrees(np.arctan(np.hypot(east, north))), atol=0.01)
    # True north is turned against the grid's by the meridian convergence at 12.05° E in zone 33.
    convergence = np.degrees(np.arctan(np.tan(np.radians(12.05 - 15)) * np.sin(np.radians(48))))
    expected = np.degrees(np.arctan2(-east, -north)) - convergence
    np.testing.assert_allclose(layers["aspect"], expected % 360, atol=0.3)


def test_ellipsoidal_heights_stay_what_they_are(tiles: Tiles, tmp_path: Path) -> None:
    _, layers = run(tmp_path, tiles=tiles.all(), heights="ellipsoid")
    np.testing.assert_allclose(layers["dem"], surface(*posts_of(layers["dem_profile"])), atol=1e-3)


def test_where_there_is_no_tile_there_is_sea(tiles: Tiles, tmp_path: Path) -> None:
    result, layers = run(tmp_path, tiles=(tiles.file(0, 0), tiles.file(0, 1)), geoid=tiles.geoid())
    lon, lat = posts_of(layers["dem_profile"])
    land = lon < LON + TILE * STEP
    np.testing.assert_allclose(layers["dem"], np.where(land, surface(lon, lat), 0) + UNDULATION_M, atol=1e-3)
    (warning,) = result.warnings
    assert warning.code == "taken_for_sea"
    assert f"{1 - land.mean():.2%}" in warning.reason
    assert (layers["aspect"][:, -5:] == -1).all()


def test_nodata_in_a_tile_is_sea_too(tiles: Tiles, tmp_path: Path) -> None:
    hole = tiles.file(0, 0, values=-9999, nodata=-9999)
    result, layers = run(tmp_path, tiles=(hole, tiles.file(1, 0), tiles.file(0, 1)), geoid=tiles.geoid())
    lon, lat = posts_of(layers["dem_profile"])
    sea = (lon < LON + TILE * STEP) == (lat > LAT)
    np.testing.assert_allclose(layers["dem"][sea], UNDULATION_M)
    assert [warning.code for warning in result.warnings] == ["taken_for_sea"]


def test_blocks_do_not_matter(tiles: Tiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, whole = run(tmp_path, tiles=tiles.all(), geoid=tiles.geoid())
    monkeypatch.setattr(dem, "_BLOCK_ROWS", 7)
    _, parts = run(tmp_path, tiles=tiles.all(), geoid=tiles.geoid())
    for name in ("dem", "slope", "aspect"):
        np.testing.assert_array_equal(whole[name], parts[name])


def test_tiles_of_the_archive_are_read_by_window(tiles: Tiles, tmp_path: Path, s3_server: S3Server) -> None:
    files = []
    for col, row in ((0, 0), (0, 1), (1, 0), (1, 1)):
        body = tiles.path(col, row).read_bytes()
        storage.client().put_object(Bucket=s3_server.bucket, Key=f"dem/{col}_{row}.tif", Body=body)
        files.append(storage.stat(f"s3://{s3_server.bucket}/dem/{col}_{row}.tif"))
    _, layers = run(tmp_path, tiles=tuple(files), geoid=tiles.geoid())
    np.testing.assert_allclose(layers["dem"], surface(*posts_of(layers["dem_profile"])) + UNDULATION_M, atol=1e-3)
    ghost = files[0].model_copy(update={"size": 17})
    assert "17" in refused(tmp_path, "missing_file", tiles=(ghost,), geoid=tiles.geoid())
    gone = files[0].model_copy(update={"href": f"s3://{s3_server.bucket}/dem/none.tif"})
    refused(tmp_path, "missing_file", tiles=(gone,), geoid=tiles.geoid())


def test_refusals(tiles: Tiles, tmp_path: Path, raster_store: Any) -> None:
    assert "geoid" in refused(tmp_path, "bad_parameters", tiles=tiles.all())
    far = grid_at(east_m=60_000)
    assert str(round(far.west_m)) in refused(tmp_path, "missing_file", tiles=tiles.all(), geoid=tiles.geoid(), grid=far)
    assert "20.0" in refused(tmp_path, "missing_file", tiles=tiles.all(), geoid=tiles.geoid(west=20.0))
    refused(tmp_path, "corrupt_file", tiles=(tiles.file(0, 0, crs=None),), geoid=tiles.geoid())
    path = tiles.path(0, 0)
    path.write_bytes(path.read_bytes()[:3000])
    refused(tmp_path, "corrupt_file", tiles=(raster_store.file(path),), geoid=tiles.geoid())


def test_a_grid_across_the_antimeridian_is_refused(tiles: Tiles, tmp_path: Path) -> None:
    grid = Grid(epsg=32601, resolution_m=20, west_m=276_000, north_m=5_320_000, width=100, height=50)
    assert "antimeridian" in refused(tmp_path, "bad_aoi", tiles=tiles.all(), geoid=tiles.geoid(), grid=grid)
