"""Batches of tiles, read when they are asked for. What is drawn depends on seed, epoch and place alone."""

import math
from typing import Any, Final, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from containers.base.contract.step import StepError
from containers.base.scalers import physical
from containers.tensorflow.cloud_shapes import CloudShapes
from containers.tensorflow.recipe import Recipe, Scene
from containers.tensorflow.removal_config import AugmentationConfig, LossConfig
from containers.tensorflow.removal_dataset import Part

_UNIT_OF_CHANGE: Final = 0.1
"""Reflectance per which `loss.change_weight` counts."""
_READERS = 2
"""Threads that prepare batches while the network computes."""


class Batch(NamedTuple):
    """Inputs float32 (n, y, x, channel), scaled targets float32 (n, y, x, band), and the weights of cells in the loss,
    float32 (n, y, x), 0 where nothing is known."""

    inputs: NDArray[np.float32]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]


class Example(NamedTuple):
    """One tile of a batch, and the scene it was made of."""

    inputs: NDArray[np.float32]
    target: NDArray[np.float32]
    weights: NDArray[np.float32]
    scene: Scene


def turned(scene: Scene, augmentation: AugmentationConfig, rng: np.random.Generator) -> Scene:
    """One of the ways to lay a square that are allowed."""
    quarters = int(rng.integers(4)) if augmentation.rotations else 0
    mirror = augmentation.flips and rng.random() < 0.5
    arrays: list[NDArray[Any]] = [np.rot90(array, quarters) for array in scene]
    return Scene(*(array[:, ::-1] if mirror else array for array in arrays))


def learnt_cells(scene: Scene, recipe: Recipe) -> NDArray[np.bool_]:
    """Cells whose truth is known: seen at t1, with data in every channel; where the network is not told what was
    hidden at t0, seen then, too."""
    known = scene.seen_t1 & scene.known
    return known if recipe.seen_t0 else known & scene.seen_t0


def change_of(scene: Scene, recipe: Recipe) -> NDArray[np.float32]:
    """How much the ground changed: mean absolute difference of reflectance over bands (y, x); 0 where a date hides it
    or is no input."""
    if len(recipe.optical) < len(recipe.bands):
        return np.zeros(scene.sky_t0.shape, np.float32)
    first = physical(scene.inputs[..., list(recipe.optical)], recipe.bands)
    change = np.abs(physical(scene.target, recipe.bands) - first).mean(axis=-1)
    seen = scene.seen_t0 & scene.seen_t1 & scene.known
    return np.where(seen, change, np.float32(0))


def example_of(scene: Scene, hidden: NDArray[np.bool_], recipe: Recipe, loss: LossConfig) -> Example:
    """A tile some of whose cells are hidden at t1 beside those that really are. Those are never learnt from."""
    visible = scene.seen_t1 & ~hidden if recipe.visible_t1 else np.zeros_like(hidden)
    weights = np.where(visible, loss.visible_weight, loss.hidden_weight) * learnt_cells(scene, recipe)
    if loss.change_weight:
        weights = weights * (1 + loss.change_weight * change_of(scene, recipe) / _UNIT_OF_CHANGE)
    inputs = recipe.network_input(scene, visible)
    return Example(inputs, recipe.scaled_target(scene.target), weights.astype(np.float32), scene)


class TrainingBatches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """One epoch: all tiles once, in an order of its own. An error while reading is kept in `failure`, since backends
    replace it by their own."""

    def __init__(
        self,
        part: Part,
        tiles: NDArray[np.intp],
        recipe: Recipe,
        clouds: CloudShapes,
        loss: LossConfig,
        augmentation: AugmentationConfig,
        batch: int,
        seed: tuple[int, int],
    ) -> None:
        super().__init__(workers=_READERS)
        self._part, self._recipe, self._clouds = part, recipe, clouds
        self._loss, self._augmentation, self._batch, self._seed = loss, augmentation, batch, seed
        self._order = np.random.default_rng(seed).permutation(tiles)
        self.failure: StepError | None = None

    def __len__(self) -> int:
        return math.ceil(len(self._order) / self._batch)

    def __getitem__(self, index: int) -> Batch:
        chosen = self._order[index * self._batch : (index + 1) * self._batch]
        try:
            examples = [self._example(int(tile)) for tile in chosen]
        except StepError as error:
            self.failure = error
            raise
        return Batch(*(np.stack(arrays) for arrays in list(zip(*examples, strict=True))[:3]))

    def _example(self, tile: int) -> Example:
        rng = np.random.default_rng((*self._seed, tile))
        scene = turned(self._part.scene(tile), self._augmentation, rng)
        edge = scene.sky_t1.shape[0]
        hidden = np.zeros((edge, edge), bool)
        if self._recipe.visible_t1:
            hidden = self._clouds.draw(edge, rng, self._augmentation.hide_all)
        return checked(example_of(scene, hidden, self._recipe, self._loss), self._part, tile)


def checked(example: Example, part: Part, tile: int) -> Example:
    """Raises `bad_dataset`, naming the tile, where a value that the network would see is no number."""
    arrays: dict[str, NDArray[Any]] = {"inputs": example.inputs, "target": example.target}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise StepError(
                "bad_dataset",
                f"{name} of the tile {part.id(tile)} ({part.name} {tile}) hold {(~np.isfinite(array)).sum()} values "
                "that are no numbers.",
                "Make the dataset again; leave out this tile's images if it stays so.",
            )
    return example
