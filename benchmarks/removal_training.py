"""An epoch of the network `small` over 64 tiles of 128² cells, everything included that it takes.

Floor: the same steps of the same compiled network on batches in memory, and nothing else. Both are warm and take turns;
the ratio is the inverse of the share of the bare rate.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.cases import main_in_turns
from benchmarks.removal_land import BANDS, SCALERS, field_world, write_worlds
from containers.tensorflow.contract.removal import TrainRemovalParams
from containers.tensorflow.devices import prepared
from containers.tensorflow.removal_config import load_config
from containers.tensorflow.removal_dataset import RemovalDataset
from containers.tensorflow.removal_training import learner_of
from containers.tensorflow.train_removal import training_of

TILE_PX = 128
COUNTS = {"train": 64, "validation": 1, "test": 1}


def prepare(folder: Path) -> None:
    """A dataset whose tiles repeat a few worlds, so that it is soon made."""
    worlds = [field_world(TILE_PX, seed) for seed in range(4)]
    parts = {name: [worlds[number % 4] for number in range(count)] for name, count in COUNTS.items()}
    write_worlds(folder / "dataset.h5", parts, TILE_PX, names=BANDS, scalers=SCALERS)


@contextmanager
def ready(folder: Path) -> Iterator[dict[str, Callable[[], object]]]:
    os.environ["CLEARGROUND_STORE"] = str(folder)
    params = TrainRemovalParams(dataset={"href": "store:dataset.h5", "content_id": "sha256:0", "size": 1})
    with (
        RemovalDataset(folder / "dataset.h5") as dataset,
        prepared(threads=2, seed=0, precision="float32", devices="one"),
    ):
        training = training_of(dataset, load_config("small", {}), params)
        learner, epochs = learner_of(training), count()
        in_memory = list(map(training.batches(0).__getitem__, range(len(training.batches(0)))))

        def steps() -> None:
            for batch in in_memory:
                learner.train_on_batch(*batch)

        def epoch() -> None:
            number = next(epochs)
            batches = training.batches(number)
            learner.fit(batches, initial_epoch=number, epochs=number + 1, shuffle=False, verbose=0)

        yield {"in_memory": steps, "clearground": epoch}
        if not np.isfinite(learner.get_metrics_result()["loss"]):
            raise ArithmeticError("the loss diverged")


if __name__ == "__main__":
    main_in_turns("benchmarks.removal_training", ready, prepare)
