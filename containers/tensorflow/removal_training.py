"""The training loop: epochs that can be killed after any of them."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.step import StepError
from containers.tensorflow.checkpoint import Progress, assign, load_checkpoint, save_checkpoint, values_of
from containers.tensorflow.cloud_shapes import CloudShapes
from containers.tensorflow.discriminator import build_discriminator
from containers.tensorflow.generators import REGRESSION, build_generator
from containers.tensorflow.learners import ConditionalGan, Regression, compiled
from containers.tensorflow.recipe import Recipe
from containers.tensorflow.regression import fitted
from containers.tensorflow.removal_config import RemovalConfig
from containers.tensorflow.removal_dataset import Part
from containers.tensorflow.removal_scores import Judge, mean_error, telling
from containers.tensorflow.tile_batches import TrainingBatches

VALIDATION_ERROR = "val_mae"
"""The column that decides which epoch is kept: mean absolute error of validation tiles, reflectance."""


class Training(NamedTuple):
    """What is learnt from, how, and how it is judged."""

    parts: dict[str, Part]
    tiles: NDArray[np.intp]
    """Training tiles that are used."""
    recipe: Recipe
    config: RemovalConfig
    clouds: CloudShapes
    seed: int

    @property
    def judge(self) -> Judge:
        return Judge(self.recipe, self.clouds, self.config.loss, self.config.training.batch, self.seed)

    def batches(self, epoch: int) -> TrainingBatches:
        return TrainingBatches(
            self.parts["train"],
            self.tiles,
            self.recipe,
            self.clouds,
            self.config.loss,
            self.config.augmentation,
            self.config.training.batch,
            (self.seed, epoch),
        )


def learner_of(training: Training) -> Regression:
    """The network that the configuration describes, ready to train."""
    recipe, config = training.recipe, training.config
    generator = build_generator(recipe, config.network)
    if recipe.regression:
        generator.get_layer(REGRESSION).set_weights(fitted(training.parts["train"], training.tiles, recipe))
    learner = Regression(generator, config.loss)
    if config.adversarial is not None:
        discriminator = build_discriminator(len(recipe.bands) + recipe.width, config.adversarial)
        learner = ConditionalGan(generator, discriminator, config.loss, config.adversarial, training.seed)
    return compiled(learner, config.optimizer, steps=config.training.epochs * len(training.batches(0)))


def train(
    learner: Regression, training: Training, checkpoint: Path, after_epoch: Callable[[Progress], None]
) -> Progress:
    """Learn until the last epoch, or until patience ends; the generator then has its best weights.

    Goes on from `checkpoint` where there is one. `after_epoch` comes before the checkpoint of the same epoch: what it
    writes is never missing after a kill, but may be written twice.
    """
    progress = load_checkpoint(checkpoint, learner)
    while not _done(progress, training.config):
        progress = _one_epoch(learner, training, progress)
        after_epoch(progress)
        save_checkpoint(checkpoint, learner, progress)
    assign(learner.generator.variables, progress.best)
    return progress


def _done(progress: Progress, config: RemovalConfig) -> bool:
    patience = config.training.patience
    waited = progress.epoch - progress.best_epoch
    return progress.epoch >= config.training.epochs or (patience is not None and waited >= patience)


def _one_epoch(learner: Regression, training: Training, progress: Progress) -> Progress:
    epoch, batches = progress.epoch, training.batches(progress.epoch)
    learner.start_epoch(epoch)
    try:
        losses = learner.fit(batches, initial_epoch=epoch, epochs=epoch + 1, shuffle=False, verbose=0).history
    except Exception:
        if batches.failure is not None:
            raise batches.failure from None
        raise
    error = mean_error(training.judge.judged(telling(learner.generator, training.recipe), training.parts["validation"]))
    values = {name: float(value[-1]) for name, value in losses.items()} | {VALIDATION_ERROR: error}
    _require_finite(values, epoch + 1, training.config)
    history = {name: [*progress.history.get(name, []), value] for name, value in values.items()}
    if error < min(progress.history.get(VALIDATION_ERROR, [np.inf])):
        return Progress(epoch + 1, history, epoch + 1, values_of(learner.generator.variables))
    return Progress(epoch + 1, history, progress.best_epoch, progress.best)


def _require_finite(values: dict[str, float], epoch: int, config: RemovalConfig) -> None:
    if not np.isfinite(list(values.values())).all():
        raise StepError(
            "bad_config",
            f"The loss diverged in epoch {epoch} at a learning_rate of {config.optimizer.learning_rate}: {values}.",
            "Lower optimizer.learning_rate, or set optimizer.clip_norm.",
        )
