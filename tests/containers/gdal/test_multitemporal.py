"""Bright and brighter than other dates: a small scene of which everything is known."""

import numpy as np
import pytest

from containers.base.contract.grid import Grid
from containers.base.raster import write_cog
from containers.gdal import multitemporal
from containers.gdal.background import background_of
from containers.gdal.contract.mask import Multitemporal
from containers.gdal.contract.observe import Image
from containers.gdal.features import Picture
from containers.gdal.multitemporal import UNKNOWN, brightened, cloudy_cells, is_cloud

NODATA = -32768
BANDS = ("blue", "green", "red", "nir", "swir16")
FINE = Grid(epsg=32633, resolution_m=60, west_m=400_080, north_m=5_600_160, width=96, height=300)
COARSE = Grid(epsg=32633, resolution_m=240, west_m=400_080, north_m=5_600_160, width=24, height=75)
GROUND = {"blue": 500, "green": 700, "red": 600, "nir": 2800, "swir16": 1900}
CLOUD = (slice(30, 60), slice(20, 50))
ROOF = (slice(80, 90), slice(60, 70))
"""Bright on every date."""
PLOUGHED = (slice(150, 180), slice(10, 60))
"""Brighter than before, but not bright."""


@pytest.fixture
def make_image(raster_store):
    def make(grid: Grid, bands: dict[str, np.ndarray]) -> Image:
        path = raster_store.folder("gdal.observe") / "picture.tif"
        write_cog(path, np.stack([bands[band] for band in BANDS]), grid, nodata=NODATA, bands=BANDS)
        return Image(file=raster_store.file(path), grid=grid)

    return make


def ground(grid: Grid, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    bands = {name: rng.normal(level, 25, grid.shape) for name, level in GROUND.items()}
    factor = int(grid.resolution_m // 60)
    for name in bands:
        bands[name][tuple(slice(part.start // factor, part.stop // factor) for part in ROOF)] = 4000
    return {name: band.astype(np.int16) for name, band in bands.items()}


@pytest.fixture
def background(make_image):
    return background_of([make_image(COARSE, ground(COARSE, seed)) for seed in range(1, 9)], BANDS, 0.5)


@pytest.fixture
def cloudy_scene(make_image) -> Picture:
    bands = ground(FINE, 0)
    for name in BANDS:
        bands[name][CLOUD] = 5000
    for name in ("red", "green", "blue"):
        bands[name][PLOUGHED] += 600
    bands["red"][:5] = NODATA
    return Picture(make_image(FINE, bands))


def test_cloud_is_found_and_neither_roof_nor_field(cloudy_scene, background) -> None:
    found = brightened(cloudy_scene, background, Multitemporal())
    truth = np.zeros(FINE.shape, bool)
    truth[CLOUD] = True
    assert (found[:5] == UNKNOWN).all()
    assert (found[5:] != UNKNOWN).all()
    wrong = (found == 1) != truth
    corners = 4
    assert wrong[5:].sum() <= corners * 3, "the opening rounds corners, nothing else may be wrong"
    assert not found[ROOF].any()
    assert not found[PLOUGHED].any()


def test_windows_do_not_matter_and_the_seed_is_kept(cloudy_scene, background, monkeypatch) -> None:
    whole = brightened(cloudy_scene, background, Multitemporal(seed=3))
    again = brightened(cloudy_scene, background, Multitemporal(seed=3))
    assert (whole == again).all()
    rows = multitemporal.row_windows
    monkeypatch.setattr(multitemporal, "row_windows", lambda shape: rows(shape, 37))
    by_window = brightened(cloudy_scene, background, Multitemporal(seed=3))
    assert (whole == by_window).mean() > 0.999, "interpolation at window edges may round differently"


def test_scene_without_data_or_background_is_unknown(make_image, background, cloudy_scene) -> None:
    empty = Picture(make_image(FINE, {name: np.full(FINE.shape, NODATA, np.int16) for name in BANDS}))
    assert (brightened(empty, background, Multitemporal()) == UNKNOWN).all()
    unseen = background._replace(median=np.full_like(background.median, NODATA))
    assert (brightened(cloudy_scene, unseen, Multitemporal()) == UNKNOWN).all()


def test_all_cloud_and_a_background_of_clouds(make_image, background) -> None:
    """A deck over everything is all cloud; where every other date was clouded, too, nothing is brighter."""
    deck = {name: np.random.default_rng(0).normal(5000, 300, FINE.shape).astype(np.int16) for name in BANDS}
    scene = Picture(make_image(FINE, deck))
    assert (brightened(scene, background, Multitemporal()) == 1)[3:-3, 3:-3].mean() > 0.98
    clouded = background._replace(median=np.full_like(background.median, 5200))
    assert not brightened(scene, clouded, Multitemporal()).any()


def test_thresholds_are_those_of_reflectance_and_strict() -> None:
    """A brightening of exactly 0.04, or a brightness of exactly 0.175, is none; each alone is not enough."""
    difference = np.array([[0.05] * 3, [0.04] * 3, [0.05] * 3, [-0.3] * 3])
    reflectance = np.array([[0.2] * 3, [0.2] * 3, [0.1] * 3, [0.4] * 3])
    assert is_cloud(difference, reflectance, Multitemporal()).tolist() == [True, False, False, False]


def test_opening_by_hand() -> None:
    """Radius 1: single cells go, a plus stays; neither unknown cells nor the edge take anything away."""
    labels = np.zeros((7, 9), np.uint8)
    labels[1, 1] = labels[3, 6:9] = labels[2, 7] = labels[4, 7] = 1
    labels[5:7, 0] = 1
    labels[5:7, 1] = UNKNOWN
    found = cloudy_cells(labels, np.array([False, True]), 1)
    assert np.argwhere(found == 1).tolist() == [[2, 7], [3, 6], [3, 7], [3, 8], [4, 7], [5, 0], [6, 0]]
    assert (found == UNKNOWN).sum() == 2
    assert (cloudy_cells(labels, np.array([False, True]), 0) == labels).all()
