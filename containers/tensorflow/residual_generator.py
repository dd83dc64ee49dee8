"""The generator of the conditional GAN: residual blocks (He et al. 2016, arXiv 1512.03385) at full resolution.

With eight channels and four bands the preset `reference` has 11,407,748 parameters and sees 53 cells across.
"""

import keras
from keras import layers

from containers.tensorflow.removal_config import ResnetConfig


def residual_body(tensor: keras.KerasTensor, config: ResnetConfig) -> keras.KerasTensor:
    """Features for the last convolution."""
    for filters, kernel in config.before:
        tensor = _convolved(tensor, filters, kernel, config)
    for _ in range(config.blocks):
        tensor = _block(tensor, config)
    for filters, kernel in config.after:
        tensor = _convolved(tensor, filters, kernel, config)
    return tensor


def _block(tensor: keras.KerasTensor, config: ResnetConfig) -> keras.KerasTensor:
    inner = layers.Dropout(config.dropout)(_convolved(tensor, config.filters, 3, config))
    inner = layers.Conv2D(config.filters, 3, padding="same")(inner)
    inner = layers.BatchNormalization(momentum=config.momentum)(inner)
    return layers.ReLU()(layers.Add()([tensor, inner]))


def _convolved(tensor: keras.KerasTensor, filters: int, kernel: int, config: ResnetConfig) -> keras.KerasTensor:
    tensor = layers.Conv2D(filters, kernel, padding="same")(tensor)
    return layers.ReLU()(layers.BatchNormalization(momentum=config.momentum)(tensor))
