"""Probabilities of cloud for 1000² cells, five components each, from a forest of 500 trees.

Floor: the model's table. Rivals: scikit-learn's `predict_proba` of the same forest on every cell, with two jobs, and
on the distinct combinations only. Both assert that their probabilities are those of the table.
"""

from datetime import date
from pathlib import Path
from typing import Final

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from benchmarks.cases import Case, main
from containers.gdal.contract.mask import COMPONENTS
from containers.gdal.contract.mask_forest import MaskModel, SceneSplit, TrainingDomain
from containers.gdal.mask_forest import cloud_probability, read_model
from containers.gdal.train_mask import collapse

SIZE: Final = 1000
TREES: Final = 500
PIXELS: Final = 50_000
TOLERANCE: Final = 1e-6


def prepare(folder: Path) -> None:
    """A forest of detectors that are right four times of five, its table, and a scene of random components."""
    rng = np.random.default_rng(0)
    cloud = rng.integers(0, 2, PIXELS)
    features = np.where(rng.random((PIXELS, len(COMPONENTS))) < 0.8, cloud[:, None], 1 - cloud[:, None])
    forest = RandomForestClassifier(n_estimators=TREES, random_state=0, n_jobs=2).fit(features, cloud)
    joblib.dump(forest, folder / "forest.joblib")
    counts = np.bincount(features @ (1 << np.arange(len(COMPONENTS))[::-1]), minlength=1 << len(COMPONENTS))
    (folder / "forest.model.json").write_text(model(collapse(forest), counts).model_dump_json())
    np.save(folder / "forest.components.npy", rng.integers(0, 2, (len(COMPONENTS), SIZE, SIZE), np.uint8))


def model(probabilities: NDArray[np.float64], counts: NDArray[np.int64]) -> MaskModel:
    domain = TrainingDomain(
        simulated=True,
        level="L1C",
        mask_resolution_m=60.0,
        baselines=("05.10",),
        tiles=("33UUP",),
        surfaces=("clear",),
        first_date=date(2020, 1, 1),
        last_date=date(2020, 12, 31),
        scenes=1,
    )
    return MaskModel(
        features=COMPONENTS,
        probabilities=tuple(probabilities.tolist()),
        pixels=tuple(counts.tolist()),
        trees=TREES,
        cutoff=0.29,
        split=SceneSplit(seed=0, train=("a",), test=("b",)),
        metrics={},
        training_domain=domain,
        versions={},
    )


def table(folder: Path) -> None:
    model = read_model(folder / "forest.model.json")
    np.save(folder / "forest" / "table" / "probability.npy", cloud_probability(components(folder), model))


def predict_proba(folder: Path) -> None:
    forest = the_forest(folder).set_params(n_jobs=2)
    require_equal(forest.predict_proba(components(folder).reshape(5, -1).T)[:, 1], folder)


def distinct(folder: Path) -> None:
    cells, place = np.unique(components(folder).reshape(5, -1).T, axis=0, return_inverse=True)
    require_equal(the_forest(folder).predict_proba(cells)[:, 1][place.ravel()], folder)


def components(folder: Path) -> NDArray[np.uint8]:
    layers: NDArray[np.uint8] = np.load(folder / "forest.components.npy")
    return layers


def the_forest(folder: Path) -> RandomForestClassifier:
    return joblib.load(folder / "forest.joblib")


def require_equal(probability: NDArray[np.float64], folder: Path) -> None:
    expected = np.load(folder / "forest" / "table" / "probability.npy").ravel()
    worst = np.abs(probability - expected).max()
    if worst > TOLERANCE:
        raise ValueError(f"the table differs from the forest by {worst:g}")


CASES: dict[str, Case] = {"table": table, "predict_proba": predict_proba, "distinct": distinct}


if __name__ == "__main__":
    main("benchmarks.forest", CASES, prepare)
