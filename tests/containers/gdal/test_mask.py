"""The mask of a small scene of which everything is known, by every engine that runs here, and what is refused."""

import os
import sys
import types
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from containers.base.contract.grid import Grid
from containers.base.contract.legend import Sky
from containers.base.contract.step import StepError
from containers.base.raster import write_cog
from containers.gdal import mask
from containers.gdal.contract.mask import COMPONENTS, MaskParams, MaskResult, MaskRules
from containers.gdal.contract.mask_forest import MaskModel, SceneSplit, TrainingDomain
from containers.gdal.contract.observe import Image, Observation
from containers.gdal.s2cloudless import is_cloud
from containers.gdal.shadow import shadow_shift

NODATA = -32768
FINE = Grid(epsg=32633, resolution_m=60, west_m=400_080, north_m=5_600_160, width=160, height=160)
COARSE = Grid(epsg=32633, resolution_m=240, west_m=400_080, north_m=5_600_160, width=40, height=40)
ACQUIRED = datetime(2020, 4, 17, 10, 10, tzinfo=UTC)
GROUND = {
    "coastal": 1200, "blue": 900, "green": 900, "red": 700, "rededge071": 1100, "rededge075": 2300,
    "rededge078": 2800, "nir": 3000, "nir08": 3100, "nir09": 1000, "cirrus": 10, "swir16": 1900, "swir22": 1000,
}  # fmt: skip
CLOUD = dict.fromkeys(GROUND, 5500) | {"cirrus": 60, "nir09": 2500, "swir16": 4200, "swir22": 3500}
CIRRUS = {name: value + 400 for name, value in GROUND.items()} | {"cirrus": 250}
SNOW = dict.fromkeys(GROUND, 7000) | {"swir16": 700, "swir22": 500, "cirrus": 12}
CLOUD_AT = (slice(80, 100), slice(70, 95))
CIRRUS_AT = (slice(120, 140), slice(20, 50))
SNOW_AT = (slice(10, 25), slice(120, 150))
HOLE = (slice(0, 12), slice(0, 160))
HEIGHT_M = 2_000
RULES = MaskRules(dilate_m={})


@pytest.fixture
def make_image(raster_store):
    def make(grid: Grid, bands: dict[str, Any]) -> Image:
        path = raster_store.folder("gdal.observe") / "picture.tif"
        write_cog(path, np.stack(list(bands.values())), grid, nodata=NODATA, bands=tuple(bands))
        return Image(file=raster_store.file(path), grid=grid)

    return make


def ground(grid: Grid, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {name: (level * rng.normal(1, 0.02, grid.shape)).astype(np.int16) for name, level in GROUND.items()}


def shadow_at() -> np.ndarray:
    shift = shadow_shift(FINE, ACQUIRED)
    rows, cols = round(shift.rows * HEIGHT_M), round(shift.cols * HEIGHT_M)
    shadow = np.zeros(FINE.shape, bool)
    shadow[CLOUD_AT[0].start + rows : CLOUD_AT[0].stop + rows, CLOUD_AT[1].start + cols : CLOUD_AT[1].stop + cols] = (
        True
    )
    shadow[CLOUD_AT] = False
    return shadow


def truth() -> np.ndarray:
    sky = np.full(FINE.shape, Sky.CLEAR, np.uint8)
    sky[shadow_at()] = Sky.SHADOW
    sky[CLOUD_AT], sky[CIRRUS_AT], sky[SNOW_AT], sky[HOLE] = Sky.CLOUD, Sky.CIRRUS, Sky.SNOW, Sky.NODATA
    return sky


def scene_bands() -> dict[str, Any]:
    bands, sky = ground(FINE, 0), truth()
    for name in bands:
        for code, spectrum in ((Sky.CLOUD, CLOUD), (Sky.CIRRUS, CIRRUS), (Sky.SNOW, SNOW)):
            bands[name][sky == code] = spectrum[name]
        bands[name][sky == Sky.SHADOW] = (bands[name][sky == Sky.SHADOW] * 0.45).astype(np.int16)
    bands["red"][sky == Sky.NODATA] = NODATA
    return bands


@pytest.fixture
def make_observation(make_image, raster_store):
    def make(bands: dict[str, Any], **facts: Any) -> Observation:
        image = make_image(FINE, bands)
        given: dict[str, Any] = {
            "scene_id": "S2A_MSIL1C_20200417T101031_N0209_R022_T33UVR_20200417T121031", "tile": "33UVR",
            "acquired": ACQUIRED, "platform": "S2A", "orbit": 22, "level": "L1C", "baseline": "02.09",
            "simulated": False, "cloud_cover": 10.0, "footprint": "POLYGON EMPTY", "grid": FINE, "bands": {},
            "features": image, "background": image, "valid_share": 1.0,
        }  # fmt: skip
        return Observation(**(given | facts))

    return make


@pytest.fixture
def backgrounds(make_image) -> dict[str, tuple[Image, ...]]:
    images = tuple(make_image(COARSE, ground(COARSE, seed)) for seed in range(1, 9))
    return {"nearest": images, "least_cloudy": images[::-1]}


@pytest.fixture
def make_model(raster_store):
    """A forest that calls cloud what the second or third tree, or the comparison with the least cloudy dates, does."""

    def make(**domain: Any) -> Any:
        cells = [[number >> shift & 1 for shift in (4, 3, 2, 1, 0)] for number in range(32)]
        facts: dict[str, Any] = {
            "simulated": False, "level": "L1C", "mask_resolution_m": 60.0, "baselines": ("02.09",),
            "tiles": ("33UVR",), "surfaces": (), "first_date": "2020-01-01", "last_date": "2020-12-31", "scenes": 4,
        }  # fmt: skip
        model = MaskModel(
            features=COMPONENTS,
            probabilities=tuple(0.9 if cell[1] or cell[2] or cell[4] else 0.1 for cell in cells),
            pixels=tuple(10_000 if len(set(cell)) == 1 else 10 for cell in cells),
            trees=1,
            cutoff=0.29,
            split=SceneSplit(seed=0, train=("a",), test=("b",)),
            metrics={},
            training_domain=TrainingDomain(**(facts | domain)),
            versions={},
        )
        path = raster_store.folder("gdal.train_mask") / "model.json"
        path.write_text(model.model_dump_json())
        return raster_store.file(path)

    return make


def masked(out: Path, observation: Observation, **options: Any) -> tuple[MaskResult, np.ndarray]:
    out.mkdir(exist_ok=True)
    result = mask.run(MaskParams(observation=observation, **({"rules": RULES} | options)), out)
    with rasterio.open(out / result.mask.href) as dataset:
        assert (dataset.nodata, dataset.dtypes[0], dataset.descriptions) == (0, "uint8", ("sky",))
        return result, dataset.read(1)


def agreement(found: np.ndarray, code: Sky) -> float:
    """F1 of a class."""
    hit = ((found == code) & (truth() == code)).sum()
    return float(2 * hit / ((found == code).sum() + (truth() == code).sum()))


def refused(code: str, out: Path, observation: Observation, **options: Any) -> StepError:
    with pytest.raises(StepError) as caught:
        masked(out, observation, **options)
    assert caught.value.code == code
    return caught.value


def with_engine(engine: str) -> MaskRules:
    return MaskRules(engine=engine, dilate_m={})


def test_trees_find_everything_in_a_plain_scene(make_observation, tmp_path) -> None:
    result, found = masked(tmp_path, make_observation(scene_bands()))
    assert result.engine == "hollstein"
    assert {code.name: agreement(found, code) for code in Sky} == pytest.approx(
        dict.fromkeys(Sky.__members__, 1), abs=0.08
    )
    assert (found[truth() == Sky.NODATA] == Sky.NODATA).all()
    assert sum(result.shares.values()) == pytest.approx(1)
    assert result.probability is None


def test_forest_over_all_components(make_observation, backgrounds, make_model, tmp_path, raster_store) -> None:
    result, found = masked(
        tmp_path, make_observation(scene_bands()), backgrounds=backgrounds, model=make_model(), keep_components=True
    )
    assert (result.engine, result.warnings) == ("multitemporal", ())
    for code in (Sky.CLOUD, Sky.SHADOW, Sky.CIRRUS, Sky.SNOW):
        assert agreement(found, code) > 0.9, code.name
    with rasterio.open(tmp_path / result.components.href) as dataset:
        assert (dataset.descriptions, dataset.nodata) == (COMPONENTS, 255)
        components = dict(zip(COMPONENTS, dataset.read(), strict=True))
    inner = (slice(83, 97), slice(73, 92))
    assert all(layer[inner].all() for layer in components.values())
    assert (components["percentile1"][HOLE] == 255).all()
    with rasterio.open(tmp_path / result.probability.href) as dataset:
        probability = dataset.read(1)
    assert (probability[inner] == 225).all()
    assert (probability[HOLE] == 255).all()


def test_one_date_only_marginalises_and_says_so(make_observation, make_model, tmp_path, raster_store) -> None:
    result, found = masked(tmp_path, make_observation(scene_bands()), model=make_model(), keep_components=True)
    assert result.engine == "multitemporal"
    assert [warning.code for warning in result.warnings] == ["few_backgrounds"] * 2
    with rasterio.open(tmp_path / result.components.href) as dataset:
        assert (dataset.read([4, 5]) == 255).all()
    assert agreement(found, Sky.CLOUD) > 0.9


def test_all_cloud(make_observation, backgrounds, make_model, tmp_path) -> None:
    deck = {name: np.full(FINE.shape, value, np.int16) for name, value in CLOUD.items()}
    result, found = masked(tmp_path, make_observation(deck), backgrounds=backgrounds, model=make_model())
    assert (found == Sky.CLOUD).all()
    assert result.shares["clear"] == 0


def test_no_data_at_all_is_never_clear(make_observation, backgrounds, make_model, tmp_path) -> None:
    nothing = {name: np.full(FINE.shape, NODATA, np.int16) for name in GROUND}
    result, found = masked(tmp_path, make_observation(nothing), backgrounds=backgrounds, model=make_model())
    assert (found == Sky.NODATA).all()
    assert set(result.shares.values()) == {0.0}


def test_dilation_by_class(make_observation, tmp_path) -> None:
    _, plain = masked(tmp_path / "plain", make_observation(scene_bands()))
    _, grown = masked(
        tmp_path / "grown", make_observation(scene_bands()), rules=MaskRules(dilate_m={"cloud": 120.0, "snow": 0.0})
    )
    assert (grown[CLOUD_AT[0].start - 2, CLOUD_AT[1]] == Sky.CLOUD).mean() > 0.9
    assert ((plain == Sky.SNOW) == (grown == Sky.SNOW)).all()
    assert ((grown == plain) | (plain == Sky.CLEAR)).all()


def test_shadow_and_snow_can_be_left_out(make_observation, tmp_path) -> None:
    rules = MaskRules(dilate_m={}, shadow=False, snow=False)
    _, found = masked(tmp_path, make_observation(scene_bands()), rules=rules)
    assert set(np.unique(found)) <= {Sky.NODATA, Sky.CLEAR, Sky.CLOUD, Sky.CIRRUS}


def l2a_bands() -> dict[str, Any]:
    bands = {name: array for name, array in scene_bands().items() if name != "cirrus"}
    classes = {Sky.CLEAR: 4, Sky.CLOUD: 9, Sky.CIRRUS: 10, Sky.SHADOW: 3, Sky.SNOW: 11, Sky.NODATA: NODATA}
    return bands | {"scl": np.vectorize(classes.__getitem__)(truth()).astype(np.int16)}


def test_scene_classification_is_taken_as_it_is(make_observation, tmp_path) -> None:
    result, found = masked(tmp_path, make_observation(l2a_bands(), level="L2A"))
    assert result.engine == "scl"
    assert (found == truth()).all()


def test_forest_over_l2a_rests_on_the_other_dates(make_observation, backgrounds, make_model, tmp_path) -> None:
    model = make_model(level="L2A")
    no_cirrus = {method: tuple(image for image in images) for method, images in backgrounds.items()}
    scene = make_observation(l2a_bands(), level="L2A")
    result, found = masked(tmp_path, scene, backgrounds=no_cirrus, model=model)
    assert result.engine == "multitemporal"
    assert found[83:97, 73:92].min() == found[83:97, 73:92].max() == Sky.CLOUD
    error = refused("no_scenes", tmp_path, scene, model=model)
    assert "scl" in error.hint


def test_missing_cirrus_band_names_the_engines_that_work(make_observation, tmp_path) -> None:
    scene = make_observation(l2a_bands(), level="L2A")
    error = refused("unknown_band", tmp_path, scene, rules=with_engine("hollstein"))
    assert "cirrus" in error.reason
    assert "scl" in error.hint
    assert "omnicloudmask" in error.hint


def test_scene_classification_of_l1c_is_refused(make_observation, tmp_path) -> None:
    error = refused("unknown_band", tmp_path, make_observation(scene_bands()), rules=with_engine("scl"))
    assert "hollstein" in error.hint


def test_a_model_that_does_not_fit(make_observation, make_model, tmp_path) -> None:
    """Left aside with a warning where the engine is free, an error where the forest is asked for."""
    scene, simulated = make_observation(scene_bands()), make_model(simulated=True)
    result, _ = masked(tmp_path, scene, model=simulated)
    assert result.engine == "hollstein"
    assert [warning.code for warning in result.warnings] == ["model_unfit"]
    refused("bad_model", tmp_path, scene, model=simulated, rules=with_engine("multitemporal"))
    allowed, _ = masked(tmp_path, scene, model=simulated, allow_simulated_model=True)
    assert allowed.engine == "multitemporal"
    refused("missing_file", tmp_path, scene, rules=with_engine("multitemporal"))


def test_bands_for_shadow_may_be_missing(make_observation, tmp_path) -> None:
    bands = {name: array for name, array in l2a_bands().items() if name in ("red", "green", "blue", "nir", "scl")}
    package = types.SimpleNamespace(predict_from_array=lambda array, **_: np.zeros((1, *array.shape[1:]), np.uint8))
    sys.modules["omnicloudmask"] = package  # type: ignore[assignment]
    try:
        result, found = masked(tmp_path, make_observation(bands, level="L2A"), rules=with_engine("omnicloudmask"))
    finally:
        del sys.modules["omnicloudmask"]
    assert [warning.code for warning in result.warnings] == ["no_snow"]
    assert ((found == Sky.CLEAR) == (bands["red"] != NODATA)).all()


def test_omnicloudmask_is_asked_as_its_authors_do(make_observation, tmp_path, monkeypatch) -> None:
    """Its answer is replayed: the package needs torch. Red, green, NIR, 0 for nodata, an overlap of 300 cells."""
    asked: dict[str, Any] = {}
    answer = np.zeros((1, *FINE.shape), np.uint8)
    for code, at in ((1, truth() == Sky.CLOUD), (2, truth() == Sky.CIRRUS), (3, truth() == Sky.SHADOW)):
        answer[0][at] = code

    def predict_from_array(array: np.ndarray, **options: Any) -> np.ndarray:
        asked.update(options, array=array)
        return answer

    monkeypatch.setitem(sys.modules, "omnicloudmask", types.SimpleNamespace(predict_from_array=predict_from_array))
    _, found = masked(tmp_path, make_observation(scene_bands()), rules=with_engine("omnicloudmask"))
    assert asked["patch_overlap"] == 300
    assert asked["array"].shape == (3, *FINE.shape)
    assert ((asked["array"] == 0).all(axis=0) == (truth() == Sky.NODATA)).all()
    assert (found == truth()).all()


@pytest.mark.parametrize("engine", ["s2cloudless", "omnicloudmask"])
def test_absent_packages_are_named_with_the_remedy(engine, make_observation, tmp_path, monkeypatch) -> None:
    for package in ("lightgbm", "omnicloudmask"):
        monkeypatch.setitem(sys.modules, package, None)
    error = refused("missing_tool", tmp_path, make_observation(scene_bands()), rules=with_engine(engine))
    assert engine in error.reason
    assert "nstall" in error.hint


def test_s2cloudless_needs_weights_and_bands(make_observation, tmp_path, monkeypatch, raster_store) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    scene, rules = make_observation(scene_bands()), with_engine("s2cloudless")
    assert lightgbm.Booster
    assert "weights" in refused("missing_file", tmp_path, scene, rules=rules).reason
    path = raster_store.folder("user") / "weights.txt"
    path.write_text("no model")
    refused("bad_model", tmp_path, scene, rules=rules, weights=raster_store.file(path))
    refused("unknown_band", tmp_path, make_observation(l2a_bands(), level="L2A"), rules=rules)


def test_averaging_and_dilation_of_s2cloudless_by_hand() -> None:
    """A disk of radius 4 has 49 cells: 20 of them make 0.408, 19 only 0.388; then two cells are added around."""
    probability = np.zeros((31, 31), np.float32)
    probability[15, 15] = 20.0
    cloudy = is_cloud(probability)
    rows, cols = np.indices(probability.shape)
    near = np.hypot(rows - 15, cols - 15)
    assert cloudy[near <= 4].all()
    assert not cloudy[near > 6].any()
    probability[15, 15] = 19.0
    assert not is_cloud(probability).any()
    probability[15, 15] = np.nan
    assert not is_cloud(probability).any()


def test_the_published_weights_of_s2cloudless(make_observation, tmp_path, raster_store) -> None:
    """Set S2CLOUDLESS_WEIGHTS to `pixel_s2_cloud_detector_lightGBM_v0.1.txt` of the package s2cloudless."""
    pytest.importorskip("lightgbm")
    weights = os.environ.get("S2CLOUDLESS_WEIGHTS")
    if not weights:
        pytest.skip("no weights of s2cloudless: set S2CLOUDLESS_WEIGHTS")
    path = raster_store.folder("user") / "weights.txt"
    path.write_bytes(Path(weights).read_bytes())
    result, found = masked(
        tmp_path, make_observation(scene_bands()), rules=with_engine("s2cloudless"), weights=raster_store.file(path)
    )
    assert result.engine == "s2cloudless"
    assert (found[84:96, 74:91] == Sky.CLOUD).all()
    assert (found[150:, 80:] == Sky.CLEAR).mean() > 0.95
