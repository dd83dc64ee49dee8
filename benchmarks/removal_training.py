"""Training steps of the network `small` on 64 tiles of 128² cells: one epoch with everything that it takes.

Floor: the same steps on batches in memory by Keras' own loop over single batches, and nothing else. The ratio is the
inverse of the share of the in-memory rate. Both make their graph first, which is counted in both.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.cases import Case, main
from benchmarks.removal_land import BANDS, SCALERS, field_world, write_worlds
from containers.tensorflow.contract.removal import TrainRemovalParams
from containers.tensorflow.devices import prepared
from containers.tensorflow.removal_config import load_config
from containers.tensorflow.removal_dataset import RemovalDataset
from containers.tensorflow.removal_training import Training, learner_of
from containers.tensorflow.train_removal import training_of

TILE_PX, EPOCHS = 128, 10
COUNTS = {"train": 64, "validation": 1, "test": 1}


def prepare(folder: Path) -> None:
    """A dataset whose tiles repeat a few worlds, so that it is soon made."""
    worlds = [field_world(TILE_PX, seed) for seed in range(4)]
    parts = {name: [worlds[number % 4] for number in range(count)] for name, count in COUNTS.items()}
    write_worlds(folder / "dataset.h5", parts, TILE_PX, names=BANDS, scalers=SCALERS)


@contextmanager
def training(folder: Path) -> Iterator[Training]:
    os.environ["CLEARGROUND_STORE"] = str(folder)
    config = load_config("small", {})
    params = TrainRemovalParams(dataset={"href": "store:dataset.h5", "content_id": "sha256:0", "size": 1})
    with (
        RemovalDataset(folder / "dataset.h5") as dataset,
        prepared(threads=2, seed=0, precision="float32", devices="one"),
    ):
        yield training_of(dataset, config, params)


def in_memory(folder: Path) -> None:
    with training(folder) as prepared_training:
        learner = learner_of(prepared_training)
        batch = prepared_training.batches(0)[0]
        for _ in range(EPOCHS * len(prepared_training.batches(0))):
            learner.train_on_batch(*batch)


def clearground(folder: Path) -> None:
    with training(folder) as prepared_training:
        learner = learner_of(prepared_training)
        for epoch in range(EPOCHS):
            batches = prepared_training.batches(epoch)
            learner.fit(batches, initial_epoch=epoch, epochs=epoch + 1, shuffle=False, verbose=0)
    if not np.isfinite(learner.get_metrics_result()["loss"]):
        raise ArithmeticError("the loss diverged")


CASES: dict[str, Case] = {"in_memory": in_memory, "clearground": clearground}


if __name__ == "__main__":
    main("benchmarks.removal_training", CASES, prepare)
