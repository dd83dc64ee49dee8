"""Training on a cube whose classes can be told apart, and what is left behind."""

import json
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import rasterio
from pydantic import ValidationError

from containers.base.contract.files import File
from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.legend import REFLECTANCE_NODATA
from containers.base.contract.step import StepError
from containers.base.step import side_dir
from containers.tensorflow.blocks import Block
from containers.tensorflow.card import read_card
from containers.tensorflow.contract.predict import PredictParams
from containers.tensorflow.contract.train import LandCoverModel, Network, TrainParams, TrainResult
from containers.tensorflow.cube_reader import Cube
from containers.tensorflow.parts import period_normalisations
from containers.tensorflow.predict import run as predict
from containers.tensorflow.train import run as train

SMALL = {
    "network": Network(filters=(4, 8), bottleneck=8),
    "patch_px": 32,
    "block_px": 64,
    "gap_px": 4,
    "patches_per_epoch": 64,
    "max_epochs": 8,
    "learning_rate": 1e-2,
}


@pytest.fixture(scope="module")
def training(cube_store: Any) -> tuple[TrainResult, Path]:
    """A model trained on labels of which every tenth square is wrong."""
    codes = cube_store.true_codes()
    wrong = np.kron(np.random.default_rng(5).random((32, 32)) < 0.1, np.ones((8, 8), bool))
    cube = cube_store.write_cube("cube.h5", labels=np.where(wrong, codes % 3 + 1, codes).astype(np.uint8))
    out = cube_store.root / "training"
    out.mkdir()
    return train(TrainParams(cube=cube, **SMALL), out), out


def in_store(cube_store: Any, result: TrainResult, out: Path) -> LandCoverModel:
    return LandCoverModel(
        weights=cube_store.file(out / result.model.weights.href), card=cube_store.file(out / result.model.card.href)
    )


def test_learns_in_spite_of_wrong_labels(training: tuple[TrainResult, Path], cube_store: Any) -> None:
    result, out = training
    assert 0.8 < result.test_accuracy < 0.95, "against labels of which a tenth is wrong"
    assert set(result.f1) == {"impervious", "green", "other"}
    params = PredictParams(
        cube=cube_store.file(cube_store.root / "cube.h5"),
        model=in_store(cube_store, result, out),
        period="2018",
        window_px=64,
        overlap_px=16,
    )
    predicted = predict(params, out)
    assert predicted.warnings == ()
    with_data = np.ones((cube_store.size,) * 2, bool)
    with_data[cube_store.empty_rows] = False
    with rasterio.open(out / predicted.classes.href) as source:
        codes = source.read(1)
    assert (codes[with_data] == cube_store.true_codes()[with_data]).mean() > 0.95
    assert (codes[~with_data] == 0).all()


def test_card_tells_what_the_model_is(training: tuple[TrainResult, Path]) -> None:
    result, out = training
    card = json.loads((out / result.model.card.href).read_text())
    assert card["bands"] == ["red", "swir16", "swir22"]
    assert card["legend"] == {"impervious": 1, "green": 2, "other": 3}
    assert card["domain"] | {"cube": ""} == {
        "simulated": True,
        "epsg": 3035,
        "bounds": [4_000_000, 2_994_880, 4_005_120, 3_000_000],
        "resolution_m": 20,
        "periods": ["2017"],
        "cube": "",
    }
    assert card["domain"]["cube"].startswith("sha256:")
    assert card["split"]["blocks"] == {"train": 12, "validation": 2, "test": 2}
    inner = [tuple(block) for part in card["split"]["inner"].values() for block in part]
    assert sorted(inner) == [(4 + 64 * i, 4 + 64 * j, 56, 56) for i in range(4) for j in range(4)]
    scores = {part["part"]: part for part in card["scores"]}
    confusion = np.array(scores["test"]["confusion"])
    assert confusion.sum(axis=1).tolist() == list(card["split"]["cells"]["test"].values())
    assert scores["test"]["accuracy"] == pytest.approx(np.trace(confusion) / confusion.sum()) == result.test_accuracy
    assert card["epochs"] >= card["best_epoch"] >= 1
    assert card["versions"]["keras"] == keras.version()


def test_periods_are_normalised_over_the_same_blocks(training: tuple[TrainResult, Path]) -> None:
    """The second period is brighter by a fifth and 600; a cube that the model has not seen gets the labelled one's."""
    _, out = training
    card = read_card(out / "card.json")
    domain = card.domain
    own = Grid.covering(Bounds(*domain.bounds), epsg=domain.epsg, resolution_m=domain.resolution_m)
    labelled, hazy = (np.array(card.normalisation_of(own, period).centre) for period in ("2017", "2018"))
    np.testing.assert_allclose(hazy, 1.2 * labelled + 600, rtol=0.02)
    elsewhere = own.model_copy(update={"west_m": own.west_m + own.resolution_m})
    assert card.normalisation_of(elsewhere, "2018") == card.normalisation


def test_period_of_other_land_is_left_out(cube_store: Any) -> None:
    cube_store.write_cube("half.h5", labels=cube_store.true_codes())
    with h5py.File(cube_store.root / "half.h5", "r+") as file:
        file["reflectance/2018"][:, :140] = REFLECTANCE_NODATA
    with Cube(cube_store.root / "half.h5") as cube:
        assert set(period_normalisations(cube, [Block(0, 0, 256, 256)])) == {"2017"}


def test_best_weights_are_kept(training: tuple[TrainResult, Path]) -> None:
    """The saved weights score what the log says of the epoch with the lowest validation loss."""
    result, out = training
    card = json.loads((out / result.model.card.href).read_text())
    columns, *rows = (line.split(",") for line in (side_dir() / "epochs.csv").read_text().splitlines())
    losses = [float(row[columns.index("val_loss")]) for row in rows]
    assert len(losses) == card["epochs"]
    assert np.argmin(losses) + 1 == card["best_epoch"]
    logged = float(rows[card["best_epoch"] - 1][columns.index("val_accuracy")])
    assert card["scores"][0]["part"] == "validation"
    assert card["scores"][0]["accuracy"] == pytest.approx(logged, abs=1e-4)


def test_figures_and_logs_are_written(training: tuple[TrainResult, Path]) -> None:
    result, out = training
    assert set(result.figures) == {"curves", "confusion"}
    for figure in result.figures.values():
        assert (out / figure.href).read_bytes().startswith(b"\x89PNG")
    events = list(side_dir().rglob("events.out.tfevents.*"))
    assert bool(events) == (keras.backend.backend() == "tensorflow"), "Keras writes them with TensorFlow alone"


def test_same_seed_gives_the_same_weights(cube_store: Any) -> None:
    cube = cube_store.write_cube("again.h5", labels=cube_store.true_codes())
    weights = []
    for index, seed in enumerate((3, 3, 4)):
        out = cube_store.root / f"again-{index}"
        out.mkdir()
        params = TrainParams(cube=cube, **SMALL | {"max_epochs": 1, "patches_per_epoch": 16, "seed": seed})
        model = keras.saving.load_model(out / train(params, out).model.weights.href)
        weights.append(np.concatenate([array.ravel() for array in model.get_weights()]))
    np.testing.assert_array_equal(weights[0], weights[1])
    assert (weights[0] != weights[2]).any()


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (None, "labelled: none"),
        (np.zeros((256, 256), np.uint8), "labelled: 2017"),
        (np.full((256, 256), 2, np.uint8), "impervious has 0 cells in 0 of 16 blocks"),
    ],
)
def test_labels_that_cannot_teach_are_refused(
    cube_store: Any, tmp_path: Path, labels: np.ndarray | None, reason: str
) -> None:
    with pytest.raises(StepError, match=reason) as caught:
        train(TrainParams(cube=cube_store.write_cube("bad.h5", labels=labels), **SMALL), tmp_path)
    assert caught.value.code == "bad_labels"


def test_blocks_held_in_memory_are_limited(cube_store: Any, tmp_path: Path) -> None:
    cube = cube_store.write_cube("many.h5", labels=cube_store.true_codes())
    train(TrainParams(cube=cube, **SMALL | {"max_epochs": 1, "patches_per_epoch": 8, "max_blocks": 5}), tmp_path)
    card = json.loads((tmp_path / "card.json").read_text())
    assert sum(card["split"]["blocks"].values()) == 5


@pytest.mark.parametrize("change", [{"patch_px": 64}, {"patch_px": 30}, {"gap_px": 17}])
def test_patches_that_do_not_fit_are_refused_before_the_step_runs(change: dict[str, int]) -> None:
    cube = File(href="store:cube.h5", content_id="sha256:0", size=0)
    with pytest.raises(ValidationError):
        TrainParams(cube=cube, **SMALL | change)
