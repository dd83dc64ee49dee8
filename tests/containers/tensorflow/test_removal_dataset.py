"""The dataset as training reads it, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from containers.base.contract.step import StepError
from containers.tensorflow.removal_dataset import RemovalDataset
from tests.containers.tensorflow.removal_world import BANDS, RADAR, make_world, write_dataset

COUNTS = {"train": 2, "validation": 1, "test": 1}


def break_scaler(file: h5py.File) -> None:
    scalers = json.loads(file.attrs["scalers"])
    scalers["vv"]["centre"] = float("nan")
    file.attrs["scalers"] = json.dumps(scalers)


def drop_scaler(file: h5py.File) -> None:
    scalers = json.loads(file.attrs["scalers"])
    del scalers["nir"]
    file.attrs["scalers"] = json.dumps(scalers)


def shorten(file: h5py.File) -> None:
    del file["test/sky_t1"]
    file["test/sky_t1"] = np.zeros((1, 16, 32), np.uint8)


def test_a_tile_is_what_was_written(tmp_path: Path) -> None:
    write_dataset(tmp_path / "d.h5", COUNTS, 32)
    with RemovalDataset(tmp_path / "d.h5") as dataset:
        assert [channel.name for channel in dataset.channels] == [*RADAR, *(f"{band}_t0" for band in BANDS)]
        assert [band.name for band in dataset.bands] == list(BANDS)
        part = dataset.parts["train"]
        scene, world = part.scene(1), make_world((32, 32), 1)
        assert len(part) == 2
        assert part.id(1) == "0_1"
        np.testing.assert_allclose(scene.inputs[..., 4:] * 1e-4, world.first, atol=6e-5)
        np.testing.assert_allclose(scene.inputs[..., 0] * 0.01, world.radar["vv_t0"], atol=6e-3)
        np.testing.assert_array_equal(scene.sky_t1, world.sky_t1)
        np.testing.assert_array_equal(part.seeing([5, 0]).scene(1).inputs, scene.inputs[..., [5, 0]])


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda file: file.attrs.__delitem__("channels"), "channels"),
        (lambda file: file.__delitem__("validation"), "validation"),
        (lambda file: file.__delitem__("train/target"), "target"),
        (lambda file: file.attrs.__setitem__("grid", "{}"), "epsg"),
        (break_scaler, "vv"),
        (drop_scaler, "nir"),
        (shorten, "test/sky_t1"),
    ],
)
def test_another_layout_is_refused_by_name(tmp_path: Path, damage: Callable[[h5py.File], None], told: str) -> None:
    write_dataset(tmp_path / "d.h5", COUNTS, 32)
    with h5py.File(tmp_path / "d.h5", "a") as file:
        damage(file)
    with pytest.raises(StepError) as caught:
        RemovalDataset(tmp_path / "d.h5")
    assert caught.value.code == "bad_dataset"
    assert told in caught.value.reason


@pytest.mark.parametrize("empty", ["train", "validation", "test"])
def test_a_part_without_tiles_is_refused(tmp_path: Path, empty: str) -> None:
    write_dataset(tmp_path / "d.h5", COUNTS | {empty: 0}, 32)
    with pytest.raises(StepError, match=f"The part {empty} has no tiles") as caught:
        RemovalDataset(tmp_path / "d.h5")
    assert caught.value.code == "bad_dataset"


def test_a_file_that_is_no_hdf5_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.h5").write_text("not this")
    with pytest.raises(StepError) as caught:
        RemovalDataset(tmp_path / "d.h5")
    assert caught.value.code == "corrupt_file"
