"""A pair of 768² cells rebuilt by the network `small`, in four turns as always, from its rasters to finished products.

Floor: as many windows by the same compiled network in memory, and nothing else. Both are warm and take turns; the ratio
is the inverse of the share of the bare rate.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np

from benchmarks.cases import main_in_turns
from benchmarks.removal_land import SCALERS, channels, make_world, write_pair
from containers.base.contract.files import File, sha256_of
from containers.base.contract.pair import Pair
from containers.base.step import local_path
from containers.tensorflow.card import versions
from containers.tensorflow.confidence import TURNS, Calibration
from containers.tensorflow.contract.removal import PredictRemovalParams, RemovalModel
from containers.tensorflow.generators import build_generator
from containers.tensorflow.network import prepare_backend
from containers.tensorflow.pair_reader import pair_reader
from containers.tensorflow.predict import load_weights
from containers.tensorflow.predict_removal import rebuild
from containers.tensorflow.recipe import recipe_of
from containers.tensorflow.removal_card import RemovalCard, RemovalDomain, read_removal_card
from containers.tensorflow.removal_config import load_config

SIZE, TILE_PX, OVERLAP, BATCH = 768, 256, 32, 2
N_WINDOWS = len([*range(0, SIZE - TILE_PX, TILE_PX - OVERLAP), SIZE - TILE_PX]) ** 2


def prepare(folder: Path) -> None:
    """A pair, and a network that has learnt nothing."""
    store = folder / "store"
    store.mkdir(parents=True, exist_ok=True)
    pair = write_pair(store, make_world((SIZE, SIZE)))
    (store / "pair.json").write_text(pair.model_dump_json())
    config = load_config("small", {})
    recipe = recipe_of(*channels(), SCALERS, "all", config)
    keras.utils.set_random_seed(0)
    build_generator(recipe, config.network).save(store / "generator.keras")
    grid = pair.radar_t0.grid
    domain = RemovalDomain(
        simulated=True, epsg=grid.epsg, bounds=grid.bounds, resolution_m=grid.resolution_m, dataset="sha256:0"
    )
    card = RemovalCard(
        recipe=recipe,
        inputs="all",
        preset="small",
        config=config,
        tile_px=TILE_PX,
        tiles={},
        seed=0,
        domain=domain,
        scores=(),
        calibration=Calibration(spread=(0.0,), share=(1.0,)),
        epochs=1,
        best_epoch=1,
        versions=versions(),
    )
    (store / "card.json").write_text(card.model_dump_json())


def stored(folder: Path, name: str) -> File:
    path = folder / "store" / name
    return File(href=f"store:{name}", content_id=sha256_of(path), size=path.stat().st_size)


@contextmanager
def ready(folder: Path) -> Iterator[dict[str, Callable[[], object]]]:
    os.environ["CLEARGROUND_STORE"] = str(folder / "store")
    pair = Pair.model_validate_json((folder / "store" / "pair.json").read_text())
    model = RemovalModel(weights=stored(folder, "generator.keras"), card=stored(folder, "card.json"))
    params = PredictRemovalParams(
        pair=pair, grid=pair.radar_t0.grid, model=model, overlap_px=OVERLAP, batch=BATCH, allow_simulated_model=True
    )
    prepare_backend(threads=2)
    card, network = read_removal_card(local_path(model.card)), load_weights(local_path(model.weights))
    reader = pair_reader(pair, card.recipe, params.grid.shape)
    batch = np.random.default_rng(0).normal(0, 1, (BATCH, TILE_PX, TILE_PX, card.recipe.width)).astype(np.float32)
    out = folder / "removal_prediction" / "clearground"
    out.mkdir(parents=True, exist_ok=True)

    def bare() -> None:
        for _ in range(TURNS * N_WINDOWS // BATCH):
            network.predict_on_batch(batch)

    yield {"in_memory": bare, "clearground": lambda: rebuild(reader, card, network, params, out)}


if __name__ == "__main__":
    main_in_turns("benchmarks.removal_prediction", ready, prepare)
