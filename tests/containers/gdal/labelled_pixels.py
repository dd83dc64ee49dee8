"""A table of labelled pixels from detectors of known skill."""

from typing import Any

import numpy as np
import pandas as pd

from containers.gdal.contract.mask import COMPONENTS

RECALL = {"tree1": 0.6, "tree2": 0.85, "tree3": 0.9, "percentile1": 0.7, "percentile5": 0.8}
FALSE_ALARMS = {"tree1": 0.05, "tree2": 0.1, "tree3": 0.08, "percentile1": 0.15, "percentile5": 0.2}
CLEAR_LABELS = ("clear/water", "clear/bright", "snow")


def labelled_pixels(scenes: int = 12, pixels: int = 400, seed: int = 0) -> pd.DataFrame:
    """Independent detectors; snow fools the trees, and how much a scene fools them is its own."""
    rng = np.random.default_rng(seed)
    tables = []
    for number in range(scenes):
        cloud = np.repeat([0, 1], pixels // 2).astype(np.uint8)
        clear_labels = rng.choice(np.array(CLEAR_LABELS), pixels)
        label = np.where(cloud == 1, rng.choice(np.array(("cloud", "cirrus")), pixels), clear_labels)
        worse = rng.uniform(0.5, 2)
        columns: dict[str, Any] = {
            "scene_id": f"scene-{number:02}",
            "tile": "33UUP",
            "acquired": f"2018-{1 + number % 12:02}-{1 + number // 12:02}T10:00:31+00:00",
            "level": "L1C",
            "baseline": "05.10",
            "simulated": True,
            "mask_resolution_m": 60.0,
            "label": label,
            "cloud": cloud,
        }
        for name in COMPONENTS:
            wrong = np.where(label == "snow", 3 * worse, worse) if name.startswith("tree") else worse
            chance = np.where(cloud == 1, RECALL[name], np.minimum(FALSE_ALARMS[name] * wrong, 1))
            columns[name] = (rng.random(pixels) < chance).astype(np.uint8)
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)
