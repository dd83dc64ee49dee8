"""Clouds as what is bright and much brighter than the ground of other dates.

After Mateo-García, Gómez-Chova, Amorós-López, Muñoz-Marí and Camps-Valls, Multitemporal Cloud Masking in the Google
Earth Engine, Remote Sensing 2018, 10(7), 1079 (https://doi.org/10.3390/rs10071079): the difference to a background is
clustered, and a cluster is cloud where it is brighter than the background and bright in itself.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.legend import REFLECTANCE_SCALE
from containers.base.grid import part_of
from containers.base.raster import row_windows
from containers.gdal.background import Background
from containers.gdal.clusters import Clusters, find_clusters, reflectance_scores, temporal_scores
from containers.gdal.contract.mask import Multitemporal
from containers.gdal.features import Picture, has_data, stacked
from containers.gdal.sky import opened

CLEAR, CLOUD, UNKNOWN = 0, 1, 255
VISIBLE: Final = ("red", "green", "blue")
"""The bands by which a cluster is judged."""


class _Change(NamedTuple):
    """A window of the scene beside its background, cells with data in both only."""

    valid: NDArray[np.bool_]
    """(y, x)."""
    reflectance: NDArray[np.float32]
    """(pixel, band)."""
    difference: NDArray[np.float32]
    """To the background; (pixel, band)."""


def brightened(scene: Picture, background: Background, rules: Multitemporal) -> NDArray[np.uint8]:
    """Cloud (1) or not (0) by the comparison with a background, 255 where either has no data; (y, x).

    The scene is read twice, in windows, so that memory stays bounded at any resolution.
    """
    scene.require(*VISIBLE)
    names = background.names
    clusters = _clusters(scene, background, rules)
    found = np.full(scene.grid.shape, UNKNOWN, dtype=np.uint8)
    if clusters is None:
        return found
    count, sums = np.zeros(len(clusters.centres)), np.zeros((2, len(clusters.centres), len(VISIBLE)))
    visible = [names.index(name) for name in VISIBLE]
    for window, change in _changes(scene, background):
        labels = clusters.label(change.difference)
        found[window.toslices()][change.valid] = labels
        count += np.bincount(labels, minlength=len(count))
        for total, values in zip(sums, (change.difference, change.reflectance), strict=True):
            for column, band in enumerate(visible):
                total[:, column] += np.bincount(labels, weights=values[:, band], minlength=len(count))
    difference, reflectance = sums / np.maximum(count, 1)[:, np.newaxis]
    return cloudy_cells(found, is_cloud(difference, reflectance, rules), rules.opening_px)


def is_cloud(
    difference: NDArray[np.float64], reflectance: NDArray[np.float64], rules: Multitemporal
) -> NDArray[np.bool_]:
    """Clusters that are brighter than the background and bright, by their means over `VISIBLE`, (cluster, band)."""
    return (temporal_scores(difference) > rules.temporal_score) & (
        reflectance_scores(reflectance) > rules.reflectance_score
    )


def cloudy_cells(labels: NDArray[np.uint8], cloudy: NDArray[np.bool_], radius_px: int) -> NDArray[np.uint8]:
    """Cells whose cluster is cloudy, without what is narrower than a disk; UNKNOWN stays, and takes nothing away."""
    unknown = labels == UNKNOWN
    cloud = np.zeros(labels.shape, dtype=bool)
    cloud[~unknown] = cloudy[labels[~unknown]]
    return np.where(unknown, UNKNOWN, opened(cloud, unknown, radius_px)).astype(np.uint8)


def _clusters(scene: Picture, background: Background, rules: Multitemporal) -> Clusters | None:
    """From a seeded sample of the cells with data in scene and background; None where there are none.

    Every cell draws a number, and the lowest ones are the sample: so one pass suffices, and windows do not matter.
    """
    rng = np.random.default_rng(rules.seed)
    drawn, sample = np.empty(0), np.empty((0, len(background.names)), dtype=np.float32)
    for _, change in _changes(scene, background):
        numbers = rng.random(len(change.difference))
        drawn = np.concatenate([drawn, numbers])
        lowest = np.argsort(drawn)[: rules.sample]
        kept, new = lowest[lowest < len(sample)], lowest[lowest >= len(sample)] - len(sample)
        sample = np.concatenate([sample[kept], change.difference[new]])
        drawn = np.concatenate([drawn[kept], numbers[new]])
    return find_clusters(sample, rules.clusters, rules.seed) if len(sample) else None


def _changes(scene: Picture, background: Background) -> Iterator[tuple[Window, _Change]]:
    for window in row_windows(scene.grid.shape):
        now = stacked(scene.read(window), background.names)
        before = background.on(part_of(scene.grid, window))
        valid = has_data(now) & has_data(before)
        reflectance = now[:, valid].T.astype(np.float32) * np.float32(REFLECTANCE_SCALE)
        difference = reflectance - before[:, valid].T.astype(np.float32) * np.float32(REFLECTANCE_SCALE)
        yield window, _Change(valid, reflectance, difference)
