"""A U-Net (Ronneberger et al. 2015, doi 10.1007/978-3-319-24574-4_28) of residual blocks without normalisation.

Batch statistics of a few tiles would move the absolute level that is to be told; blocks that start as the identity
learn without them (Zhang et al. 2019, arXiv 1901.09321).

Units are smooth (SiLU; Elfwing et al. 2018, arXiv 1702.03118): rectifiers without normalisation were seen to die in the
first steps, and the network then told nothing beyond what it started from.
"""

import keras
from keras import layers

from containers.tensorflow.removal_config import UnetConfig


def unet_body(tensor: keras.KerasTensor, config: UnetConfig) -> keras.KerasTensor:
    """Features for the last convolution; edges are multiples of `config.multiple_px`."""
    skips = []
    for filters in config.filters:
        tensor = _block(tensor, filters)
        skips.append(tensor)
        tensor = layers.AveragePooling2D(2)(tensor)
    tensor = _block(tensor, config.bottleneck)
    for filters, skip in zip(reversed(config.filters), reversed(skips), strict=True):
        tensor = layers.UpSampling2D(2, interpolation="nearest")(tensor)
        tensor = _block(layers.Concatenate()([tensor, skip]), filters)
    return tensor


def _block(tensor: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    straight = layers.Conv2D(filters, 1)(tensor)
    inner = layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_normal")(tensor)
    inner = layers.Conv2D(filters, 3, padding="same", kernel_initializer="zeros")(layers.Activation("silu")(inner))
    return layers.Activation("silu")(layers.Add()([straight, inner]))
