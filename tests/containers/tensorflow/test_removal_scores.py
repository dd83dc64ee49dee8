"""Scores by hand, and that all networks are judged on the same cells."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.base.contract.legend import Sky
from containers.tensorflow.cloud_shapes import CloudShapes
from containers.tensorflow.recipe import Scene, recipe_of
from containers.tensorflow.removal_config import load_config
from containers.tensorflow.removal_dataset import RemovalDataset
from containers.tensorflow.removal_scores import Judge, Judged, mean_error, scores_of, t0_copies
from tests.containers.tensorflow.removal_world import SCALERS, channels, write_dataset

SIZE = 32


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[RemovalDataset]:
    write_dataset(tmp_path / "d.h5", {"train": 3, "validation": 5, "test": 1}, SIZE)
    with RemovalDataset(tmp_path / "d.h5") as opened:
        yield opened


def judge(dataset: RemovalDataset, preset: str, inputs: Any = "all", seed: int = 0) -> Judge:
    config = load_config(preset, {})
    recipe = recipe_of(*channels(), SCALERS, inputs, config)
    return Judge(recipe, CloudShapes(dataset.parts["train"]), config.loss, 2, seed)


def nothing(windows: np.ndarray) -> np.ndarray:
    return np.zeros((*windows.shape[:3], 4), np.float32)


def test_scores_by_hand() -> None:
    truth = np.full((12, 12, 2), 0.3, np.float32)
    told = truth + np.array([0.1, -0.02], np.float32)
    counted = np.ones((12, 12), bool)
    scene = Scene(*(np.zeros((12, 12, 1), np.int16),) * 2, *(np.zeros((12, 12), np.uint8),) * 2)
    found = scores_of([Judged(told, truth, counted, scene)] * 2, "test", "model")
    assert found.cells == 288
    assert found.scores["mae"] == pytest.approx(0.06, rel=1e-4)
    assert found.scores["psnr_db"] == pytest.approx(-10 * np.log10((0.1**2 + 0.02**2) / 2), rel=1e-4)
    angle = np.degrees(np.arccos((0.4 + 0.28) / np.sqrt(2) / np.hypot(0.4, 0.28)))
    assert found.scores["sam_deg"] == pytest.approx(angle, rel=1e-3)
    assert found.scores["ssim"] < 1
    counted[:, 6:] = False
    halved = scores_of([Judged(told, truth, counted, scene)], "test", "model")
    assert set(halved.scores) == {"mae", "psnr_db", "sam_deg"}, "no window lies in so few cells"


def test_nothing_counted_gives_no_score() -> None:
    scene = Scene(*(np.zeros((12, 12, 1), np.int16),) * 2, *(np.zeros((12, 12), np.uint8),) * 2)
    empty = Judged(np.zeros((12, 12, 1)), np.zeros((12, 12, 1)), np.zeros((12, 12), bool), scene)
    assert scores_of([empty], "test", "model").scores == {}
    assert np.isnan(mean_error([empty]))


def test_every_network_is_judged_on_the_same_cells_every_time(dataset: RemovalDataset) -> None:
    part, one = dataset.parts["validation"], judge(dataset, "small")
    first = [tile.counted for tile in one.judged(nothing, part)]
    for other in (judge(dataset, "small"), judge(dataset, "adaptive")):
        again = [tile.counted for tile in other.judged(nothing, part)]
        assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(
        np.array_equal(a, tile.counted)
        for a, tile in zip(first, judge(dataset, "small", seed=1).judged(nothing, part), strict=True)
    )
    assert len(list(one.judged(nothing, part, 3))) == 3


def test_only_cells_seen_twice_and_not_shown_count(dataset: RemovalDataset) -> None:
    """A network that tells what it sees of the second date is right nowhere that counts."""
    one = judge(dataset, "adaptive")
    for tile in one.judged(lambda windows: windows[..., -5:-1], dataset.parts["validation"]):
        assert (tile.scene.sky_t1[tile.counted] == Sky.CLEAR).all()
        assert (tile.scene.sky_t0[tile.counted] == Sky.CLEAR).all()
        assert (tile.told[tile.counted] == 0).all()


def test_a_copy_of_the_first_date_errs_by_the_change(dataset: RemovalDataset) -> None:
    one, part = judge(dataset, "small"), dataset.parts["validation"]
    total = cells = 0.0
    for tile in one.judged(nothing, part):
        change = np.abs(tile.scene.inputs[..., 4:].astype(float) - tile.scene.target)[tile.counted].mean(axis=-1)
        total, cells = total + change.sum() * 1e-4, cells + len(change)
    assert mean_error(t0_copies(one, part)) == pytest.approx(total / cells, rel=1e-4)
