"""The linear regression of the target on all channels, cell by cell: what a network of change starts from."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.tensorflow.recipe import Recipe
from containers.tensorflow.removal_dataset import Part

_RIDGE: Final = 1e-6
"""Added to the normal equations, per cell: channels that say the same must not cancel each other."""


def fitted(part: Part, tiles: NDArray[np.intp], recipe: Recipe) -> list[NDArray[np.float32]]:
    """Weights (1, 1, channel, band) and bias (band) of least squares, one tile in memory at a time; channels are those
    that describe the ground (`Recipe.described`).

    Over cells seen at both dates that hold data in every channel; scaled values.
    """
    channels, bands = recipe.described, len(recipe.bands)
    products, moments = np.zeros((channels + 1, channels + 1)), np.zeros((channels + 1, bands))
    count = 0
    for tile in tiles:
        scene = part.scene(int(tile))
        cells = scene.seen_t0 & scene.seen_t1 & scene.known
        values = recipe.network_input(scene, np.zeros_like(cells))[cells][:, :channels].astype(np.float64)
        known = np.concatenate([values, np.ones((len(values), 1))], axis=1)
        products += known.T @ known
        moments += known.T @ recipe.scaled_target(scene.target)[cells]
        count += len(values)
    products[np.diag_indices(channels)] += _RIDGE * max(count, 1)
    products[-1, -1] = max(count, 1)
    solution = np.linalg.solve(products, moments).astype(np.float32)
    return [solution[None, None, :-1], solution[-1]]
