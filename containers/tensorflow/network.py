"""The network: a small U-Net (Ronneberger et al. 2015, MICCAI, doi 10.1007/978-3-319-24574-4_28), with batch
normalisation, which it did not have then and which makes a few minutes of training enough.

Keras 3 alone, so that any of its backends runs it.
"""

import contextlib

import keras
from keras import layers

from containers.base.contract.legend import CLASSES
from containers.tensorflow.contract.train import Network


def unet_mini(n_bands: int, network: Network) -> keras.Model:
    """(n, y, x, band) to class probabilities (n, y, x, class); y and x are multiples of 2 to the number of filters."""
    inputs = keras.Input((None, None, n_bands), name="reflectance")
    tensor, skips = inputs, []
    for filters in network.filters:
        tensor = _convolve_twice(tensor, filters)
        skips.append(tensor)
        tensor = layers.MaxPooling2D(2)(tensor)
    tensor = _convolve_twice(tensor, network.bottleneck)
    for filters, skip in zip(reversed(network.filters), reversed(skips), strict=True):
        tensor = layers.Concatenate()([layers.UpSampling2D(2, interpolation="nearest")(tensor), skip])
        tensor = _convolve_twice(tensor, filters)
    outputs = layers.Conv2D(len(CLASSES), 1, activation="softmax", dtype="float32", name="probabilities")(tensor)
    return keras.Model(inputs, outputs, name="unet_mini")


def compiled(model: keras.Model, *, learning_rate: float, steps: int, label_smoothing: float) -> keras.Model:
    """The model with Adam, whose steps shrink to nothing along a cosine, and the weighted mean of the cells'
    cross-entropy."""
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, steps)),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing, reduction="mean_with_sample_weight"),
        weighted_metrics=["accuracy"],
    )
    return model


def prepare_backend(*, threads: int, seed: int = 0) -> None:
    """Seed every generator, and keep TensorFlow, which counts the machine's cores, to the step's threads."""
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.get_logger().setLevel("ERROR")  # it takes the last, smaller batch of a strip for a mistake
        with contextlib.suppress(RuntimeError):  # raised where this process has computed before
            tensorflow.config.threading.set_intra_op_parallelism_threads(threads)


def _convolve_twice(tensor: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    for _ in range(2):
        tensor = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(tensor)
        tensor = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(tensor))
    return tensor
