import keras
import numpy as np
import pytest

from containers.tensorflow.contract.train import Network
from containers.tensorflow.network import compiled, unet_mini

SMALL = Network(filters=(4, 8), bottleneck=8)


@pytest.fixture(scope="module")
def small_network() -> keras.Model:
    keras.utils.set_random_seed(1)
    return compiled(unet_mini(2, SMALL), learning_rate=0.01, steps=10, label_smoothing=0.2)


def test_default_is_the_reference_network() -> None:
    """16-32-64-128 filters, 256 in the bottleneck, two 3×3 convolutions each: 1.96 million parameters, and those of
    the normalisation."""
    assert unet_mini(3, Network()).count_params() == pytest.approx(1.96e6, rel=0.005)


@pytest.mark.parametrize("shape", [(4, 4), (8, 20), (64, 32)])
def test_probabilities_of_any_size_that_can_be_halved(small_network: keras.Model, shape: tuple[int, int]) -> None:
    inputs = np.random.default_rng(0).normal(size=(3, *shape, 2)).astype(np.float32)
    outputs = small_network.predict_on_batch(inputs)
    assert outputs.shape == (3, *shape, 3)
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs.sum(axis=-1), 1, atol=1e-5)


def test_loss_by_hand_looks_at_cells_with_weight_alone(small_network: keras.Model) -> None:
    """Cross-entropy with a fifth of every label given to the three classes alike, averaged over the known cells."""
    rng = np.random.default_rng(2)
    inputs = rng.normal(size=(1, 4, 4, 2)).astype(np.float32)
    targets = np.eye(3, dtype=np.float32)[rng.integers(0, 3, (1, 4, 4))]
    weights = (rng.random((1, 4, 4)) < 0.5).astype(np.float32)
    outputs = small_network.predict_on_batch(inputs)
    expected = (-(0.8 * targets + 0.2 / 3) * np.log(outputs)).sum(axis=-1)[weights > 0].mean()
    assert 0 < weights.sum() < 16
    loss, accuracy = small_network.test_on_batch(inputs, targets, sample_weight=weights)
    assert float(loss) == pytest.approx(expected, rel=1e-4)
    right = outputs.argmax(axis=-1) == targets.argmax(axis=-1)
    assert float(accuracy) == pytest.approx(right[weights > 0].mean(), rel=1e-4)
