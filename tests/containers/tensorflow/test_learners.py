"""What is learnt: losses by hand, and that smoothing, noise and frozen weights do what they say."""

from typing import Any

import keras
import numpy as np
import pytest

from containers.tensorflow.discriminator import build_discriminator
from containers.tensorflow.generators import build_generator
from containers.tensorflow.learners import ConditionalGan, Regression, compiled, cross_entropy, weighted_l1, weighted_l2
from containers.tensorflow.recipe import recipe_of
from containers.tensorflow.removal_config import load_config
from tests.containers.tensorflow.removal_world import SCALERS, channels

THIN: dict[str, Any] = {
    "network": {"before": [[4, 7], [4, 3]], "filters": 4, "blocks": 1, "after": [[4, 3]]},
    "adversarial.filters": [4, 4, 1],
    "adversarial.strides": [2, 1, 1],
}
rng = np.random.default_rng(0)
X, Y = rng.normal(0, 1, (2, 32, 32, 8)).astype(np.float32), rng.uniform(-1, 1, (2, 32, 32, 4)).astype(np.float32)
WEIGHTS = (rng.random((2, 32, 32)) < 0.7).astype(np.float32)


def gan(**overrides: Any) -> ConditionalGan:
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    config = load_config("reference", {**THIN, **overrides})
    recipe = recipe_of(*channels(), SCALERS, "all", config)
    assert config.adversarial is not None
    discriminator = build_discriminator(12, config.adversarial)
    learner = ConditionalGan(
        build_generator(recipe, config.network), discriminator, config.loss, config.adversarial, seed=1
    )
    compiled(learner, config.optimizer, steps=10)
    return learner


def losses(learner: ConditionalGan) -> dict[str, float]:
    """Parts of the loss, computed without a graph, which takes seconds to make."""
    learner.reset_metrics()
    total = float(learner.compute_loss(X, Y, learner(X, training=True), WEIGHTS))
    return {metric.name: float(metric.result()) for metric in learner.metrics if metric.name != "loss"} | {
        "loss": total
    }


def test_weighted_l1_by_hand() -> None:
    truth, told = np.zeros((1, 1, 3, 2)), np.array([[[[1.0, 3.0], [5.0, 5.0], [9.0, 9.0]]]])
    assert float(weighted_l1(truth, told, np.array([[[1.0, 0.5, 0.0]]]))) == pytest.approx((2 + 2.5) / 1.5)
    assert float(weighted_l1(truth, told, np.zeros((1, 1, 3)))) == 0


def test_weighted_l2_by_hand() -> None:
    truth, told = np.zeros((1, 1, 3, 2)), np.array([[[[1.0, 3.0], [5.0, 5.0], [9.0, 9.0]]]])
    weights = np.array([[[1.0, 0.5, 0.0]]])
    assert float(weighted_l2(truth, told, weights)) == pytest.approx((5 + 0.5 * 25) / 1.5)


def test_cross_entropy_by_hand() -> None:
    answers = np.array([0.5, 0.8], np.float32)
    expected = -np.mean(0.9 * np.log(answers) + 0.1 * np.log(1 - answers))
    assert float(cross_entropy(answers, 0.9)) == pytest.approx(expected, rel=1e-5)


def test_the_discriminator_learns_to_tell_true_from_predicted() -> None:
    learner = gan(**{"adversarial.noise": 0.0, "optimizer.learning_rate": 0.01})
    history = [learner.train_on_batch(X, Y, WEIGHTS, return_dict=True)["discriminator"] for _ in range(30)]
    assert history[-1] < 0.85 * history[0]


def test_labels_are_drawn_from_their_range_once_per_batch() -> None:
    learner = gan()
    drawn = [float(learner.label((0.7, 1.0))) for _ in range(50)]
    assert 0.7 <= min(drawn) < 0.75 < 0.95 < max(drawn) <= 1.0
    assert float(learner.label((0.25, 0.25))) == 0.25


@pytest.mark.parametrize("labels", ["real_labels", "fake_labels"])
def test_smoothing_changes_the_loss_of_the_discriminator_alone(labels: str) -> None:
    plain = {"adversarial.real_labels": [1.0, 1.0], "adversarial.fake_labels": [0.0, 0.0], "adversarial.noise": 0.0}
    smooth = plain | {f"adversarial.{labels}": [0.4, 0.6]}
    hard, soft = losses(gan(**plain)), losses(gan(**smooth))
    assert abs(hard["discriminator"] - soft["discriminator"]) > 1e-3
    assert hard["l1"] == pytest.approx(soft["l1"])
    assert hard["deceit"] == pytest.approx(soft["deceit"])


def test_noise_is_on_what_the_discriminator_sees_and_decays() -> None:
    learner = gan(**{"adversarial.noise": 0.5})
    image, scene = np.zeros((4, 32, 32, 4), np.float32), np.ones((4, 32, 32, 8), np.float32)
    for epoch, sigma in ((0, 0.5), (10, 0.25)):
        learner.start_epoch(epoch)
        shown = keras.ops.convert_to_numpy(learner.shown(image, scene))
        assert shown[..., :4].std() == pytest.approx(sigma, rel=0.05)
        np.testing.assert_array_equal(shown[..., 4:], scene)
    quiet, loud = (losses(gan(**{"adversarial.noise": sigma}))["discriminator"] for sigma in (0.0, 2.0))
    assert abs(quiet - loud) > 1e-3


def test_each_network_learns_by_its_own_loss_alone() -> None:
    """With the generator's loss at nothing it stands still while the discriminator learns, and the other way round:
    what the generator learns does not depend on how the discriminator would like to change."""
    learner = gan(**{"loss.l1": 0.0, "adversarial.weight": 1e-30})
    gradients = gradients_of(learner)
    assert all(np.abs(gradients[variable.path]).max() < 1e-12 for variable in learner.generator.trainable_variables)
    assert any(np.abs(gradients[variable.path]).max() > 1e-6 for variable in learner.discriminator.trainable_variables)
    strong = gradients_of(gan(**{"loss.l1": 0.0, "adversarial.weight": 1.0}))
    for variable in learner.discriminator.trainable_variables:
        np.testing.assert_allclose(strong[variable.path], gradients[variable.path], rtol=1e-4, atol=1e-7)
    assert any(np.abs(strong[variable.path]).max() > 1e-7 for variable in learner.generator.trainable_variables)


def test_judging_for_the_generator_leaves_the_discriminator_as_it_is() -> None:
    learner = gan()
    before = learner.discriminator.get_weights()
    learner.frozen_judgement(np.concatenate([Y, X], axis=-1))
    assert all(np.array_equal(a, b) for a, b in zip(before, learner.discriminator.get_weights(), strict=True))


@pytest.mark.parametrize("kind", ["gan", "regression"])
def test_cells_of_no_weight_teach_nothing(kind: str) -> None:
    other = np.where(WEIGHTS[..., None] == 0, 7.0, Y).astype(np.float32)
    found = [gradients_of(gan() if kind == "gan" else regression(), target) for target in (Y, other)]
    assert all(np.array_equal(gradient, found[1][path]) for path, gradient in found[0].items())
    assert any(gradient.any() for gradient in found[0].values())


def regression() -> Regression:
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    config = load_config("small", {"network.filters": [4]})
    recipe = recipe_of(*channels(), SCALERS, "all", config)
    return compiled(Regression(build_generator(recipe, config.network), config.loss), config.optimizer, steps=10)


@pytest.mark.slow
def test_the_reference_takes_a_step_at_full_size() -> None:
    config = load_config("reference", {})
    recipe = recipe_of(*channels(), SCALERS, "all", config)
    assert config.adversarial is not None
    learner = ConditionalGan(
        build_generator(recipe, config.network), build_discriminator(12, config.adversarial), config.loss,
        config.adversarial, seed=0,
    )  # fmt: skip
    compiled(learner, config.optimizer, steps=1)
    first = learner.train_on_batch(X[:1], Y[:1], WEIGHTS[:1], return_dict=True)
    assert all(np.isfinite(float(value)) for value in first.values())
    expected = 100 * first["l1"] + first["deceit"] + first["discriminator"]
    assert float(first["loss"]) == pytest.approx(float(expected), rel=1e-4)


def gradients_of(learner: Regression, target: np.ndarray = Y) -> dict[str, np.ndarray]:
    """Gradient of the whole loss by the variable's path."""
    tensorflow = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("written for TensorFlow's tape")
    with tensorflow.GradientTape() as tape:
        loss = learner.compute_loss(X, target, learner(X, training=True), WEIGHTS)
    variables = learner.trainable_variables
    found = tape.gradient(loss, [variable.value for variable in variables])
    return {v.path: np.zeros(v.shape) if g is None else g.numpy() for v, g in zip(variables, found, strict=True)}
