"""Which network rebuilds best, each after the same time: presets, and each part of `adaptive` left out.

    python -m benchmarks.removal_presets FOLDER [SECONDS [VARIANT ...]]

Land and clouds are those of benchmarks.removal_land; errors are of hidden cells of test tiles. A row is written as soon
as its network has learnt.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.removal_land import BANDS, SCALERS, field_world, write_worlds
from containers.tensorflow.contract.removal import TrainRemovalParams
from containers.tensorflow.train_removal import run

TILE_PX, COUNTS = 64, {"train": 160, "validation": 16, "test": 40}
VARIANTS: dict[str, dict[str, Any]] = {
    "small": {"preset": "small"},
    "adaptive": {"preset": "adaptive"},
    "adaptive, t1 not seen": {"preset": "adaptive", "overrides": {"inputs.visible_t1": False}},
    "adaptive, often hidden whole": {"preset": "adaptive", "overrides": {"augmentation.hide_all": 0.4}},
    "adaptive, half as many filters more": {
        "preset": "adaptive", "overrides": {"network.filters": [24, 48, 96], "network.bottleneck": 144}
    },
    "adaptive, visible cells not learnt": {"preset": "adaptive", "overrides": {"loss.visible_weight": 0.0}},
    "adaptive, all cells alike": {"preset": "adaptive", "overrides": {"loss.visible_weight": 1.0}},
    "adaptive, radar of single cells": {"preset": "adaptive", "overrides": {"inputs.radar_means": []}},
    "adaptive, change not weighed": {"preset": "adaptive", "overrides": {"loss.change_weight": 0.0}},
    "small, not residual": {"preset": "small", "overrides": {"network.residual": False}},
    "small, radar only": {"preset": "small", "inputs": "radar"},
    "small, optical only": {"preset": "small", "inputs": "optical"},
}  # fmt: skip


def main(folder: Path, seconds: float, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    worlds = {
        name: [field_world(TILE_PX, 10_000 * part + number) for number in range(count)]
        for part, (name, count) in enumerate(COUNTS.items())
    }
    dataset = write_worlds(folder / "dataset.h5", worlds, TILE_PX, names=BANDS, scalers=SCALERS)
    os.environ["CLEARGROUND_STORE"] = str(folder)
    for name in names or VARIANTS:
        settings = VARIANTS[name]
        params = {"dataset": dataset, **settings}
        pace = trained(params, folder / "pace", epochs=2)
        found = trained(params, folder / name.replace(" ", "_"), epochs=max(2, round(seconds / pace["epoch_s"])))
        print(json.dumps({"variant": name, **found}), flush=True)


def trained(params: dict[str, Any], folder: Path, *, epochs: int) -> dict[str, Any]:
    """Scores after so many epochs, and the processor time of one."""
    for variable, name in (("CLEARGROUND_SIDE", "side"), ("CLEARGROUND_PARTIALS", "partials")):
        (folder / name).mkdir(parents=True, exist_ok=True)
        os.environ[variable] = str(folder / name)
    (folder / "partials" / "checkpoint.npz").unlink(missing_ok=True)
    overrides = {"training.picture_interval": 1000, **params.get("overrides", {}), "training.epochs": epochs}
    started = time.process_time()
    result = run(TrainRemovalParams(**{**params, "overrides": overrides}), folder)
    taken = time.process_time() - started
    card = json.loads((folder / "card.json").read_text())
    copy = [each["scores"] for each in card["scores"] if (each["part"], each["method"]) == ("test", "t0_copy")]
    return {
        "epochs": epochs,
        "epoch_s": taken / epochs,
        **result.scores,
        "t0_copy_mae": copy[0]["mae"] if copy else None,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 120, sys.argv[3:])
