"""What a network of change starts from: least squares, as the whole set in memory would give it."""

from pathlib import Path

import numpy as np

from containers.tensorflow.generators import REGRESSION, build_generator
from containers.tensorflow.recipe import recipe_of
from containers.tensorflow.regression import fitted
from containers.tensorflow.removal_config import load_config
from containers.tensorflow.removal_dataset import RemovalDataset
from tests.containers.tensorflow.removal_world import write_dataset


def test_the_untrained_network_tells_the_regression(tmp_path: Path) -> None:
    write_dataset(tmp_path / "d.h5", {"train": 3, "validation": 1, "test": 1}, 32)
    config = load_config("adaptive", {"network.filters": [4]})
    with RemovalDataset(tmp_path / "d.h5") as dataset:
        recipe = recipe_of(dataset.channels, dataset.bands, dataset.scalers, "all", config)
        train = dataset.parts["train"]
        scenes = [train.scene(tile) for tile in range(3)]
        generator = build_generator(recipe, config.network)
        generator.get_layer(REGRESSION).set_weights(fitted(train, np.arange(3), recipe))
    nothing = np.zeros((32, 32), bool)
    inputs = [recipe.network_input(scene, nothing) for scene in scenes]
    cells = [scene.seen_t0 & scene.seen_t1 & scene.known for scene in scenes]
    known = np.concatenate([values[where][:, : recipe.described] for values, where in zip(inputs, cells, strict=True)])
    truth = np.concatenate(
        [recipe.scaled_target(scene.target)[where] for scene, where in zip(scenes, cells, strict=True)]
    )
    known = np.c_[known, np.ones(len(known))]
    expected = known @ np.linalg.lstsq(known, truth, rcond=None)[0]
    told = generator.predict_on_batch(np.stack(inputs))
    found = np.concatenate([values[where] for values, where in zip(told, cells, strict=True)])
    np.testing.assert_allclose(found, expected, atol=5e-3)
    assert np.square(found - truth).mean() < np.square(known[:, 4:8] - truth).mean(), "better than the copy of t0"
