"""Real annotations of Sentinel-1: calibration, noise, tie points, and the chain on an image that is filled here.

The measurement of the scene over Rome is blank upstream: its pixels are made here, level ground of known beta nought
under fully developed speckle and the product's own thermal noise, in the lines that the area needs.
"""

import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import sarsen
import xarray
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.windows import Window
from xarray_sentinel import esa_safe, open_sentinel1_dataset

from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.radar import RadarProduct, Speckle
from containers.sarsen.geometry import earth_centred, open_view, positions_of, zero_doppler
from containers.sarsen.image import calibrated
from containers.sarsen.lut import read_calibration, read_noise
from containers.sarsen.terrain import Ground, ground_of
from tests.containers.sarsen.small_passes import RadarStore, SmallPass

pytestmark = pytest.mark.real

ROME = "S1B_IW_GRDH_1SDV_20211223T051122_20211223T051147_030148_039993_5371"
BETA0 = 0.2
LINES = range(7700, 8800)
GRID = Grid.covering(Bounds(291_000, 4_649_500, 293_600, 4_652_000), epsg=32633, resolution_m=10)
"""East of Rome, a tenth of a degree around the DEM's middle."""


@pytest.fixture(scope="module")
def rome(sample_data: Path) -> Path:
    return sample_data / "sarsen-rome" / "tests" / "data"


@pytest.fixture(scope="module")
def pyrosar(sample_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = next((sample_data / "pyrosar" / "tests" / "data").glob("S1A_IW_GRDH*.zip"))
    folder = tmp_path_factory.mktemp("pyrosar")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder, [name for name in packed.namelist() if name.endswith((".xml", ".safe"))])
    return next(folder.glob("*.SAFE"))


def numbers_of(beta0: float, calibration: Any, noise: Any, window: Window, seed: int) -> NDArray[np.uint16]:
    """Digital numbers of uniform beta nought under 4.4 looks of speckle."""
    power = beta0 * calibration.at(window).astype(float) ** 2 + noise.at(window)
    power *= np.random.default_rng([seed, window.row_off]).gamma(4.4, 1 / 4.4, power.shape)
    return np.rint(np.sqrt(power)).astype(np.uint16)


@pytest.fixture(scope="module")
def filled(rome: Path, tmp_path_factory: pytest.TempPathFactory) -> SmallPass:
    """The scene over Rome with made pixels, in a store."""
    store = RadarStore(tmp_path_factory.mktemp("store"))
    source, folder = rome / f"{ROME}.SAFE", store.root / "archive" / "key" / "1" / f"{ROME}.SAFE"
    for path in source.rglob("*"):
        if path.is_file() and path.suffix != ".tiff":
            target = folder / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    calibration = read_calibration(next(source.rglob("calibration-*.xml")), "betaNought")
    noise = read_noise(next(source.rglob("noise-*.xml")))
    blank = next(source.rglob("*.tiff"))
    path = folder / blank.relative_to(source)
    path.parent.mkdir()
    profile = {"driver": "GTiff", "width": 26102, "height": 16705, "count": 1, "dtype": "uint16"}
    with rasterio.open(path, "w", compress="zstd", zstd_level=1, blockysize=1, **profile) as sink:
        for row in range(0, 16705, 512):
            window = Window(0, row, 26102, min(512, 16705 - row))
            if row + 512 > LINES.start and row < LINES.stop:
                sink.write(numbers_of(BETA0, calibration, noise, window, 1), 1, window=window)
            else:
                sink.write(np.full((int(window.height), 26102), 300, np.uint16), 1, window=window)
    product = RadarProduct(
        id=ROME, platform="S1B", polarisations=("vv",), start=datetime(2021, 12, 23, 5, 11, 22, tzinfo=UTC),
        stop=datetime(2021, 12, 23, 5, 11, 47, tzinfo=UTC), datatake="039993", absolute_orbit=30148,
        relative_orbit=22, direction="descending", footprint="POLYGON EMPTY",
    )  # fmt: skip
    dem = _dem(rome, store)
    return SmallPass(store, (product,), (store.safe(folder),), dem, GRID)


def _dem(rome: Path, store: RadarStore, level_m: float | None = None) -> Any:
    """The DEM of Rome above the ellipsoid (the geoid lies 48 m above it there), or a level surface in its place."""
    with rasterio.open(rome / "Rome-30m-DEM.tif") as source:
        heights = source.read(1).astype(float) + 48
        transform = source.transform
    if level_m is not None:
        heights = np.full(heights.shape, level_m)
    return store.raster(heights, transform, 4326, "rome" if level_m is None else "level")


@pytest.fixture
def scene(filled: SmallPass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallPass:
    monkeypatch.setenv("CLEARGROUND_STORE", str(filled.store.root))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return filled


@pytest.mark.parametrize("polarisation", ["vv", "vh"])
def test_beta_nought_is_dn_squared_over_a_squared(pyrosar: Path, polarisation: str) -> None:
    """The vectors as they stand in the file; between them the product's definition says bilinear."""
    path = next(pyrosar.rglob(f"calibration-*-{polarisation}-*.xml"))
    vectors = esa_safe.parse_tag_as_list(str(path), "//calibrationVector", "calibration")
    table = read_calibration(path, "betaNought")
    rng = np.random.default_rng(0)
    for vector in vectors[:: len(vectors) // 4]:
        pixels = np.array(vector["pixel"]["$"].split(), int)
        amplitude = np.array(vector["betaNought"]["$"].split(), float)
        window = Window(0, vector["line"], int(pixels[-1]) + 1, 1)
        numbers = rng.integers(1, 4000, (1, int(pixels[-1]) + 1)).astype(np.uint16)
        power, _ = calibrated(numbers, np.zeros(numbers.shape, np.float32), table.at(window), 0)
        np.testing.assert_allclose(power[0, pixels], numbers[0, pixels] ** 2.0 / amplitude**2, rtol=1e-6)


def test_sigma_and_gamma_of_the_ellipsoid_follow_from_beta(pyrosar: Path) -> None:
    """A check of what the tables mean: (A_beta / A_gamma)² is the tangent of the tie points' incidence."""
    path = next(pyrosar.rglob("calibration-*-vv-*.xml"))
    ties = open_sentinel1_dataset(str(pyrosar), group="IW/VV/gcp")
    beta, gamma = (read_calibration(path, level) for level in ("betaNought", "gamma"))
    for line, incidence in zip(ties.line.values[:-1:3], ties.incidenceAngle.values[:-1:3], strict=True):
        window = Window(0, int(line), int(ties.pixel.values[-1]) + 1, 1)
        ratio = (beta.at(window) / gamma.at(window))[0, ties.pixel.values] ** 2
        np.testing.assert_allclose(1 / ratio, np.tan(np.radians(incidence)) ** -1, rtol=0.03)


def test_noise_tables_of_three_processors(pyrosar: Path, rome: Path, sample_data: Path) -> None:
    """Noise equivalent sigma nought of the mission: −30 to −20 dB. Range vectors as they stand; azimuth about 1."""
    for folder in (pyrosar, rome / f"{ROME}.SAFE"):
        noise = read_noise(next(folder.rglob("noise-*-vv-*.xml")))
        calibration = read_calibration(next(folder.rglob("calibration-*-vv-*.xml")), "betaNought")
        window = Window(0, 5000, 25_000, 60)
        level = 10 * np.log10(noise.at(window) / calibration.at(window) ** 2 * np.sin(np.radians(38)))
        assert -32 < level.min() < level.max() < -19
        assert len(noise.in_azimuth) == 3
    fixtures = sample_data / "titiler-openeo-sar" / "tests" / "fixtures" / "sar"
    old = read_noise(fixtures / "noise_legacy.xml")
    assert old.in_azimuth == ()
    np.testing.assert_allclose(old.at(Window(0, 0, 1561, 1))[0, [0, 1560]], [1606.331, 1199.401], rtol=1e-6)
    assert old.at(Window(0, 4697, 9314, 1))[0, 9313] == pytest.approx(769.3961, rel=1e-6)


@pytest.mark.parametrize("name", ["rome", "pyrosar"])
def test_tie_points_give_back_their_time_and_range(name: str, request: pytest.FixtureRequest) -> None:
    """With their own heights: within a tenth of a pixel of azimuth time and slant range, measured a hundredth."""
    folder = request.getfixturevalue(name)
    folder = folder / f"{ROME}.SAFE" if name == "rome" else folder
    annotation = next((folder / "annotation").glob("*-grd-vv-*.xml"))
    if name == "pyrosar":
        _with_blank_measurement(folder, annotation)
    view = open_view(folder, "vv")
    ties = esa_safe.parse_tag_as_list(str(annotation), "//geolocationGridPoint")
    longitude, latitude, height, slant_s = (
        np.array([[tie[key] for tie in ties]]) for key in ("longitude", "latitude", "height", "slantRangeTime")
    )
    assert np.ptp(height) > 1000
    look = zero_doppler(view, earth_centred(Ground(longitude, latitude, height)))
    times = np.array([[np.datetime64(tie["azimuthTime"], "ns") for tie in ties]])
    rows = (look.time.values - (times - view.orbit.epoch) / np.timedelta64(10**9, "ns")) / view.line_s
    ranges = (look.slant_m - slant_s * 299_792_458 / 2) / view.pixel_m
    assert np.abs(rows).max() < 0.01
    assert np.abs(ranges).max() < 0.01


def _with_blank_measurement(folder: Path, annotation: Path) -> None:
    """A file of the right size, for the reader asks for its shape."""
    facts = esa_safe.parse_tag(str(annotation), "//imageInformation")
    path = folder / "measurement" / annotation.with_suffix(".tiff").name
    path.parent.mkdir(exist_ok=True)
    profile = {"driver": "GTiff", "count": 1, "dtype": "uint16", "sparse_ok": True}
    rasterio.open(path, "w", width=facts["numberOfSamples"], height=facts["numberOfLines"], **profile).close()


def test_level_ground_under_the_true_orbit(scene: SmallPass, rome: Path) -> None:
    """Gamma nought of level ground is beta nought times the tangent of the incidence."""
    result, layers = scene.run(polarisations=("vv",), dem=_dem(rome, scene.store, 60.0))
    level = layers["vv"] / np.tan(np.radians(layers["incidence"]))
    assert level.mean(dtype=float) == pytest.approx(BETA0, rel=0.01)
    assert 43.9 < layers["incidence"].min() < layers["incidence"].max() < 44.3
    assert result.valid_share == 1


def test_a_target_stands_where_sarsen_puts_it(scene: SmallPass, rome: Path) -> None:
    """Pixels of the image that hold their own row and column, sampled by us and geocoded by sarsen."""
    folder = scene.store.root / "archive" / "key" / "1" / f"{ROME}.SAFE"
    view = open_view(folder, "vv")
    with rasterio.open(scene.store.root / scene.dem.store_path) as dem:
        ground = ground_of(dem, GRID)
    row, col = positions_of(view, ground)
    product = sarsen.Sentinel1SarProduct(str(folder), measurement_group="IW/VV")
    to_ecef = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    places = np.stack(to_ecef.transform(ground.longitude, ground.latitude, ground.height_m))
    ecef = xarray.DataArray(
        places, dims=("axis", "y", "x"),
        coords={"axis": range(3), "y": range(GRID.height), "x": range(GRID.width)},
    )  # fmt: skip
    seen = sarsen.apps.simulate_acquisition(
        ecef, sarsen.orbit.OrbitPolyfitInterpolator.from_position(product.state_vectors())
    )
    ranges = product.slant_range_time_to_ground_range(seen.azimuth_time, seen.slant_range_time).values
    np.testing.assert_allclose(col, ranges / 10, atol=0.05)
    first = np.datetime64(product.measurement.attrs["product_first_line_utc_time"])
    lines = (seen.azimuth_time.values - first) / np.timedelta64(10**9, "ns") / view.line_s
    np.testing.assert_allclose(row, lines, atol=0.05)


@pytest.mark.slow
def test_flattening_agrees_with_plain_sarsen(scene: SmallPass, rome: Path, tmp_path: Path) -> None:
    """`terrain_correction` on the same DEM, no noise removed, no filter, one look: the same gamma nought on average.

    Its spacing along azimuth is the annotation's round 10 m, ours the true 10.11 m: a ratio of 1.011.
    """
    grid = GRID.clipped_to(Bounds(291_500, 4_650_000, 293_000, 4_651_500))
    _, layers = scene.run(
        polarisations=("vv",), speckle=Speckle(filter="none"), multilook=1, noise_removal=False, grid=grid
    )
    wide = grid.model_copy(update={"west_m": grid.west_m - 500, "north_m": grid.north_m + 500,
                                   "width": grid.width + 100, "height": grid.height + 100})  # fmt: skip
    with rasterio.open(scene.store.root / scene.dem.store_path) as dem:
        heights = ground_of(dem, wide).height_m
    path = tmp_path / "dem.tif"
    profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "crs": "EPSG:32633"}
    transform = rasterio.transform.from_origin(wide.west_m, wide.north_m, 10, 10)
    with rasterio.open(path, "w", width=wide.width, height=wide.height, transform=transform, **profile) as sink:
        sink.write(heights.astype(np.float32), 1)
    folder = scene.store.root / "archive" / "key" / "1" / f"{ROME}.SAFE"
    theirs = sarsen.terrain_correction(
        sarsen.Sentinel1SarProduct(str(folder), measurement_group="IW/VV"), str(path),
        output_urlpath=str(tmp_path / "rtc.tif"), correct_radiometry="gamma_nearest", interp_method="linear",
    ).values[::-1][50:-50, 50:-50]  # fmt: skip
    valid = np.isfinite(theirs) & (theirs > 0)
    assert valid.mean() > 0.99
    assert layers["vv"][valid].mean(dtype=float) / theirs[valid].mean(dtype=float) == pytest.approx(1.011, abs=0.02)
    blocks = [layer.reshape(10, 15, 10, 15).mean(axis=(1, 3)) for layer in (layers["vv"], theirs)]
    assert np.corrcoef(*(10 * np.log10(block).ravel() for block in blocks))[0, 1] > 0.8
