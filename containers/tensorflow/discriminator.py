"""The discriminator: is this image true, given what the generator saw? One answer per patch (Isola et al. 2017,
arXiv 1611.07004).

With twelve channels the preset `reference` has 3,433,541 parameters and every answer sees 70 cells across.
"""

import keras
from keras import layers

from containers.tensorflow.removal_config import AdversarialConfig

KERNEL, SLOPE = 4, 0.2


def build_discriminator(channels: int, config: AdversarialConfig) -> keras.Model:
    """(n, y, x, [image, scene]) to probabilities of a true image (n, y', x', 1)."""
    inputs = keras.Input((None, None, channels), name="image_and_scene")
    tensor = inputs
    for number, (filters, stride) in enumerate(zip(config.filters, config.strides, strict=True)):
        padded = keras.ops.pad(tensor, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")
        tensor = layers.LeakyReLU(SLOPE)(layers.Conv2D(filters, KERNEL, strides=stride)(padded))
        if number:
            tensor = layers.BatchNormalization()(tensor)
    outputs = layers.Activation("sigmoid", dtype="float32")(tensor)
    return keras.Model(inputs, outputs, name="discriminator")
