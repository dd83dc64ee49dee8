"""A small convolutional network along time, after TempCNN (Pelletier, Webb and Petitjean 2019, doi:10.3390/rs11050523).

It looks like a scikit-learn classifier, so that it is chosen, calibrated and judged as the others are.
"""

from collections import Counter
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from containers.base.contract.step import StepError
from containers.tensorflow.type_names import DATED

_FILTERS, _KERNEL, _BLOCKS, _DENSE, _DROPOUT = 32, 5, 3, 64, 0.3
_EPOCHS, _BATCH, _RATE, _SMOOTHING = 40, 32, 2e-3, 0.1


def series_shape(names: tuple[str, ...]) -> tuple[int, int]:
    """(layer, date) of the features that are curves; they come first, layer by layer, each with all dates.

    Raises `bad_config` where there are none.
    """
    dates = Counter(match["layer"] for name in names if (match := DATED.match(name)))
    if not dates:
        raise StepError(
            "bad_config",
            "The features hold no curve, which a temporal network needs.",
            "Make features with the set curves or bands, or choose another classifier.",
        )
    return len(dates), next(iter(dates.values()))


class TemporalNetwork(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Convolutions along the dates of the curves; other features join before the last layers."""

    def __init__(self, shape: tuple[int, int], seed: int = 0, epochs: int = _EPOCHS) -> None:
        self.shape, self.seed, self.epochs = shape, seed, epochs

    def fit(self, values: NDArray[np.float32], types: NDArray[np.intp]) -> "TemporalNetwork":
        """Rare types count as much as the square root of their share says they should."""
        keras.utils.set_random_seed(self.seed)
        self.classes_, numbers = np.unique(types, return_inverse=True)
        steps = self.epochs * -(-len(values) // _BATCH)
        self.model_ = temporal_network(values, self.shape, len(self.classes_))
        self.model_.compile(
            optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(_RATE, steps)),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=_SMOOTHING),
        )
        weights = (np.bincount(numbers) / len(numbers)) ** -0.5
        one_hot = np.eye(len(self.classes_), dtype=np.float32)[numbers]
        weight = (weights / weights[numbers].mean())[numbers]
        self.model_.fit(values, one_hot, sample_weight=weight, epochs=self.epochs, batch_size=_BATCH, verbose=0)
        return self

    def predict_proba(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, class)."""
        return network_probabilities(self.model_, values)


def network_probabilities(model: Any, values: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, class); sums are 1 in double precision."""
    probabilities = np.asarray(model.predict(values, batch_size=4096, verbose=0), np.float64)
    return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True))


def temporal_network(values: NDArray[np.float32], shape: tuple[int, int], n_classes: int) -> keras.Model:
    """(n, feature), scaled by the mean and spread of `values`, to (n, class); untrained."""
    n_series = shape[0] * shape[1]
    scale = layers.Normalization()
    scale.adapt(values)
    inputs = keras.Input((values.shape[1],), name="features")
    scaled = scale(inputs)
    tensor = layers.Permute((2, 1))(layers.Reshape(shape)(scaled[:, :n_series]))
    for _ in range(_BLOCKS):
        tensor = layers.Conv1D(_FILTERS, _KERNEL, padding="same", use_bias=False)(tensor)
        tensor = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(tensor))
        tensor = layers.Dropout(_DROPOUT)(tensor)
    tensor = layers.Flatten()(tensor)
    if values.shape[1] > n_series:
        tensor = layers.Concatenate()([tensor, scaled[:, n_series:]])
    tensor = layers.Dropout(_DROPOUT)(layers.Dense(_DENSE, activation="relu")(tensor))
    outputs = layers.Dense(n_classes, activation="softmax", name="probabilities")(tensor)
    return keras.Model(inputs, outputs, name="temporal_network")
