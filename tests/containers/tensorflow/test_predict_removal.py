"""Prediction of pairs: products, what they hold where, and refusals; the network is one that tells what is known."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import rasterio

from containers.base.contract.files import File
from containers.base.contract.legend import Sky
from containers.base.contract.pair import Pair
from containers.base.contract.step import StepError
from containers.tensorflow import predict_removal
from containers.tensorflow.card import versions
from containers.tensorflow.confidence import Calibration
from containers.tensorflow.contract.removal import PredictRemovalParams, PredictRemovalResult, RemovalModel
from containers.tensorflow.generators import build_generator
from containers.tensorflow.predict_removal import run
from containers.tensorflow.recipe import recipe_of
from containers.tensorflow.removal_card import RemovalCard, RemovalDomain
from containers.tensorflow.removal_config import load_config
from tests.containers.tensorflow.removal_world import (
    BANDS,
    SCALERS,
    World,
    channels,
    cloudy,
    file_of,
    grid_of,
    make_world,
    write_pair,
)

SHAPE = (75, 101)
NETWORK = {"network.filters": [4], "network.bottleneck": 4}


def scarred(seed: int = 5) -> World:
    """A world with gaps in its images: without radar in a wide corner, without an optical cell at t0, at t1."""
    world = make_world(SHAPE, seed)
    world.radar["vv_t1"][-12:, -12:] = np.nan
    world.radar["vh_t0"][40, 40] = np.nan
    return world


def model_in(store: Path, preset: str = "small", moved: float = 0.0, **changes: Any) -> RemovalModel:
    """An untrained network, which tells what is known, `moved` by random weights."""
    config = load_config(preset, NETWORK | {"network.regression": False})
    recipe = recipe_of(*channels(), SCALERS, "all", config)
    keras.utils.set_random_seed(0)
    generator = build_generator(recipe, config.network)
    told, rng = generator.get_layer("told"), np.random.default_rng(0)
    told.kernel.assign(rng.normal(0, moved, told.kernel.shape))
    generator.save(store / "generator.keras")
    grid = grid_of(make_world(SHAPE))
    domain = RemovalDomain(
        simulated=True, epsg=grid.epsg, bounds=grid.bounds, resolution_m=10, dataset="sha256:0"
    )  # fmt: skip
    card = RemovalCard(
        recipe=recipe,
        inputs="all",
        preset="small",
        config=config,
        tile_px=32,
        tiles={},
        seed=0,
        domain=domain,
        scores=(),
        calibration=Calibration(spread=(0.0, 0.01), share=(1.0, 0.2)),
        epochs=1,
        best_epoch=1,
        versions=versions(),
    )
    (store / "card.json").write_text(card.model_copy(update=changes).model_dump_json())
    return RemovalModel(weights=file_of(store / "generator.keras"), card=file_of(store / "card.json"))


def params_for(pair: Pair, model: RemovalModel, **changes: Any) -> PredictRemovalParams:
    return PredictRemovalParams(**{"pair": pair, "grid": pair.radar_t0.grid, "model": model, "overlap_px": 8} | changes)


def read(out: Path, files: dict[str, File] | File) -> np.ndarray:
    if isinstance(files, dict):
        return np.stack([read(out, file) for file in files.values()], axis=-1)
    with rasterio.open(out / files.href) as source:
        return source.read(1)


def predicted(params: PredictRemovalParams, out: Path) -> PredictRemovalResult:
    out.mkdir()
    return run(params, out)


def test_seen_cells_are_restored_and_hidden_ones_predicted(removal_store: Path, tmp_path: Path) -> None:
    world = scarred()
    result = predicted(params_for(write_pair(removal_store, world), model_in(removal_store)), out := tmp_path / "out")
    simulated, restored = read(out, result.simulated), read(out, result.restored)
    replaced, confidence = read(out, result.replaced), read(out, result.confidence)
    unknown = np.zeros(SHAPE, bool)
    unknown[-12:, -12:] = True
    assert tuple(result.simulated) == BANDS
    np.testing.assert_array_equal((simulated == -32768).all(axis=-1), unknown)
    np.testing.assert_array_equal((simulated == -32768).any(axis=-1), unknown)
    np.testing.assert_array_equal(confidence == 255, unknown)
    seen = world.sky_t1 == Sky.CLEAR
    np.testing.assert_array_equal(restored[seen], np.rint(cloudy(world)[seen] * 1e4))
    np.testing.assert_array_equal(restored[~seen], simulated[~seen])
    np.testing.assert_array_equal(replaced, np.where(seen, 0, np.where(unknown, 255, 1)))
    known = ~unknown & (world.sky_t0 == Sky.CLEAR)
    np.testing.assert_allclose(simulated[known], world.first[known] * 1e4, atol=1.5)


def test_a_visible_second_date_is_told_as_it_was_seen(removal_store: Path, tmp_path: Path) -> None:
    world = make_world(SHAPE, 5)
    params = params_for(write_pair(removal_store, world), model_in(removal_store, "adaptive"))
    result = predicted(params, out := tmp_path / "out")
    simulated, seen = read(out, result.simulated), world.sky_t1 == Sky.CLEAR
    np.testing.assert_allclose(simulated[seen], world.second[seen] * 1e4, atol=1.5)
    hidden = ~seen & (world.sky_t0 == Sky.CLEAR)
    np.testing.assert_allclose(simulated[hidden], world.first[hidden] * 1e4, atol=1.5)


def test_windows_are_blended_and_the_same_every_time(removal_store: Path, tmp_path: Path) -> None:
    pair, model = write_pair(removal_store, scarred()), model_in(removal_store, moved=0.3)
    results = [predicted(params_for(pair, model, batch=batch), tmp_path / str(batch)) for batch in (1, 4)]
    images = [read(tmp_path / str(batch), result.simulated) for batch, result in zip((1, 4), results, strict=True)]
    np.testing.assert_allclose(*images, atol=1)
    again = predicted(params_for(pair, model, batch=1), tmp_path / "again")
    assert again == results[0]
    whole = model_in(removal_store, moved=0.3, tile_px=128)
    one_window = read(tmp_path / "whole", predicted(params_for(pair, whole), tmp_path / "whole").simulated)
    known = one_window[..., 0] != -32768
    difference = np.abs(images[0].astype(int) - one_window)[known]
    assert np.median(difference) <= 5
    assert np.abs(one_window[known] / 1e4 - scarred().first[known]).mean() > 0.003, "the network does something"


def test_confidence_falls_where_turned_windows_disagree(removal_store: Path, tmp_path: Path) -> None:
    pair = write_pair(removal_store, make_world(SHAPE, 5))
    sure = predicted(params_for(pair, model_in(removal_store)), tmp_path / "sure").confidence
    unsure = predicted(params_for(pair, model_in(removal_store, moved=0.3)), tmp_path / "unsure").confidence
    assert (read(tmp_path / "sure", sure) >= 245).all()
    assert read(tmp_path / "unsure", unsure).mean() < 200


def test_gaps_of_radar_are_closed_across_strips(removal_store: Path, tmp_path: Path) -> None:
    """Strips of 32 rows that overlap by 8 begin at 24: a gap there is narrow, whichever strip it is read in."""
    world = make_world(SHAPE, 5)
    world.radar["vv_t0"][23:26, 50] = np.nan
    result = predicted(params_for(write_pair(removal_store, world), model_in(removal_store)), out := tmp_path / "out")
    assert (read(out, result.simulated) != -32768).all()


def refused(params: PredictRemovalParams, out: Path) -> StepError:
    out.mkdir()
    with pytest.raises(StepError) as caught:
        run(params, out)
    assert not list(out.glob("*.tif"))
    return caught.value


def without(pair: Pair, image: str, name: str) -> Pair:
    part = getattr(pair, image)
    bands = {band: file for band, file in part.bands.items() if band != name}
    return pair.model_copy(update={image: part.model_copy(update={"bands": bands})})


@pytest.mark.parametrize(
    ("image", "name", "told"),
    [("radar_t1", "vh", "vh_t1"), ("optical_t0", "nir", "nir_t0"), ("optical_t1", "red", "red")],
)
def test_a_pair_without_a_channel_is_refused(
    removal_store: Path, tmp_path: Path, image: str, name: str, told: str
) -> None:
    pair = without(write_pair(removal_store, make_world(SHAPE)), image, name)
    error = refused(params_for(pair, model_in(removal_store)), tmp_path / "out")
    assert error.code == "bad_model"
    assert f"no {told}." in error.reason


def test_another_resolution_is_refused(removal_store: Path, tmp_path: Path) -> None:
    pair = write_pair(removal_store, make_world(SHAPE), resolution_m=20)
    error = refused(params_for(pair, model_in(removal_store)), tmp_path / "out")
    assert (error.code, "20" in error.reason) == ("bad_model", True)


def test_another_grid_is_refused(removal_store: Path, tmp_path: Path) -> None:
    pair = write_pair(removal_store, make_world(SHAPE))
    grid = pair.radar_t0.grid.model_copy(update={"width": 50})
    error = refused(params_for(pair, model_in(removal_store), grid=grid), tmp_path / "out")
    assert error.code == "grid_mismatch"


def test_a_simulated_model_predicts_real_scenes_only_when_told(removal_store: Path, tmp_path: Path) -> None:
    pair, model = write_pair(removal_store, make_world(SHAPE), simulated=False), model_in(removal_store)
    error = refused(params_for(pair, model), tmp_path / "refused")
    assert (error.code, "simulated" in error.reason) == ("bad_model", True)
    assert predicted(params_for(pair, model, allow_simulated_model=True), tmp_path / "told").simulated


def test_outside_its_training_area_it_warns(removal_store: Path, tmp_path: Path) -> None:
    elsewhere = RemovalDomain(simulated=True, epsg=32632, bounds=(0, 0, 1, 1), resolution_m=10, dataset="sha256:0")
    model = model_in(removal_store, domain=elsewhere)
    result = predicted(params_for(write_pair(removal_store, make_world(SHAPE)), model), tmp_path / "out")
    assert [warning.code for warning in result.warnings] == ["outside_training_area"]


def test_an_overlap_beyond_half_a_window_is_refused(removal_store: Path, tmp_path: Path) -> None:
    pair = write_pair(removal_store, make_world(SHAPE))
    error = refused(params_for(pair, model_in(removal_store), overlap_px=17), tmp_path / "out")
    assert (error.code, "16" in error.hint) == ("bad_parameters", True)


@pytest.mark.parametrize("broken", ["card.json", "generator.keras"])
def test_what_is_no_model_is_refused(removal_store: Path, tmp_path: Path, broken: str) -> None:
    pair, model = write_pair(removal_store, make_world(SHAPE)), model_in(removal_store)
    (removal_store / broken).write_text("{}")
    assert refused(params_for(pair, model), tmp_path / "out").code == "bad_model"


def test_memory_holds_a_strip_not_the_image(
    removal_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[int] = []
    read_scene = predict_removal.PairReader.scene
    monkeypatch.setattr(
        predict_removal.PairReader,
        "scene",
        lambda reader, row, count: (rows.append(count), read_scene(reader, row, count))[1],
    )
    predicted(params_for(write_pair(removal_store, make_world(SHAPE)), model_in(removal_store)), tmp_path / "out")
    assert max(rows) <= 32
