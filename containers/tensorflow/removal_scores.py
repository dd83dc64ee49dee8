"""How good predictions are on tiles that were not learnt from: in reflectance, on cells hidden by artificial clouds.

All networks of one seed are judged on the same cells, whether they see the second date or not.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from containers.base import image_quality as quality
from containers.base.contract.model import Contract
from containers.base.scalers import physical
from containers.tensorflow.cloud_shapes import CloudShapes
from containers.tensorflow.recipe import Recipe, Scene
from containers.tensorflow.removal_config import LossConfig
from containers.tensorflow.removal_dataset import Part
from containers.tensorflow.tile_batches import Example, checked, example_of

Tell = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Network input (n, y, x, channel) to reflectance (n, y, x, band)."""
_SKIES: Final = 1_000_003
"""Sets the random draws of judging apart from those of training."""
_HIDE_ALL: Final = 0.1
"""Share of tiles that are hidden whole."""


class Judged(NamedTuple):
    """A tile: what the network tells and the truth, reflectance (y, x, band); which cells count; its scene."""

    told: NDArray[np.float32]
    truth: NDArray[np.float32]
    counted: NDArray[np.bool_]
    scene: Scene


class RemovalScores(Contract):
    """Errors of one method on the counted cells of one part. A score without any cell is left out."""

    part: str
    method: str = Field(description="model, or t0_copy: the image of the first date as it is")
    cells: int
    scores: dict[str, float] = Field(description="psnr_db, ssim, mae, sam_deg")


class Judge(NamedTuple):
    """How tiles are hidden and judged."""

    recipe: Recipe
    clouds: CloudShapes
    loss: LossConfig
    batch: int
    seed: int

    def judged(self, tell: Tell, part: Part, most: int | None = None) -> Iterator[Judged]:
        """The tiles of a part, `most` at most, under clouds that are the same in every call."""
        count = min(len(part), most or len(part))
        for first in range(0, count, self.batch):
            pairs = [self._example(part, tile) for tile in range(first, min(first + self.batch, count))]
            told = tell(np.stack([example.inputs for example, _ in pairs]))
            for (example, hidden), image in zip(pairs, told, strict=True):
                scene = example.scene
                truth = physical(scene.target, self.recipe.bands)
                yield Judged(image, truth, hidden & scene.seen_t1 & scene.known & scene.seen_t0, scene)

    def _example(self, part: Part, tile: int) -> tuple[Example, NDArray[np.bool_]]:
        scene = part.scene(tile)
        rng = np.random.default_rng((self.seed, _SKIES, tile))
        hidden = self.clouds.draw(scene.sky_t1.shape[0], rng, _HIDE_ALL)
        return checked(example_of(scene, hidden, self.recipe, self.loss), part, tile), hidden


def telling(model: keras.Model, recipe: Recipe) -> Tell:
    """Reflectance by a network."""
    # Every replica of tf.distribute predicts the whole batch, one after the other in the answer.
    return lambda windows: recipe.reflectance(model.predict_on_batch(windows)[: len(windows)])


def t0_copies(judge: Judge, part: Part) -> Iterator[Judged]:
    """The tiles of a part, told by the image of the first date."""
    recipe = judge.recipe
    for tile in judge.judged(lambda windows: windows, part):
        yield tile._replace(told=physical(tile.scene.inputs, recipe.channels)[..., list(recipe.optical)])


def mean_error(tiles: Iterable[Judged]) -> float:
    """Mean absolute error over all counted cells; NaN where there are none."""
    total, cells = 0.0, 0
    for tile in tiles:
        total += float(np.abs(tile.told - tile.truth)[tile.counted].mean(axis=-1).sum())
        cells += int(tile.counted.sum())
    return total / cells if cells else float("nan")


def scores_of(tiles: Iterable[Judged], part: str, method: str) -> RemovalScores:
    """All scores: over cells, and similarity over windows whose every cell counts."""
    sums, counts = (
        dict.fromkeys(("mae", "mse", "sam_deg", "ssim"), 0.0),
        dict.fromkeys(("cells", "angles", "windows"), 0),
    )
    for tile in tiles:
        difference = (tile.told - tile.truth)[tile.counted].astype(np.float64)
        angles = quality.sam_map_deg(tile.told, tile.truth, axis=-1)[tile.counted]
        told, truth = (np.moveaxis(np.where(tile.counted[..., None], image, np.nan), -1, 0) for image in tile[:2])
        similarity = quality.ssim_map(told, truth, quality.REFLECTANCE_RANGE)
        sums["mae"] += float(np.abs(difference).mean(axis=-1).sum())
        sums["mse"] += float((difference**2).mean(axis=-1).sum())
        sums["sam_deg"] += float(np.nansum(angles))
        sums["ssim"] += float(np.nansum(similarity))
        counts["cells"] += len(difference)
        counts["angles"] += int(np.isfinite(angles).sum())
        counts["windows"] += int(np.isfinite(similarity).sum())
    found = {
        "psnr_db": float(quality.psnr_db(sums["mse"] / max(counts["cells"], 1), quality.REFLECTANCE_RANGE)),
        "ssim": sums["ssim"] / max(counts["windows"], 1),
        "mae": sums["mae"] / max(counts["cells"], 1),
        "sam_deg": sums["sam_deg"] / max(counts["angles"], 1),
    }
    over = {"psnr_db": "cells", "ssim": "windows", "mae": "cells", "sam_deg": "angles"}
    kept = {name: value for name, value in found.items() if counts[over[name]] and np.isfinite(value)}
    return RemovalScores(part=part, method=method, cells=counts["cells"], scores=kept)
