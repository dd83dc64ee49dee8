"""Batches: what is learnt from, what never is, and that only seed and epoch decide."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.base.contract.legend import Sky
from containers.base.scalers import STORED_NODATA
from containers.tensorflow.cloud_shapes import CloudShapes
from containers.tensorflow.recipe import Scene, recipe_of
from containers.tensorflow.removal_config import AugmentationConfig, load_config
from containers.tensorflow.removal_dataset import Part, RemovalDataset
from containers.tensorflow.tile_batches import TrainingBatches, change_of, example_of, turned
from tests.containers.tensorflow.removal_world import SCALERS, channels, write_dataset

SIZE = 32


@pytest.fixture
def part(tmp_path: Path) -> Iterator[Part]:
    write_dataset(tmp_path / "d.h5", {"train": 7, "validation": 1, "test": 1}, SIZE)
    with RemovalDataset(tmp_path / "d.h5") as dataset:
        yield dataset.parts["train"]


def batches(part: Part, preset: str = "adaptive", seed: tuple[int, int] = (0, 0), **overrides: Any) -> TrainingBatches:
    config = load_config(preset, overrides)
    recipe = recipe_of(*channels(), SCALERS, "all", config)
    return TrainingBatches(
        part, np.arange(len(part)), recipe, CloudShapes(part), config.loss, config.augmentation, 2, seed
    )


def test_an_epoch_is_every_tile_once_in_an_order_of_its_own(part: Part) -> None:
    orders = [list(batches(part, seed=(0, epoch))._order) for epoch in range(3)]
    assert all(sorted(order) == list(range(7)) for order in orders)
    assert orders[0] != orders[1] != orders[2]
    epoch = batches(part)
    assert len(epoch) == 4
    assert [len(epoch[index].inputs) for index in range(4)] == [2, 2, 2, 1]


def test_seed_and_epoch_alone_decide(part: Part) -> None:
    one, same = batches(part, seed=(3, 5))[1], batches(part, seed=(3, 5))
    _ = same[0]
    assert all(np.array_equal(a, b) for a, b in zip(one, same[1], strict=True))
    for other in ((3, 6), (4, 5)):
        assert not np.array_equal(one.inputs, batches(part, seed=other)[1].inputs)


def test_hidden_cells_are_never_learnt_from(part: Part) -> None:
    """Real clouds, which are bright in this world, have no weight, whatever is pasted over them."""
    for preset in ("small", "adaptive"):
        for index in range(4):
            batch = batches(part, preset)[index]
            cloud = batch.targets[..., 0] > 0.99
            assert cloud.any()
            assert (batch.weights[cloud] == 0).all()
            assert (batch.weights[~cloud] > 0).any()


def test_pasted_clouds_hide_and_are_scored(part: Part) -> None:
    recipe = recipe_of(*channels(), SCALERS, "all", config := load_config("adaptive", {}))
    scene, hidden = part.scene(0), np.zeros((SIZE, SIZE), bool)
    hidden[10:20] = True
    example = example_of(scene, hidden, recipe, config.loss)
    learnt = scene.seen_t1 & scene.known
    assert (learnt & hidden).any()
    assert (example.inputs[..., -5:][hidden] == 0).all()
    share = config.loss.change_weight * change_of(scene, recipe) / 0.1
    np.testing.assert_allclose(example.weights[learnt & hidden], (1 + share[learnt & hidden]), rtol=1e-5)
    np.testing.assert_allclose(example.weights[learnt & ~hidden], 0.1 * (1 + share[learnt & ~hidden]), rtol=1e-5)
    assert (example.weights[~scene.seen_t1] == 0).all()
    assert (example.inputs[..., -1][scene.seen_t1 & ~hidden] == 1).all()


def test_cells_weigh_by_how_much_they_changed() -> None:
    """Bands of t0 are 0.1 throughout; one cell changes by 0.2, 0, 0.2 and 0: by 0.1 on average."""
    inputs, target = np.full((4, 4, 8), 1000, np.int16), np.full((4, 4, 4), 1000, np.int16)
    target[1, 2] = (3000, 1000, -1000, 1000)
    target[0, 0], target[3, 3] = 3000, 3000
    sky_t0 = np.full((4, 4), Sky.CLEAR, np.uint8)
    sky_t0[0, 0] = Sky.CLOUD
    target[3, 3, 1] = STORED_NODATA
    scene = Scene(inputs, target, sky_t0, np.full((4, 4), Sky.CLEAR, np.uint8))
    config = load_config("adaptive", {"loss.change_weight": 3.0})
    recipe = recipe_of(*channels(), SCALERS, "all", config)
    expected = np.ones((4, 4))
    expected[1, 2] = 1 + 3.0
    expected[3, 3] = 0  # without data at t1
    weights = example_of(scene, np.ones((4, 4), bool), recipe, config.loss).weights
    np.testing.assert_allclose(weights, expected, rtol=1e-5)
    alike = config.loss.model_copy(update={"change_weight": 0.0})
    np.testing.assert_array_equal(example_of(scene, np.ones((4, 4), bool), recipe, alike).weights, expected > 0)


def test_without_an_optical_input_cells_weigh_alike() -> None:
    config = load_config("adaptive", {})
    recipe = recipe_of(*channels(), SCALERS, "radar", config)
    scene = Scene(
        np.full((8, 8, 4), 100, np.int16), np.full((8, 8, 4), 9000, np.int16),
        np.full((8, 8), Sky.CLEAR, np.uint8), np.full((8, 8), Sky.CLEAR, np.uint8),
    )  # fmt: skip
    assert (example_of(scene, np.ones((8, 8), bool), recipe, config.loss).weights == 1).all()


def test_cells_hidden_at_t0_count_only_where_the_network_is_told() -> None:
    scene = Scene(
        np.full((8, 8, 8), 100, np.int16), np.full((8, 8, 4), 100, np.int16),
        np.full((8, 8), Sky.CLOUD, np.uint8), np.full((8, 8), Sky.CLEAR, np.uint8),
    )  # fmt: skip
    for preset, counts in (("small", False), ("adaptive", True)):
        config = load_config(preset, {})
        recipe = recipe_of(*channels(), SCALERS, "all", config)
        assert (example_of(scene, np.ones((8, 8), bool), recipe, config.loss).weights > 0).all() == counts


@pytest.mark.parametrize("array", ["inputs", "target"])
def test_a_cell_without_data_is_not_learnt_from(array: str) -> None:
    scene = Scene(
        np.full((8, 8, 8), 100, np.int16), np.full((8, 8, 4), 100, np.int16),
        np.full((8, 8), Sky.CLEAR, np.uint8), np.full((8, 8), Sky.CLEAR, np.uint8),
    )  # fmt: skip
    getattr(scene, array)[2, 3, 1] = STORED_NODATA
    config = load_config("small", {})
    recipe = recipe_of(*channels(), SCALERS, "all", config)
    example = example_of(scene, np.zeros((8, 8), bool), recipe, config.loss)
    assert np.argwhere(example.weights == 0).tolist() == [[2, 3]]


@pytest.mark.parametrize(("flips", "rotations", "ways"), [(False, False, 1), (True, False, 2), (True, True, 8)])
def test_tiles_are_laid_in_all_allowed_ways_as_a_whole(part: Part, flips: bool, rotations: bool, ways: int) -> None:
    augmentation, rng = AugmentationConfig(flips=flips, rotations=rotations, hide_all=0), np.random.default_rng(0)
    scene, found = part.scene(0), set()
    for _ in range(80):
        laid = turned(scene, augmentation, rng)
        found.add(laid.inputs.tobytes())
        np.testing.assert_array_equal(np.sort(laid.seen_t1.ravel()), np.sort(scene.seen_t1.ravel()))
        pairs = {(a, b) for a, b in zip(scene.inputs[..., 4].ravel(), scene.target[..., 0].ravel(), strict=True)}
        assert {(a, b) for a, b in zip(laid.inputs[..., 4].ravel(), laid.target[..., 0].ravel(), strict=True)} == pairs
    assert len(found) == ways


def test_clouds_have_the_shapes_of_other_tiles(part: Part) -> None:
    clouds, rng = CloudShapes(part), np.random.default_rng(0)
    drawn = [clouds.draw(SIZE, rng, 0.2) for _ in range(60)]
    shares = {round(float((part.sky_t1(index) == Sky.CLOUD).mean()), 9) for index in range(7)}
    assert {round(float(shape.mean()), 9) for shape in drawn} <= shares | {1.0}
    assert any(shape.all() for shape in drawn)
    assert len({shape.tobytes() for shape in drawn}) > 20


def test_where_no_tile_is_cloudy_clouds_are_made(part: Part) -> None:
    class ClearPart:
        def __len__(self) -> int:
            return 2

        def sky_t1(self, index: int) -> np.ndarray:
            return np.full((SIZE, SIZE), Sky.CLEAR, np.uint8)

    clouds = CloudShapes(ClearPart())  # type: ignore[arg-type]
    shares = [clouds.draw(SIZE, np.random.default_rng(seed), 0.1).mean() for seed in range(20)]
    assert all(0 < share <= 1 for share in shares)
