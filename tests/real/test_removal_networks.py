"""Real radar and optical patches through training and prediction of the networks that rebuild images."""

import tempfile
from pathlib import Path

import keras
import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from containers.base.contract.legend import Sky
from containers.base.scalers import Scaler
from containers.tensorflow.card import versions
from containers.tensorflow.confidence import Calibration
from containers.tensorflow.contract.removal import PredictRemovalParams, RemovalModel, TrainRemovalParams
from containers.tensorflow.generators import build_generator
from containers.tensorflow.predict_removal import run as predict
from containers.tensorflow.recipe import recipe_of
from containers.tensorflow.removal_card import RemovalCard, RemovalDomain, read_removal_card
from containers.tensorflow.removal_config import load_config
from containers.tensorflow.removal_dataset import RemovalDataset
from containers.tensorflow.train_removal import run as train
from tests.containers.tensorflow.removal_world import (
    RADAR,
    SCALERS,
    World,
    channels,
    file_of,
    grid_of,
    write_pair,
    write_worlds,
)

pytestmark = pytest.mark.real
PATCHES = ("282D_485L_3_3", "433D_629L_3_1", "609U_541L_3_0")
TILE_PX, TILES = 32, 7
PARTS = {"train": range(4), "validation": range(4, 5), "test": range(5, 7)}
"""Columns of blocks of every patch."""
RED_GREEN_BLUE_NIR = [3, 2, 1, 7]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, variable in (("store", "STORE"), ("side", "SIDE"), ("partials", "PARTIALS"), ("out", "OUT")):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(f"CLEARGROUND_{variable}", str(tmp_path / name))
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    return tmp_path


def patch(sample_data: Path, kind: str, name: str) -> NDArray[np.float64]:
    """(y, x, band)."""
    path = sample_data / "terramind-examples" / "examples" / kind / f"{name}.tif"
    with rasterio.open(path) as source:
        return np.moveaxis(source.read().astype(np.float64), 0, -1)


def reflectance(sample_data: Path, name: str) -> NDArray[np.float64]:
    """Bands of the target without the offset of later baselines, which one patch still carries: no real surface is so
    bright in its darkest cell in every band."""
    values = patch(sample_data, "S2L2A", name)
    offset = 1000 if (values.min(axis=(0, 1)) > 900).all() else 0
    assert offset == (1000 if name == "433D_629L_3_1" else 0)
    return (values[..., RED_GREEN_BLUE_NIR] - offset) / 10_000


def tiles(sample_data: Path) -> dict[str, list[World]]:
    """Blocks of all patches. The first optical image is the answer itself, which radar alone must not see."""
    found: dict[str, list[World]] = {name: [] for name in PARTS}
    sky = np.full((TILE_PX, TILE_PX), Sky.CLEAR, np.uint8)
    for name in PATCHES:
        optical, radar = reflectance(sample_data, name), patch(sample_data, "S1RTC", name)
        for part, columns in PARTS.items():
            for row in range(TILES):
                for col in columns:
                    cut = np.s_[row * TILE_PX : (row + 1) * TILE_PX, col * TILE_PX : (col + 1) * TILE_PX]
                    bands = {channel: radar[cut][..., int(channel.startswith("vh"))] for channel in RADAR}
                    found[part].append(World(bands, optical[cut], optical[cut], sky, sky))
    return found


def fitted(worlds: list[World]) -> dict[str, Scaler]:
    """z-scores of the training blocks."""
    vv, vh = (np.stack([world.radar[name] for world in worlds]) for name in ("vv_t1", "vh_t1"))
    images = np.stack([world.second for world in worlds])
    groups = {"vv": (vv, 0.2), "vh": (vh, 0.2), "rgb": (images[..., :3], 0.142), "nir": (images[..., 3], 0.142)}
    return {
        name: Scaler(centre=float(values.mean()), spread=float(values.std()), factor=factor)
        for name, (values, factor) in groups.items()
    }


def test_radar_tells_more_of_unseen_blocks_than_their_mean(sample_data: Path, folders: Path) -> None:
    worlds = tiles(sample_data)
    dataset = write_worlds(
        folders / "store" / "d.h5", worlds, TILE_PX, scalers=fitted(worlds["train"]), simulated=False
    )
    overrides = {"training.epochs": 12, "training.batch": 8, "training.picture_interval": 12}
    params = TrainRemovalParams(dataset=dataset, preset="small", overrides=overrides, inputs="radar")
    result = train(params, folders / "out")
    card = read_removal_card(folders / "out" / result.model.card.href)
    assert not card.domain.simulated
    model = keras.saving.load_model(folders / "out" / result.model.weights.href, compile=False)
    mean = np.mean([world.second for world in worlds["train"]], axis=(0, 1, 2))
    with RemovalDataset(folders / "store" / "d.h5") as opened:
        scenes = [opened.parts["test"].seeing([0, 1, 2, 3]).scene(index) for index in range(len(worlds["test"]))]
    hidden = np.zeros((TILE_PX, TILE_PX), bool)
    inputs = np.stack([card.recipe.network_input(scene, hidden) for scene in scenes])
    told = card.recipe.reflectance(model.predict_on_batch(inputs))
    truth = np.stack([world.second for world in worlds["test"]])
    error, of_the_mean = np.abs(told - truth).mean(), np.abs(mean - truth).mean()
    print(f"error {error:.4f}, of the mean {of_the_mean:.4f}")
    assert error < 0.8 * of_the_mean


def test_a_real_triplet_goes_through_prediction(sample_data: Path, folders: Path) -> None:
    """Under real clouds a network that tells the first date restores the clear image, and what is seen stays."""
    folder = sample_data / "glf-cr-sen12mscr" / "data"
    images = {}
    for name in ("s1", "s2_cloudfree", "s2_cloudy"):
        with rasterio.open(next((folder / name).glob("*.tif"))) as source:
            images[name] = np.moveaxis(source.read().astype(np.float64), 0, -1)
    assert np.abs(images["s2_cloudy"] - images["s2_cloudfree"]).mean() == pytest.approx(1087, abs=1)
    clear, seen = (images[name][..., RED_GREEN_BLUE_NIR] / 10_000 for name in ("s2_cloudfree", "s2_cloudy"))
    cloud = (seen - clear).mean(axis=-1) > 0.02
    radar = {name: images["s1"][..., int(name.startswith("vh"))] for name in RADAR}
    sky = np.full(cloud.shape, Sky.CLEAR, np.uint8)
    world = World(radar, clear, seen, sky, np.where(cloud, Sky.CLOUD, Sky.CLEAR).astype(np.uint8))
    pair = write_pair(folders / "store", world, simulated=False)
    result = predict(
        PredictRemovalParams(pair=pair, grid=grid_of(world), model=untrained(folders / "store", world)),
        folders / "out",
    )
    for number, band in enumerate(result.restored):
        with rasterio.open(folders / "out" / result.restored[band].href) as source:
            restored = source.read(1)
        np.testing.assert_allclose(restored[cloud], clear[..., number][cloud] * 1e4, atol=1.5)
        np.testing.assert_allclose(restored[~cloud], seen[..., number][~cloud] * 1e4, atol=1.5)
    with rasterio.open(folders / "out" / result.replaced.href) as source:
        np.testing.assert_array_equal(source.read(1), cloud)


def untrained(store: Path, world: World) -> RemovalModel:
    """A residual network before its first step."""
    config, grid = load_config("small", {"network.filters": [4]}), grid_of(world)
    scalers = {name: scaler.model_copy(update={"clip": None}) for name, scaler in SCALERS.items()}
    recipe = recipe_of(*channels(), scalers, "all", config)
    build_generator(recipe, config.network).save(store / "generator.keras")
    card = RemovalCard(
        recipe=recipe,
        inputs="all",
        preset="small",
        config=config,
        tile_px=128,
        tiles={},
        seed=0,
        domain=RemovalDomain(simulated=False, epsg=grid.epsg, bounds=grid.bounds, resolution_m=10, dataset="sha256:0"),
        scores=(),
        calibration=Calibration(spread=(0.0,), share=(1.0,)),
        epochs=1,
        best_epoch=1,
        versions=versions(),
    )
    (store / "card.json").write_text(card.model_dump_json())
    return RemovalModel(weights=file_of(store / "generator.keras"), card=file_of(store / "card.json"))
