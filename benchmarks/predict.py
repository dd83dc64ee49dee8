"""One period of 1472² cells predicted by a network of the default size, from the cube to finished products.

Floor: as many windows by the same compiled network in memory, and nothing else. Both are warm and take turns; the ratio
is the inverse of the share of the in-memory rate.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import keras
import numpy as np

from benchmarks.cases import main_in_turns
from containers.base.contract.files import File, sha256_of
from containers.base.contract.grid import Bounds
from containers.base.step import local_path
from containers.tensorflow.card import ModelCard, Split, TrainingDomain, legend, versions
from containers.tensorflow.contract.predict import PredictParams
from containers.tensorflow.contract.train import LandCoverModel, Network
from containers.tensorflow.cube_reader import Cube
from containers.tensorflow.network import prepare_backend, unet_mini
from containers.tensorflow.normalisation import Normalisation
from containers.tensorflow.predict import load_weights, write_maps

SIZE, WEST_M, NORTH_M = 1472, 4_000_000, 3_000_000
BANDS = ("red", "swir16", "swir22")
WINDOW, OVERLAP, BATCH = 512, 32, 2
N_WINDOWS = len([*range(0, SIZE - WINDOW, WINDOW - OVERLAP), SIZE - WINDOW]) ** 2


def prepare(folder: Path) -> None:
    """A cube of one period, and a network that has learnt nothing."""
    store = folder / "store" / "predict" / "key" / "1"
    store.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(0).normal(1500, 600, (len(BANDS), SIZE, SIZE)).astype(np.int16)
    with h5py.File(store / "cube.h5", "w") as cube:
        cube.attrs.update(
            clearground_cube=1, epsg=3035, resolution_m=20.0, simulated=1, periods=["2020"], bands=list(BANDS),
            transform=(WEST_M, 20.0, 0.0, NORTH_M, 0.0, -20.0),
        )  # fmt: skip
        cube["x"] = WEST_M + 20 * (np.arange(SIZE) + 0.5)
        cube["y"] = NORTH_M - 20 * (np.arange(SIZE) + 0.5)
        cube.create_dataset("reflectance/2020", data=values, chunks=(1, 256, 256), compression="gzip", shuffle=True)
    keras.utils.set_random_seed(0)
    unet_mini(len(BANDS), Network()).save(store / "model.keras")
    (store / "card.json").write_text(card().model_dump_json())


def card() -> ModelCard:
    domain = TrainingDomain(
        simulated=True,
        epsg=3035,
        bounds=Bounds(WEST_M, NORTH_M - 20 * SIZE, WEST_M + 20 * SIZE, NORTH_M),
        resolution_m=20,
        periods=("2020",),
        cube="sha256:0",
    )
    return ModelCard(
        bands=BANDS,
        normalisation=Normalisation(centre=(1500,) * 3, spread=(600,) * 3),
        legend=legend(),
        network=Network(),
        patch_px=256,
        domain=domain,
        split=Split(block_px=512, gap_px=16, seed=0, blocks={}, cells={}),
        scores=(),
        epochs=1,
        best_epoch=1,
        versions=versions(),
    )


def stored(folder: Path, name: str) -> File:
    path = folder / "store" / "predict" / "key" / "1" / name
    return File(href=f"store:predict/key/1/{name}", content_id=sha256_of(path), size=path.stat().st_size)


@contextmanager
def ready(folder: Path) -> Iterator[dict[str, Callable[[], object]]]:
    os.environ["CLEARGROUND_STORE"] = str(folder / "store")
    model = LandCoverModel(weights=stored(folder, "model.keras"), card=stored(folder, "card.json"))
    params = PredictParams(
        cube=stored(folder, "cube.h5"),
        model=model,
        period="2020",
        window_px=WINDOW,
        overlap_px=OVERLAP,
        batch=BATCH,
        allow_simulated_model=True,
    )
    prepare_backend(threads=2)
    network = load_weights(local_path(model.weights))
    batch = np.random.default_rng(0).normal(0, 1, (BATCH, WINDOW, WINDOW, len(BANDS))).astype(np.float32)
    out = folder / "predict" / "clearground"
    out.mkdir(parents=True, exist_ok=True)

    def bare() -> None:
        for first in range(0, N_WINDOWS, BATCH):
            network.predict_on_batch(batch[: N_WINDOWS - first])

    with Cube(local_path(params.cube)) as cube:
        yield {"in_memory": bare, "clearground": lambda: write_maps(cube, card(), network, params, out)}


if __name__ == "__main__":
    main_in_turns("benchmarks.predict", ready, prepare)
