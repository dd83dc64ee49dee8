"""What is trained: a generator alone, or against a discriminator. One loss function of Keras 3, so that training on
batches, several devices, mixed precision and every backend work as Keras does them.
"""

from typing import Any

import keras
from keras import ops

from containers.tensorflow.removal_config import AdversarialConfig, LossConfig, OptimizerConfig

Tensor = Any


class Regression(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A generator that learns by the weighted mean absolute and squared errors of its image."""

    def __init__(self, generator: keras.Model, loss: LossConfig) -> None:
        super().__init__(name="learner")
        self.generator, self._loss = generator, loss

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        return self.generator(inputs, training=training)

    def start_epoch(self, epoch: int) -> None:
        """Set what changes from epoch to epoch; the first is 0."""

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        return self.shared(self.error(y, y_pred, sample_weight))

    def error(self, truth: Tensor, told: Tensor, weights: Tensor) -> Tensor:
        """What the configuration makes of the image's errors."""
        error = self._loss.l1 * weighted_l1(truth, told, weights)
        return error + self._loss.l2 * weighted_l2(truth, told, weights) if self._loss.l2 else error

    def shared(self, loss: Tensor) -> Tensor:
        """This replica's part of the loss, since tf.distribute adds up the gradients of all replicas."""
        return loss / self.distribute_strategy.num_replicas_in_sync if keras.backend.backend() == "tensorflow" else loss


class ConditionalGan(Regression):
    """A generator that also has to deceive a discriminator (Isola et al. 2017, arXiv 1611.07004).

    Both learn in one step by the sum of their losses. The discriminator's part sees the predicted image as a constant;
    in the generator's part the discriminator's weights are constants, and it works as in prediction: so each gradient
    is that of the one's own loss. Cells that nothing is known of are 0 in true and predicted images alike.
    """

    def __init__(
        self, generator: keras.Model, discriminator: keras.Model, loss: LossConfig, config: AdversarialConfig, seed: int
    ) -> None:
        super().__init__(generator, loss)
        self.discriminator, self.config = discriminator, config
        self.noise = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(config.noise), trainable=False, name="noise"
        )
        self._random = keras.random.SeedGenerator(seed)
        self._trackers = [keras.metrics.Mean(name=name) for name in ("l1", "deceit", "discriminator")]

    def start_epoch(self, epoch: int) -> None:
        self.noise.assign(self.config.noise_at(epoch))

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        known = ops.cast(ops.expand_dims(sample_weight, -1) > 0, y_pred.dtype)
        discriminator = self.discriminator_loss(y * known, ops.stop_gradient(y_pred) * known, x, training)
        l1 = weighted_l1(y, y_pred, sample_weight)
        deceit = cross_entropy(self.frozen_judgement(self.shown(y_pred * known, x)), 1.0)
        for tracker, value in zip(self._trackers, (l1, deceit, discriminator), strict=True):
            tracker.update_state(value)
        return self.shared(self.error(y, y_pred, sample_weight) + self.config.weight * deceit + discriminator)

    def discriminator_loss(self, true: Tensor, told: Tensor, scene: Tensor, training: bool) -> Tensor:
        """How badly it tells true images from predicted ones, half of the sum over both.

        Both are judged in one batch: its last layer is normalised, so that apart from each other either would have the
        same mean answer, and the labels would hardly matter.
        """
        shown = ops.concatenate([self.shown(true, scene), self.shown(told, scene)], axis=0)
        on_true, on_told = ops.split(self.discriminator(shown, training=training), 2, axis=0)
        real, fake = self.label(self.config.real_labels), self.label(self.config.fake_labels)
        return 0.5 * (cross_entropy(on_true, real) + cross_entropy(on_told, fake))

    def shown(self, image: Tensor, scene: Tensor) -> Tensor:
        """What the discriminator sees: the image under noise (Sønderby et al. 2017, arXiv 1610.04490), the scene."""
        noise = keras.random.normal(ops.shape(image), dtype=image.dtype, seed=self._random) * self.noise
        return ops.concatenate([image + noise, ops.cast(scene, image.dtype)], axis=-1)

    def label(self, between: tuple[float, float]) -> Tensor:
        """One label for all answers of a batch (one-sided smoothing: Salimans et al. 2016, arXiv 1606.03498)."""
        return keras.random.uniform((), *between, seed=self._random)

    def frozen_judgement(self, shown: Tensor) -> Tensor:
        """The discriminator's answers, of which no gradient reaches its weights and no statistic its state."""
        constants = [ops.stop_gradient(variable.value) for variable in self.discriminator.trainable_variables]
        state = [variable.value for variable in self.discriminator.non_trainable_variables]
        return self.discriminator.stateless_call(constants, state, shown, training=False)[0]


def weighted_l1(truth: Tensor, told: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean of the cells' mean absolute error over bands; 0 where no cell has a weight."""
    weights = ops.cast(weights, told.dtype)
    errors = ops.mean(ops.abs(ops.cast(truth, told.dtype) - told), axis=-1)
    return ops.sum(errors * weights) / ops.maximum(ops.sum(weights), 1e-6)


def weighted_l2(truth: Tensor, told: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean of the cells' mean squared error over bands; 0 where no cell has a weight."""
    weights = ops.cast(weights, told.dtype)
    errors = ops.mean(ops.square(ops.cast(truth, told.dtype) - told), axis=-1)
    return ops.sum(errors * weights) / ops.maximum(ops.sum(weights), 1e-6)


def cross_entropy(answers: Tensor, label: Tensor) -> Tensor:
    """Mean binary cross-entropy of probabilities with one label."""
    return ops.mean(ops.binary_crossentropy(ops.ones_like(answers) * label, answers))


def compiled(learner: Regression, config: OptimizerConfig, *, steps: int) -> Regression:
    """The learner with Adam, its state built: ready to train, or to take over a checkpoint."""
    rate: Any = config.learning_rate
    if config.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, steps)
    adam = keras.optimizers.Adam(rate, beta_1=config.beta_1, beta_2=config.beta_2, global_clipnorm=config.clip_norm)
    learner.compile(optimizer=adam)
    learner.optimizer.build(learner.trainable_variables)
    return learner
