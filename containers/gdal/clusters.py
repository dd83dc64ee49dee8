"""Kinds of change: k-means over a sample of the difference image, and how bright and how much brighter each kind is."""

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

_ITERATIONS = 50


class Clusters(NamedTuple):
    """Cluster centres over standardised bands."""

    mean: NDArray[np.float32]
    """Of each band in the sample, (band,)."""
    deviation: NDArray[np.float32]
    """Standard deviation of each band in the sample, 1 where it is 0; (band,)."""
    centres: NDArray[np.float32]
    """(cluster, band)."""

    def label(self, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        """The nearest cluster of each pixel (pixel, band); (pixel,)."""
        scaled = (values - self.mean) / self.deviation
        # |x − c|² without |x|², which is the same for all clusters.
        distance = (self.centres**2).sum(axis=1) - 2 * scaled @ self.centres.T
        labels: NDArray[np.uint8] = distance.argmin(axis=1).astype(np.uint8)
        return labels


def find_clusters(sample: NDArray[np.float32], count: int, seed: int) -> Clusters:
    """K-means over standardised pixels (pixel, band), with k-means++ starts; the same for the same seed.

    As many clusters as there are different pixels, at most; a cluster that loses all its pixels keeps its centre.
    """
    mean, deviation = sample.mean(axis=0), sample.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1).astype(np.float32)
    scaled = (sample - mean) / deviation
    count = min(count, len(np.unique(scaled, axis=0)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="One of the clusters is empty")
        centres, _ = kmeans2(scaled.astype(np.float64), count, iter=_ITERATIONS, minit="++", seed=seed)
    return Clusters(mean, deviation, centres.astype(np.float32))


def temporal_scores(difference: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much brighter than the background clusters are: root mean square of their mean differences (cluster, band),
    negative where they are darker on the whole; (cluster,)."""
    sign = np.where(difference.mean(axis=1) > 0, 1.0, -1.0)
    return sign * reflectance_scores(difference)


def reflectance_scores(reflectance: NDArray[np.float64]) -> NDArray[np.float64]:
    """How bright clusters are: root mean square of their mean reflectance (cluster, band); (cluster,)."""
    scores: NDArray[np.float64] = np.sqrt((reflectance**2).mean(axis=1))
    return scores
