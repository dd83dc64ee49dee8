"""Training: that it learns, is the same every time, survives kills, and refuses what it cannot learn from."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import h5py
import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

from containers.base.contract.files import File
from containers.base.contract.step import StepError
from containers.tensorflow.cloud_shapes import CloudShapes
from containers.tensorflow.confidence import over_turns, spread_of
from containers.tensorflow.contract.removal import TrainRemovalParams, TrainRemovalResult
from containers.tensorflow.removal_card import RemovalCard, read_removal_card
from containers.tensorflow.removal_dataset import RemovalDataset
from containers.tensorflow.removal_scores import Judge, telling
from containers.tensorflow.train_removal import run
from tests.containers.tensorflow.removal_world import write_dataset

COUNTS = {"train": 12, "validation": 3, "test": 3}
TINY = {"network.filters": [8, 8], "network.bottleneck": 8, "training.epochs": 6, "training.picture_interval": 3}


def dataset_in(store: Path, counts: dict[str, int] = COUNTS, size: int = 32) -> File:
    return write_dataset(store / "dataset.h5", counts, size)


def trained(params: TrainRemovalParams, out: Path) -> TrainRemovalResult:
    """The result of a training without a checkpoint before it."""
    out.mkdir()
    Path(os.environ["CLEARGROUND_PARTIALS"], "checkpoint.npz").unlink(missing_ok=True)
    return run(params, out)


def test_a_training_learns_and_leaves_what_the_contract_says(removal_store: Path, tmp_path: Path) -> None:
    params = TrainRemovalParams(dataset=dataset_in(removal_store), preset="small", overrides=TINY)
    result = trained(params, tmp_path / "out")
    card = read_removal_card(tmp_path / "out" / result.model.card.href)
    copy = next(each for each in card.scores if (each.part, each.method) == ("test", "t0_copy"))
    assert result.scores["mae"] < 0.7 * copy.scores["mae"]
    assert set(result.scores) == {"psnr_db", "ssim", "mae", "sam_deg"}
    assert (result.epochs, card.tile_px, card.domain.simulated) == (6, 32, True)
    assert card.tiles == COUNTS
    assert set(result.figures) == {"curves", "epoch_00003", "epoch_00006", "kept"}
    model = keras.saving.load_model(tmp_path / "out" / result.model.weights.href, compile=False)
    assert model.count_params() > 0
    log = Path(os.environ["CLEARGROUND_SIDE"])
    table = np.genfromtxt(log / "epochs.csv", delimiter=",", names=True)
    assert result.best_epoch == 1 + int(table["val_mae"].argmin())
    assert list(log.glob("events.out.tfevents*"))
    look_at(tmp_path / "out", log)
    assert_unsure_where_wrong(model, card, removal_store / "dataset.h5")


def assert_unsure_where_wrong(model: keras.Model, card: RemovalCard, path: Path) -> None:
    """Of unseen cells, the quarter that the network is least sure of has larger errors than the surest quarter."""
    with RemovalDataset(path) as dataset:
        judge = Judge(card.recipe, CloudShapes(dataset.parts["train"]), card.config.loss, 4, card.seed)
        tiles = list(judge.judged(over_turns(telling(model, card.recipe)), dataset.parts["test"]))
    spread = np.concatenate([spread_of(tile.told, axis=-1)[tile.counted] for tile in tiles])
    error = np.concatenate([np.abs(tile.told[..., :-1] - tile.truth)[tile.counted].mean(axis=-1) for tile in tiles])
    low, high = np.quantile(spread, (0.25, 0.75))
    assert error[spread >= high].mean() > 1.2 * error[spread <= low].mean()
    confidence = card.calibration.confidence(spread)
    assert confidence[spread >= high].mean() <= confidence[spread <= low].mean()


def look_at(folder: Path, log: Path) -> None:
    """Run the code of the notebook, which keeps no outputs. It is not in the image."""
    path = Path(__file__).parents[3] / "docs" / "notebooks" / "look_at_a_training.ipynb"
    if not path.exists():
        return
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
    code = "\n".join("".join(cell["source"]) for cell in cells)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"TRAINING_FOLDER": folder, "TRAINING_LOG": log, "MPLBACKEND": "Agg"}.items():
            patch.setenv(name, str(value))
        before = set(plt.get_fignums())
        exec(compile(code, str(path), "exec"), {})
    drawn = set(plt.get_fignums()) - before
    assert len(drawn) == 5, "curves, three pictures and the confidence"
    plt.close("all")


def test_equal_trainings_leave_equal_files(removal_store: Path, tmp_path: Path) -> None:
    short = TINY | {"training.epochs": 2}
    params = TrainRemovalParams(dataset=dataset_in(removal_store), preset="adaptive", overrides=short)
    one, two = (trained(params, tmp_path / name) for name in ("one", "two"))
    assert one == two
    other = trained(params.model_copy(update={"seed": 1}), tmp_path / "three")
    assert other.model.weights.content_id != one.model.weights.content_id


@pytest.mark.parametrize("inputs", ["radar", "optical"])
def test_an_ablation_learns_from_fewer_channels(removal_store: Path, tmp_path: Path, inputs: Any) -> None:
    overrides = TINY | {"training.epochs": 1}
    params = TrainRemovalParams(
        dataset=dataset_in(removal_store), preset="adaptive", overrides=overrides, inputs=inputs, max_tiles=4
    )
    result = trained(params, tmp_path / "out")
    card = read_removal_card(tmp_path / "out" / result.model.card.href)
    assert {channel.unit for channel in card.recipe.channels} == ({"dB"} if inputs == "radar" else {"1"})
    assert card.tiles["train"] == 4
    methods = {each.method for each in card.scores}
    assert methods == ({"model"} if inputs == "radar" else {"model", "t0_copy"})


def test_patience_ends_a_training_that_no_longer_gains(removal_store: Path, tmp_path: Path) -> None:
    stuck = TINY | {"training.patience": 2, "training.epochs": 50, "optimizer.learning_rate": 1e-12}
    stuck |= {"optimizer.schedule": "constant"}
    params = TrainRemovalParams(dataset=dataset_in(removal_store), preset="small", overrides=stuck, max_tiles=2)
    result = trained(params, tmp_path / "out")
    assert result.epochs < 50
    assert result.epochs == result.best_epoch + 2


def test_the_adversarial_network_trains_through_the_step(removal_store: Path, tmp_path: Path) -> None:
    thin: dict[str, Any] = {
        "network": {"before": [[4, 7], [4, 3]], "filters": 4, "blocks": 1, "after": [[4, 3]]},
        "adversarial.filters": [4, 4, 1],
        "adversarial.strides": [2, 1, 1],
        "training.epochs": 2,
    }
    params = TrainRemovalParams(dataset=dataset_in(removal_store), preset="reference", overrides=thin, max_tiles=4)
    trained(params, tmp_path / "out")
    header = Path(os.environ["CLEARGROUND_SIDE"], "epochs.csv").read_text().splitlines()[0].split(",")
    assert set(header) == {"epoch", "loss", "l1", "deceit", "discriminator", "val_mae"}


def test_values_that_are_no_numbers_are_refused_by_tile(removal_store: Path, tmp_path: Path) -> None:
    dataset_in(removal_store)
    with h5py.File(removal_store / "dataset.h5", "a") as file:
        values = file["train/inputs"][:].astype(np.float32)
        values[7, 3, 3, 0] = np.nan
        del file["train/inputs"]
        file["train/inputs"] = values
    file = File(href="store:dataset.h5", content_id="sha256:1", size=1)
    with pytest.raises(StepError, match="0_7") as caught:
        trained(TrainRemovalParams(dataset=file, preset="small", overrides=TINY), tmp_path / "out")
    assert caught.value.code == "bad_dataset"


@pytest.mark.parametrize(
    ("overrides", "code", "told"),
    [
        ({"training.batches": 3}, "bad_config", "training.batches"),
        ({"network.filters": [4] * 6}, "bad_config", "multiple of 64"),
        ({"optimizer.learning_rate": 1.0, "optimizer.clip_norm": None}, "bad_config", "diverged"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    removal_store: Path, tmp_path: Path, overrides: dict[str, Any], code: str, told: str
) -> None:
    tiny = TINY | {"training.epochs": 10, "training.picture_interval": 100} | overrides
    if "optimizer.learning_rate" in overrides:
        tiny |= {"network.residual": False, "loss.l1": 1e38}
    params = TrainRemovalParams(dataset=dataset_in(removal_store), preset="small", overrides=tiny, max_tiles=2)
    with pytest.raises(StepError, match=told) as caught:
        trained(params, tmp_path / "out")
    assert caught.value.code == code


def test_without_a_cell_to_judge_by_it_says_so(removal_store: Path, tmp_path: Path) -> None:
    dataset = dataset_in(removal_store)
    with h5py.File(removal_store / "dataset.h5", "a") as file:
        file["validation/sky_t1"][:] = 2
    with pytest.raises(StepError, match="No validation tile") as caught:
        trained(TrainRemovalParams(dataset=dataset, preset="small", overrides=TINY, max_tiles=2), tmp_path / "out")
    assert caught.value.code == "bad_dataset"


class Child:
    """A training in a process of its own, which shares nothing but what a runner would give it."""

    def __init__(self, params: TrainRemovalParams, root: Path, store: Path) -> None:
        self.out, self.checkpoint = root / "out", root / "partials" / "checkpoint.npz"
        for name in ("out", "side", "partials", "scratch"):
            (root / name).mkdir(parents=True, exist_ok=True)
        (root / "params.json").write_text(params.model_dump_json())
        folders = {"STORE": store, "SIDE": root / "side", "PARTIALS": root / "partials"}
        variables = {f"CLEARGROUND_{name}": str(path) for name, path in folders.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "containers.tensorflow.train_removal", str(root / "params.json"), str(self.out)],
            env=os.environ | variables | {"TMPDIR": str(root / "scratch")},
            cwd=Path(__file__).parents[3],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def epoch(self) -> int:
        """Epochs in the checkpoint."""
        if not self.checkpoint.exists():
            return 0
        with np.load(self.checkpoint) as stored:
            return int(json.loads(stored["about"].tobytes())["epoch"])


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["adaptive", "reference"])
def test_a_killed_training_ends_as_if_it_had_not_been_killed(removal_store: Path, tmp_path: Path, preset: Any) -> None:
    """Bit for bit: weights, card, pictures and log."""
    overrides: dict[str, Any] = {"training.epochs": 8, "training.picture_interval": 2}
    if preset == "adaptive":
        overrides |= {"network.filters": [8, 8], "network.bottleneck": 8}
    else:
        overrides["network"] = {"before": [[4, 7], [4, 3]], "filters": 4, "blocks": 1, "after": [[4, 3]]}
        overrides |= {"adversarial.filters": [4, 4, 1], "adversarial.strides": [2, 1, 1], "adversarial.noise_epochs": 3}
    params = TrainRemovalParams(dataset=dataset_in(removal_store), preset=preset, overrides=overrides)
    whole = Child(params, tmp_path / "whole", removal_store)
    assert whole.process.wait(600) == 0
    killed = Child(params, tmp_path / "killed", removal_store)
    while killed.epoch() < 3 and killed.process.poll() is None:
        time.sleep(0.02)
    killed.process.send_signal(signal.SIGKILL)
    assert killed.process.wait() == -signal.SIGKILL
    assert 3 <= killed.epoch() < 8, "it was killed on its way"
    assert not (killed.out / "result.json").exists()
    resumed = Child(params, tmp_path / "killed", removal_store)
    assert resumed.process.wait(600) == 0
    one, two = ((child.out / "result.json").read_text() for child in (whole, resumed))
    assert one == two
    tables = [(tmp_path / name / "side" / "epochs.csv").read_text() for name in ("whole", "killed")]
    assert tables[0] == tables[1]
