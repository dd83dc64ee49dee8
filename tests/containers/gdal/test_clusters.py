"""Clusters of change: reproducible, and never fewer than usable."""

import numpy as np
import pytest

from containers.gdal.clusters import find_clusters, reflectance_scores, temporal_scores

BLOBS = np.array([[0.0, 0.0], [0.5, 0.4], [-0.2, 0.1]])


def sample(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (BLOBS[rng.integers(0, 3, 600)] + rng.normal(0, 0.01, (600, 2))).astype(np.float32)


def test_separate_kinds_of_change_are_separate_clusters() -> None:
    labels = find_clusters(sample(), 3, 0).label(BLOBS.astype(np.float32))
    assert sorted(labels.tolist()) == [0, 1, 2]


def test_the_same_seed_gives_the_same_clusters() -> None:
    first, again, other = (find_clusters(sample(), 10, seed) for seed in (7, 7, 8))
    assert (first.centres == again.centres).all()
    assert first.centres.shape == (10, 2)
    assert not (first.centres == other.centres).all()


def test_labels_are_the_nearest_centres() -> None:
    clusters, pixels = find_clusters(sample(), 5, 1), sample(3)
    scaled = (pixels - clusters.mean) / clusters.deviation
    distance = np.linalg.norm(scaled[:, None] - clusters.centres, axis=2)
    assert (clusters.label(pixels) == distance.argmin(axis=1)).all()


@pytest.mark.parametrize("values", [[[0.1, 0.2]] * 50, [[0.1, 0.2]] * 50 + [[0.3, 0.2]], [[0.0, 0.0]]])
def test_fewer_kinds_than_clusters(values) -> None:
    """Constant bands and copies of few pixels leave clusters empty; that must not fail."""
    pixels = np.array(values, np.float32)
    clusters = find_clusters(pixels, 10, 0)
    labels = clusters.label(pixels)
    assert np.isfinite(clusters.centres).all()
    assert len(np.unique(labels)) == len(np.unique(pixels, axis=0))


def test_scores_by_hand() -> None:
    difference = np.array([[0.3, 0.4, 0.0], [-0.3, -0.4, 0.0], [0.0, 0.0, 0.0]])
    norm = np.sqrt(0.25 / 3)
    assert temporal_scores(difference) == pytest.approx([norm, -norm, 0.0])
    assert reflectance_scores(difference) == pytest.approx([norm, norm, 0.0])
