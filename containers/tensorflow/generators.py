"""The network that rebuilds an image: a body by its kind, and a last convolution that tells reflectance.

Keras 3 alone, so that any of its backends runs it.
"""

import keras
from keras import layers

from containers.tensorflow.recipe import Recipe
from containers.tensorflow.removal_config import GeneratorConfig, ResnetConfig, UnetConfig
from containers.tensorflow.residual_generator import residual_body
from containers.tensorflow.residual_unet import unet_body

REGRESSION = "regression"
"""The layer that starts as the least-squares solution (`regression.fitted`)."""


def build_generator(recipe: Recipe, config: ResnetConfig | UnetConfig) -> keras.Model:
    """(n, y, x, recipe.width) to scaled reflectance (n, y, x, band), float32.

    With `recipe.residual`, what the body tells is added to the image that is known: t1 where it is visible, else t0 or
    a linear regression on all channels (the layer `regression`).
    """
    inputs = keras.Input((None, None, recipe.width), name="scene")
    body = residual_body(inputs, config) if isinstance(config, ResnetConfig) else unet_body(inputs, config)
    outputs = _told(body, len(recipe.bands), config, starts_at_zero=recipe.residual)
    if recipe.residual:
        outputs = layers.Add(dtype="float32", name="image")([known_image(inputs, recipe), outputs])
    return keras.Model(inputs, outputs, name="generator")


def known_image(inputs: keras.KerasTensor, recipe: Recipe) -> keras.KerasTensor:
    """Bands of t1 where they are visible, else of t0 or a regression, out of the network's input."""
    if recipe.regression:
        channels = inputs[..., : recipe.described]
        first = layers.Conv2D(len(recipe.bands), 1, kernel_initializer="zeros", dtype="float32", name=REGRESSION)(
            channels
        )
    else:
        first = keras.ops.take(inputs, list(recipe.optical), axis=-1)
    if not recipe.visible_t1:
        return first
    visible, second = inputs[..., -1:], inputs[..., -1 - len(recipe.bands) : -1]
    return first * (1 - visible) + second


def _told(body: keras.KerasTensor, bands: int, config: GeneratorConfig, *, starts_at_zero: bool) -> keras.KerasTensor:
    initializer = "zeros" if starts_at_zero else "glorot_uniform"
    return layers.Conv2D(
        bands, 3, padding="same", activation=config.output, kernel_initializer=initializer, dtype="float32", name="told"
    )(body)
