"""Networks: sizes that the reference published, how far they see, and that a graph computes what is written."""

from typing import Any

import keras
import numpy as np
import pytest

from containers.tensorflow.discriminator import build_discriminator
from containers.tensorflow.generators import build_generator
from containers.tensorflow.recipe import Recipe, recipe_of
from containers.tensorflow.removal_config import AdversarialConfig, ResnetConfig, load_config
from tests.containers.tensorflow.removal_world import SCALERS, channels


def recipe_for(preset: str, **overrides: Any) -> Recipe:
    return recipe_of(*channels(), SCALERS, "all", load_config(preset, overrides))


def small_resnet() -> ResnetConfig:
    """The reference's kernels with two filters each."""
    changes = {"before": [[2, 7], [2, 3], [2, 3]], "filters": 2, "after": [[2, 3], [2, 3]]}
    config = load_config("reference", {"network": changes}).network
    assert isinstance(config, ResnetConfig)
    return config


def extent(model: keras.Model, edge: int) -> int:
    """Width in cells of what the middle output depends on: an impulse in one column after the other.

    Without biases the output is 0 but for the impulse, and with positive weights nothing cancels out.
    """
    for variable in model.trainable_variables:
        variable.assign(np.full(variable.shape, 0.0 if variable.name in ("bias", "beta") else 0.5))
    impulses = np.zeros((edge, edge, edge, model.input_shape[-1]), np.float32)
    impulses[np.arange(edge), :, np.arange(edge)] = 1
    answers = model.predict_on_batch(impulses)[..., 0]
    changed = np.flatnonzero(answers[:, answers.shape[1] // 2, answers.shape[2] // 2])
    return int(changed[-1] - changed[0] + 1)


def test_the_reference_has_the_published_size() -> None:
    config = load_config("reference", {})
    assert build_generator(recipe_for("reference"), config.network).count_params() == 11_407_748
    assert config.adversarial is not None
    discriminator = build_discriminator(12, config.adversarial)
    assert discriminator.count_params() == 3_433_541
    assert discriminator.compute_output_shape((2, 256, 256, 12)) == (2, 30, 30, 1)


def test_the_reference_sees_53_and_70_cells() -> None:
    generator = build_generator(recipe_for("reference"), small_resnet())
    assert extent(generator, 71) == 53
    config = load_config("reference", {}).adversarial
    assert config is not None
    thin = config.model_copy(update={"filters": (2, 2, 2, 2, 1)})
    discriminator = build_discriminator(12, thin)
    before_sigmoid = keras.Model(discriminator.input, discriminator.layers[-1].input)
    assert extent(before_sigmoid, 96) == 70


@pytest.mark.parametrize("preset", ["reference", "small", "adaptive"])
def test_a_graph_computes_what_layers_do(preset: str) -> None:
    """TensorFlow rewrites graphs, once with another slope of a rectifier."""
    network = small_resnet() if preset == "reference" else load_config(preset, {"network.filters": [4, 6]}).network
    recipe = recipe_for(preset)
    keras.utils.set_random_seed(3)
    model, rng = build_generator(recipe, network), np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, 0.3, variable.shape))
    inputs = rng.normal(0, 1, (2, 16, 16, recipe.width)).astype(np.float32)
    direct = keras.ops.convert_to_numpy(model(inputs, training=False))
    np.testing.assert_allclose(model.predict_on_batch(inputs), direct, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("visible_t1", [False, True])
def test_an_untrained_residual_network_tells_what_is_known(visible_t1: bool) -> None:
    overrides = {"network.filters": [4], "network.regression": False, "inputs.visible_t1": visible_t1}
    config = load_config("adaptive", overrides)
    recipe = recipe_of(*channels(), SCALERS, "all", config)
    rng = np.random.default_rng(0)
    inputs = rng.normal(0, 1, (1, 8, 8, recipe.width)).astype(np.float32)
    expected = inputs[..., list(recipe.optical)]
    if visible_t1:
        visible = rng.random((1, 8, 8, 1)) < 0.5
        inputs[..., -1:] = visible
        inputs[..., -5:-1] *= visible
        expected = np.where(visible, inputs[..., -5:-1], expected)
    np.testing.assert_allclose(build_generator(recipe, config.network).predict_on_batch(inputs), expected, atol=1e-6)


def test_mixed_precision_tells_float32() -> None:
    config = load_config("small", {"network.filters": [4]})
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build_generator(recipe_for("small"), config.network)
    finally:
        keras.config.set_dtype_policy(before)
    assert model.layers[2].compute_dtype == "bfloat16"
    assert model.predict_on_batch(np.zeros((1, 8, 8, 8), np.float32)).dtype == np.float32


def test_the_discriminator_ends_each_patch_with_a_probability() -> None:
    thin = AdversarialConfig(
        filters=(2, 1), strides=(2, 1), weight=1, real_labels=(1, 1), fake_labels=(0, 0), noise=0, noise_decay=0,
        noise_epochs=1,
    )  # fmt: skip
    answers = build_discriminator(3, thin).predict_on_batch(np.random.default_rng(0).normal(size=(2, 16, 16, 3)))
    assert answers.shape == (2, 7, 7, 1)
    assert ((answers > 0) & (answers < 1)).all()
