"""Blocks of the difference of two images: a sample of them, what spreads them most, and where changed ones are."""

import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from containers.gdal.indices import Rows

Floats = NDArray[np.float64]
_STARTS = 10


class ChangeModel(NamedTuple):
    """Principal components of difference blocks, and the centres of unchanged and changed ones."""

    mean: Floats
    """Of the blocks, (band, y, x)."""
    axes: Floats
    """Eigenvectors as blocks, (component, band, y, x)."""
    unchanged: Floats
    """(component,)."""
    changed: Floats


def fit(blocks: Rows, components: int, seed: int) -> ChangeModel | None:
    """Learn from absolute differences in blocks (n, band, y, x); None where all blocks are equal: nothing changed.

    Of the two clusters, the one whose blocks differ more on average is change: by size alone, a fire that burned most
    of the image would be taken for the unchanged rest.
    """
    vectors = blocks.reshape(len(blocks), -1).astype(np.float64)
    if not np.ptp(vectors, axis=0).any():
        return None
    # One thread and the full solver: sums in another order would give other last digits.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        pca = PCA(components, svd_solver="full").fit(vectors)
        clusters = KMeans(2, n_init=_STARTS, random_state=seed).fit(pca.transform(vectors))
    differing = [float(vectors[clusters.labels_ == label].mean()) for label in (0, 1)]
    changed = int(np.argmax(differing))
    shape = blocks.shape[1:]
    return ChangeModel(
        mean=pca.mean_.reshape(shape),
        axes=pca.components_.reshape(-1, *shape),
        unchanged=clusters.cluster_centers_[1 - changed],
        changed=clusters.cluster_centers_[changed],
    )


def changed_cells(difference: Rows, model: ChangeModel) -> NDArray[np.bool_]:
    """Whether the block around each cell is nearer to the changed centre; (band, y, x) to (y, x).

    A block of even size begins half its size above and left of its cell; edges are mirrored. Each component is a
    correlation with its axis, so no block is ever copied, and a cell's answer does not depend on how many are asked.
    """
    nearness = np.zeros(difference.shape[1:])
    for axis, unchanged, changed in zip(model.axes, model.unchanged, model.changed, strict=True):
        score = np.full(nearness.shape, -float((axis * model.mean).sum()))
        for band, weights in zip(difference, axis, strict=True):
            score += ndimage.correlate(band, weights, output=np.float64, mode="reflect")
        nearness += (score - unchanged) ** 2 - (score - changed) ** 2
    is_changed: NDArray[np.bool_] = nearness > 0
    return is_changed


def known_blocks(known: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Whether all cells of the block around each one are known; (y, x)."""
    whole: NDArray[np.bool_] = ndimage.minimum_filter(known, size=size, mode="reflect")
    return whole


def eroded(changed: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Changed cells whose whole diamond of that radius changed, as far as it is in the raster; (y, x)."""
    if radius == 0:
        return changed
    diamond = ndimage.iterate_structure(ndimage.generate_binary_structure(2, 1), radius)
    whole: NDArray[np.bool_] = ndimage.binary_erosion(changed, diamond, border_value=1)
    return whole


def differences_of(before: Mapping[str, Rows], after: Mapping[str, Rows]) -> Rows:
    """Absolute difference of each band, in the order of their names, NaN where unknown; (band, y, x)."""
    return np.stack([np.abs(before[name] - after[name]) for name in sorted(before)])
