"""On what a network computes: threads, precision, determinism, and the machine's GPUs."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Literal

import keras

from containers.tensorflow.network import prepare_backend


@contextmanager
def prepared(*, threads: int, seed: int, precision: str, devices: Literal["one", "all"]) -> Iterator[None]:
    """Everything that is built and trained inside is reproducible and computes as told.

    `all` splits batches over every GPU: by keras.distribution with JAX, by tf.distribute.MirroredStrategy with
    TensorFlow. On one device, it changes nothing.
    """
    keras.utils.clear_session()
    prepare_backend(threads=threads, seed=seed)
    tensorflow = keras.backend.backend() == "tensorflow"
    if tensorflow:
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        with _mirrored() if tensorflow and devices == "all" else _sharded(devices):
            yield
    finally:
        keras.config.set_dtype_policy(before)


def _mirrored() -> Any:
    import tensorflow as tf

    found = tf.config.list_logical_devices("GPU")
    return tf.distribute.MirroredStrategy(found).scope() if len(found) > 1 else nullcontext()


@contextmanager
def _sharded(devices: str) -> Iterator[None]:
    if devices == "one" or keras.backend.backend() != "jax" or len(keras.distribution.list_devices()) < 2:
        yield
        return
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)
