"""Products and refusals of the prediction, with a network that has learnt nothing."""

from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from containers.base.contract.files import File
from containers.base.contract.grid import Bounds
from containers.base.contract.legend import REFLECTANCE_NODATA
from containers.base.contract.step import StepError
from containers.tensorflow.card import ModelCard, Split, TrainingDomain, legend, versions
from containers.tensorflow.contract.predict import PredictParams
from containers.tensorflow.contract.train import LandCoverModel, Network
from containers.tensorflow.network import unet_mini
from containers.tensorflow.normalisation import Normalisation
from containers.tensorflow.predict import as_layers, averaged, run

BANDS = ("red", "swir16", "swir22")
NETWORK = Network(filters=(4, 8), bottleneck=8)
CARD = ModelCard(
    bands=BANDS,
    normalisation=Normalisation(centre=(1000, 1000, 1000), spread=(800, 800, 800)),
    legend=legend(),
    network=NETWORK,
    patch_px=32,
    domain=TrainingDomain(
        simulated=True,
        epsg=3035,
        bounds=Bounds(4_000_000, 2_900_000, 4_100_000, 3_000_000),
        resolution_m=20,
        periods=("2017",),
        cube="sha256:0",
    ),
    split=Split(block_px=64, gap_px=4, seed=0, blocks={}, cells={}),
    scores=(),
    epochs=1,
    best_epoch=1,
    versions=versions(),
)


@pytest.fixture(scope="module")
def weights(cube_store: Any) -> File:
    keras.utils.set_random_seed(0)
    path = cube_store.root / "model.keras"
    unet_mini(3, NETWORK).save(path)
    return cube_store.file(path)


def with_card(cube_store: Any, weights: File, card: str | ModelCard = CARD) -> LandCoverModel:
    path = cube_store.root / "card.json"
    path.write_text(card if isinstance(card, str) else card.model_dump_json())
    return LandCoverModel(weights=weights, card=cube_store.file(path))


def params_for(model: LandCoverModel, cube: File, **changes: Any) -> PredictParams:
    return PredictParams(**{"cube": cube, "model": model, "period": "2017", "window_px": 64, "overlap_px": 8} | changes)


def refused(params: PredictParams, out: Path) -> StepError:
    with pytest.raises(StepError) as caught:
        run(params, out)
    assert not list(out.glob("*.tif"))
    return caught.value


def test_products_are_what_the_contract_says(cube_store: Any, weights: File, tmp_path: Path) -> None:
    result = run(params_for(with_card(cube_store, weights), cube_store.write_cube("cube.h5")), tmp_path)
    with (
        rasterio.open(tmp_path / result.probabilities.href) as probabilities,
        rasterio.open(tmp_path / result.classes.href) as classes,
        rasterio.open(tmp_path / result.confidence.href) as confidence,
    ):
        assert probabilities.descriptions == ("impervious", "green", "other")
        assert probabilities.scales == (1 / 250,) * 3
        assert (probabilities.nodata, classes.nodata, confidence.nodata) == (255, 0, 255)
        assert {source.dtypes[0] for source in (probabilities, classes, confidence)} == {"uint8"}
        assert classes.crs.to_epsg() == 3035
        assert tuple(classes.bounds) == (4_000_000, 2_994_880, 4_005_120, 3_000_000)
        bands, codes, highest = probabilities.read(), classes.read(1), confidence.read(1)
    empty = np.zeros(codes.shape, bool)
    empty[cube_store.empty_rows] = True
    np.testing.assert_array_equal(codes == 0, empty)
    np.testing.assert_array_equal(highest == 255, empty)
    assert (bands[:, empty] == 255).all()
    assert abs(bands[:, ~empty].astype(int).sum(axis=0) - 250).max() <= 1
    np.testing.assert_array_equal(highest[~empty], bands[:, ~empty].max(axis=0))
    chosen = np.take_along_axis(bands, np.maximum(codes, 1)[None].astype(int) - 1, axis=0)[0]
    np.testing.assert_array_equal(chosen[~empty], highest[~empty])


def test_bands_are_found_by_name(cube_store: Any, weights: File, tmp_path: Path) -> None:
    """A cube that holds the same bands in another order, and one more, gives the same map."""
    cube = cube_store.write_cube("cube.h5")
    shuffled = cube_store.root / "shuffled.h5"
    shuffled.write_bytes((cube_store.root / "cube.h5").read_bytes())
    with h5py.File(shuffled, "r+") as file:
        values = file["reflectance/2017"][:]
        del file["reflectance/2017"]
        file["reflectance/2017"] = values[[2, 0, 0, 1]]
        file.attrs["bands"] = ["swir22", "red", "nir", "swir16"]
    model = with_card(cube_store, weights)
    maps = []
    for name, source in (("plain", cube), ("shuffled", cube_store.file(shuffled))):
        (tmp_path / name).mkdir()
        result = run(params_for(model, source), tmp_path / name)
        with rasterio.open(tmp_path / name / result.probabilities.href) as raster:
            maps.append(raster.read())
    np.testing.assert_array_equal(*maps)


def test_missing_band_is_refused(cube_store: Any, weights: File, tmp_path: Path) -> None:
    cube = cube_store.write_cube("other-bands.h5", bands=("red", "nir", "swir22"))
    error = refused(params_for(with_card(cube_store, weights), cube), tmp_path)
    assert (error.code, "no swir16" in error.reason) == ("bad_model", True)


def test_other_resolution_is_refused(cube_store: Any, weights: File, tmp_path: Path) -> None:
    cube = cube_store.write_cube("fine.h5", resolution_m=10.0)
    error = refused(params_for(with_card(cube_store, weights), cube), tmp_path)
    assert (error.code, "10.0 m" in error.reason) == ("bad_model", True)


def test_simulated_model_refuses_real_scenes_unless_told_otherwise(
    cube_store: Any, weights: File, tmp_path: Path
) -> None:
    params = params_for(with_card(cube_store, weights), cube_store.write_cube("real.h5", simulated=False))
    error = refused(params, tmp_path)
    assert (error.code, "simulated" in error.reason) == ("bad_model", True)
    allowed = run(params.model_copy(update={"allow_simulated_model": True}), tmp_path)
    assert allowed.period == "2017"


def test_prediction_elsewhere_is_flagged(cube_store: Any, weights: File, tmp_path: Path) -> None:
    cube = cube_store.write_cube("elsewhere.h5", epsg=32633)
    result = run(params_for(with_card(cube_store, weights), cube), tmp_path)
    assert [warning.code for warning in result.warnings] == ["outside_training_area"]


def test_unknown_period_is_refused(cube_store: Any, weights: File, tmp_path: Path) -> None:
    params = params_for(with_card(cube_store, weights), cube_store.write_cube("cube.h5"), period="2031")
    error = refused(params, tmp_path)
    assert (error.code, "2017, 2018" in error.reason) == ("bad_dates", True)


def test_window_that_the_network_cannot_halve_is_refused(cube_store: Any, weights: File, tmp_path: Path) -> None:
    params = params_for(with_card(cube_store, weights), cube_store.write_cube("cube.h5"), window_px=62)
    error = refused(params, tmp_path)
    assert (error.code, "multiple of 4" in error.reason) == ("bad_parameters", True)


@pytest.mark.parametrize("card", ["{}", "no json", CARD.model_copy(update={"legend": {"built": 1}})])
def test_strange_card_is_refused(cube_store: Any, weights: File, tmp_path: Path, card: str | ModelCard) -> None:
    params = params_for(with_card(cube_store, weights, card), cube_store.write_cube("cube.h5"))
    assert refused(params, tmp_path).code == "bad_model"


def test_file_that_is_no_model_is_refused(cube_store: Any, tmp_path: Path) -> None:
    path = cube_store.root / "text.keras"
    path.write_text("no model")
    params = params_for(with_card(cube_store, cube_store.file(path)), cube_store.write_cube("cube.h5"))
    assert refused(params, tmp_path).code == "bad_model"


def test_file_that_is_no_cube_is_refused(cube_store: Any, weights: File, tmp_path: Path) -> None:
    text, unversioned = cube_store.root / "text.h5", cube_store.root / "unversioned.h5"
    text.write_text("no cube")
    h5py.File(unversioned, "w").close()
    for path in (text, unversioned):
        params = params_for(with_card(cube_store, weights), cube_store.file(path))
        assert refused(params, tmp_path).code == "corrupt_file"


def test_overlap_of_more_than_half_a_window_is_refused(cube_store: Any, weights: File) -> None:
    with pytest.raises(ValidationError):
        params_for(with_card(cube_store, weights), weights, overlap_px=33)


@given(st.integers(0, 10_000))
def test_layers_agree_with_each_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet((0.5, 0.5, 0.5), (4, 5)).astype(np.float32).transpose(2, 0, 1)
    known = rng.random((4, 5)) < 0.7
    scaled, codes, confidence = as_layers(probabilities, known)
    np.testing.assert_allclose(scaled[:, known] / 250, probabilities[:, known], atol=0.5 / 250 + 1e-6)
    np.testing.assert_array_equal(codes, np.where(known, probabilities.argmax(axis=0) + 1, 0))
    np.testing.assert_array_equal(confidence, np.where(known, scaled.max(axis=0), 255))


def test_period_without_data_is_unknown_throughout(cube_store: Any, weights: File, tmp_path: Path) -> None:
    cube_store.write_cube("empty.h5")
    with h5py.File(cube_store.root / "empty.h5", "r+") as file:
        file["reflectance/2018"][:] = REFLECTANCE_NODATA
    cube = cube_store.file(cube_store.root / "empty.h5")
    result = run(params_for(with_card(cube_store, weights), cube, period="2018"), tmp_path)
    for file, nodata in ((result.probabilities, 255), (result.classes, 0), (result.confidence, 255)):
        with rasterio.open(tmp_path / file.href) as source:
            assert (source.read() == nodata).all()


class TestOrientations:
    def test_every_way_of_laying_is_seen_once_and_laid_back(self) -> None:
        """A network that answers where in the window a cell lies: eight ways of laying are eight different answers."""
        seen = []

        def predict(windows: np.ndarray) -> np.ndarray:
            seen.append(windows[0, ..., 0].tolist())
            return np.repeat(windows[..., :1], 3, axis=-1)

        windows = np.arange(2 * 4 * 4, dtype=np.float32).reshape(2, 4, 4, 1)
        mean = averaged(predict, 8)(windows)
        assert len(seen) == 8 == len({str(laid) for laid in seen})
        np.testing.assert_allclose(mean, np.repeat(windows, 3, axis=-1))

    def test_means_are_taken_over_them(self) -> None:
        """One where the window's first corner lies: each corner has a quarter over four turns."""

        def predict(windows: np.ndarray) -> np.ndarray:
            answer = np.zeros((*windows.shape[:3], 3), np.float32)
            answer[:, 0, 0] = 1
            return answer

        mean = averaged(predict, 4)(np.zeros((1, 3, 3, 1), np.float32))
        expected = np.zeros((3, 3))
        expected[[0, 0, 2, 2], [0, 2, 0, 2]] = 0.25
        np.testing.assert_allclose(mean[0, ..., 0], expected)

    def test_one_is_the_prediction_itself(self) -> None:
        def predict(windows: np.ndarray) -> np.ndarray:
            return windows

        assert averaged(predict, 1) is predict
