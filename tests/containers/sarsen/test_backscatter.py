"""The whole step on simulated products whose gamma nought is known, and everything that it must refuse."""

import numpy as np
import pytest
from numpy.typing import NDArray
from rasterio.transform import from_origin

from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.radar import Speckle
from containers.sarsen import image
from tests.containers.sarsen.small_passes import (
    GAMMA0,
    GROUND,
    RadarStore,
    SmallPass,
    cells,
    dem_bounds,
    ground_place,
    hills,
    inner_grid,
    plain,
    small_pass,
)

NO_FILTER = Speckle(filter="none")


def block_db(layer: NDArray[np.float32], truth: float, size: int = 10) -> NDArray[np.float64]:
    """Means of blocks against truth in dB: most of the speckle is gone."""
    height, width = (edge // size * size for edge in layer.shape)
    blocks = layer[:height, :width].reshape(height // size, size, width // size, size)
    means: NDArray[np.float64] = 10 * np.log10(blocks.astype(float).mean(axis=(1, 3)) / truth)
    return means


def test_level_ground_gives_its_gamma_nought(level: SmallPass) -> None:
    result, layers = level.run()
    for band, truth in GAMMA0.items():
        assert layers[band].min() > 0
        assert layers[band].mean(dtype=float) == pytest.approx(truth, rel=0.01)
    assert layers["incidence"].mean() == pytest.approx(39.27, abs=0.1)
    assert np.ptp(layers["incidence"]) < 0.3
    assert (result.engine, result.engine_version, result.valid_share) == ("sarsen", "0.9.6", 1.0)
    assert (result.acquired, result.simulated) == (level.slices[0].start, True)


def test_thermal_noise_is_what_is_removed(level: SmallPass) -> None:
    """Noise equivalent to about −26 dB of sigma nought lies under −17 dB of gamma nought."""
    kept = level.run(noise_removal=False, polarisations=("vh",))[1]["vh"].mean(dtype=float)
    assert 1.12 < kept / GAMMA0["vh"] < 1.35


@pytest.mark.parametrize("speckle", [Speckle(filter="refined_lee"), NO_FILTER], ids=["refined_lee", "none"])
def test_the_filter_does_not_move_the_mean(level: SmallPass, speckle: Speckle) -> None:
    layers = level.run(speckle=speckle, polarisations=("vv",))[1]
    assert layers["vv"].mean(dtype=float) == pytest.approx(GAMMA0["vv"], rel=0.01)


def test_slopes_are_flattened(hilly: SmallPass, radar_store: RadarStore) -> None:
    """Facing slopes have up to 4 dB more without flattening, as a level DEM shows; with it, speckle is left."""
    _, layers = hilly.run(polarisations=("vv",))
    sloping = np.abs(layers["incidence"][5:-5:10, 5:-5:10] - 39.27) > 8
    with_relief = block_db(layers["vv"], GAMMA0["vv"])
    blind = hilly.run(polarisations=("vv",), dem=radar_store.dem(plain, dem_bounds(), name="blind"))[1]["vv"]
    without = block_db(blind, GAMMA0["vv"])
    assert sloping.mean() > 0.1
    assert np.sqrt((with_relief[sloping] ** 2).mean()) < 0.4
    assert np.abs(with_relief[sloping].mean()) < 0.1
    assert np.sqrt((without[sloping] ** 2).mean()) > 1.5
    assert without.max() > 3


def test_incidence_follows_the_slopes(hilly: SmallPass) -> None:
    """A descending pass looks west: slopes to the east face it. By hand: the angle between normal and line of sight."""
    _, layers = hilly.run(polarisations=("vv",))
    east, south = ground_place(hilly.grid)
    step = 1.0
    slope_e = (hills(east + step, south) - hills(east - step, south)) / 2
    slope_s = (hills(east, south + step) - hills(east, south - step)) / 2
    level = layers["incidence"][0, -1]
    # Line of sight at the ground, toward the satellite: its azimuth is found from the slopes' own pattern.
    normal = np.stack([-slope_e, slope_s, np.ones_like(slope_e)]) / np.sqrt(1 + slope_e**2 + slope_s**2)
    angles = np.radians(np.arange(60, 140, 0.5))
    sight = np.stack(
        [np.sin(np.radians(level)) * np.sin(angles), np.sin(np.radians(level)) * np.cos(angles),
         np.full_like(angles, np.cos(np.radians(level)))]
    )  # fmt: skip
    expected = np.degrees(np.arccos(np.einsum("kyx,ka->ayx", normal, sight)))
    errors = np.abs(expected - layers["incidence"]).mean(axis=(1, 2))
    assert errors.min() < 0.3
    assert 90 < np.degrees(angles[errors.argmin()]) < 115


def test_border_noise_is_gone(level: SmallPass) -> None:
    """The grid reaches beyond the swath on all sides: fringes of 0 and garbage lie in it."""
    _, layers = level.run(grid=inner_grid(5400, 5200), speckle=NO_FILTER, multilook=1)
    seen = ~np.isnan(layers["vv"])
    assert 0.4 < seen.mean() < 0.95
    assert not seen[[0, 0, -1, -1], [0, -1, 0, -1]].any()
    for band, truth in GAMMA0.items():
        edge = block_db(np.where(seen, layers[band], np.nan), truth, 5)
        assert np.nanmin(edge) > -4
    cut = level.run(grid=inner_grid(5400, 5200), border_px=40)[1]["vv"]
    removed = seen & np.isnan(cut)
    assert 0.1 < removed.mean() < 0.3


def test_slices_join_without_a_seam(radar_store: RadarStore, hilly: SmallPass) -> None:
    """The same image in one piece and in two: equal but where filters meet the cut, and nowhere a gap."""
    halves = small_pass(radar_store, hills, slices=2)
    assert len(halves.slices) == 2
    result, layers = halves.run()
    whole = hilly.run()[1]
    assert result.valid_share == 1
    for band, truth in GAMMA0.items():
        differs = np.abs(layers[band] / whole[band] - 1) > 0.02
        assert differs.mean() < 0.12
        assert differs.any()
        assert layers[band][differs].mean() / truth == pytest.approx(1, abs=0.03)
        assert np.abs(10 * np.log10(layers[band] / whole[band])).max() < 6


def test_only_the_slices_that_meet_are_used(radar_store: RadarStore, hilly: SmallPass) -> None:
    halves = small_pass(radar_store, hills, slices=2)
    north = inner_grid(2200, 2000).model_copy(update={"height": 60})
    assert halves.run(grid=north)[0].valid_share == 1
    assert halves.run(grid=north, slices=halves.slices[:1], folders=halves.folders[:1])[0].valid_share == 1


def test_blocks_and_strips_do_not_matter(hilly: SmallPass, monkeypatch: pytest.MonkeyPatch) -> None:
    _, whole = hilly.run(chunk_px=512)
    monkeypatch.setattr(image, "STRIP_PIXELS", 20_000)
    _, parts = hilly.run(chunk_px=128)
    for name, layer in whole.items():
        np.testing.assert_allclose(parts[name], layer, rtol=1e-4)


def test_same_input_same_bytes(level: SmallPass) -> None:
    first, second = (level.run(polarisations=("vv",))[0] for _ in range(2))
    assert first == second


@pytest.mark.parametrize("heights", [plain, hills])
def test_a_bright_target_stands_where_it_is(heights, radar_store: RadarStore) -> None:
    """A cell like a corner reflector, on the plain and on the hill's top."""
    gamma0 = cells({"vv": GAMMA0["vv"]})
    gamma0["vv"][130, 215] = 2000
    layers = small_pass(radar_store, heights, gamma0).run(multilook=1, speckle=NO_FILTER, polarisations=("vv",))[1]
    east, south = ground_place(inner_grid())
    row, col = np.unravel_index(layers["vv"].argmax(), layers["vv"].shape)
    assert abs(east[row, col] - 2155) <= 10
    assert abs(south[row, col] - 1305) <= 10


def test_steps_of_cover_stay_steps(radar_store: RadarStore) -> None:
    """A field 6 dB brighter: its mean stays, and the edge is as sharp as two multilooked pixels."""
    gamma0 = cells({"vv": 0.05})
    gamma0["vv"][:, 150:] = 0.2
    layers = small_pass(radar_store, plain, gamma0).run(polarisations=("vv",))[1]
    east, _ = ground_place(inner_grid())
    assert layers["vv"][east < 1440].mean() == pytest.approx(0.05, rel=0.02)
    assert layers["vv"][east > 1560].mean() == pytest.approx(0.2, rel=0.02)


def test_calm_water_is_filled_from_around_and_said(radar_store: RadarStore) -> None:
    """Nothing but noise comes back: half of what is left after subtraction is below 0."""
    gamma0 = cells(GAMMA0)
    gamma0["vh"][100:180, 100:180] = 0
    result, layers = small_pass(radar_store, plain, gamma0).run(polarisations=("vh",))
    assert layers["vh"].min() > 0
    assert [warning.code for warning in result.warnings] == ["filled_from_neighbours"]
    east, south = ground_place(inner_grid())
    water = (np.abs(east - 1400) < 300) & (np.abs(south - 1400) < 300)
    assert layers["vh"][water].mean() < 0.002


# What is refused.


def test_zero_filled_measurement(radar_store: RadarStore) -> None:
    assert "zeros only" in small_pass(radar_store, damage="zero_filled").refused("corrupt_file")


@pytest.mark.parametrize(
    "part",
    [
        "annotation/s1b-iw-grd-vv",
        "calibration-s1b-iw-grd-vv",
        "noise-s1b-iw-grd-vv",
        "measurement/s1b-iw-grd-vv",
        "manifest",
    ],
)
def test_missing_files(level: SmallPass, part: str) -> None:
    assert "no " in level.refused("missing_file", folders=level.with_files(**{part: None}), polarisations=("vv",))


def test_truncated_measurement(level: SmallPass, radar_store: RadarStore) -> None:
    whole = level.path("measurement/s1b-iw-grd-vv")
    for share in (0.02, 0.7):
        path = whole.with_name("short.tiff")
        path.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)])
        level.refused(
            "corrupt_file",
            folders=level.with_files(**{"measurement/s1b-iw-grd-vv": radar_store.file(path)}),
            polarisations=("vv",),
        )


@pytest.mark.parametrize("part", ["annotation/s1b-iw-grd-vv", "calibration-s1b-iw-grd-vv", "noise-s1b-iw-grd-vv"])
def test_broken_metadata(level: SmallPass, radar_store: RadarStore, part: str) -> None:
    whole = level.path(part)
    path = whole.with_name(f"short-{whole.name}")
    path.write_bytes(whole.read_bytes()[:2000])
    folders = level.with_files(**{part: radar_store.file(path)})
    level.refused("corrupt_file", folders=folders, polarisations=("vv",))


def test_measurement_of_another_size(level: SmallPass, radar_store: RadarStore, hilly: SmallPass) -> None:
    path = level.path("measurement/s1b-iw-grd-vv").with_name("other.tiff")
    import rasterio

    with rasterio.open(path, "w", driver="GTiff", width=50, height=40, count=1, dtype="uint16") as sink:
        sink.write(np.ones((40, 50), "uint16"), 1)
    folders = level.with_files(**{"measurement/s1b-iw-grd-vv": radar_store.file(path)})
    assert "50" in level.refused("corrupt_file", folders=folders, polarisations=("vv",))


def test_grids(level: SmallPass) -> None:
    far = level.grid.model_copy(update={"west_m": level.grid.west_m + 40_000})
    reason = level.refused("bad_aoi", grid=far)
    assert "12.5" in reason
    assert "EPSG:3035" in level.refused("bad_grid", grid=GROUND)
    far_zone = level.grid.model_copy(update={"epsg": 32639, "west_m": -200_000})
    assert "51°" in level.refused("bad_grid", grid=far_zone)
    southern = Grid(epsg=32733, resolution_m=10, west_m=500_000, north_m=8_000_000, width=100, height=100)
    level.refused("bad_aoi", grid=southern)


def test_dems(level: SmallPass, radar_store: RadarStore) -> None:
    west, south, east, north = dem_bounds()
    half = radar_store.dem(plain, Bounds(west, south, (west + east) / 2, north), name="half")
    assert "covers" in level.refused("missing_file", dem=half)
    empty = radar_store.dem(lambda east, south: np.full(east.shape, np.nan), dem_bounds(), name="empty")
    assert "no height" in level.refused("missing_file", dem=empty)
    metric = radar_store.raster(np.zeros((9, 9)), from_origin(500_000, 5_400_000, 900, 900), 32633, "metric")
    assert "32633" in level.refused("bad_parameters", dem=metric)


def test_nothing_left(level: SmallPass) -> None:
    level.refused("no_valid_pixels", border_px=2000)
