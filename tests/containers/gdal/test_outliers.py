"""Undetected clouds: what is left out and what stays."""

import numpy as np
import pytest

from containers.gdal.outliers import dips

DAYS = np.arange(17_000, 17_365, 5, dtype=np.int32)


def season() -> np.ndarray:
    return (0.45 + 0.3 * np.sin((DAYS - 17_000) / 58))[:, np.newaxis]


def test_single_dips_are_found_and_nothing_else() -> None:
    values = season()
    low = [7, 22, 23, 50]
    values[low] -= 0.25
    found = dips(DAYS, values, np.ones(values.shape, bool), 0.1)
    assert np.flatnonzero(found).tolist() == low


def test_rises_stay() -> None:
    """Clouds never raise an index."""
    values = season()
    values[20] += 0.3
    assert not dips(DAYS, values, np.ones(values.shape, bool), 0.1).any()


def test_noise_below_the_smallest_dip_stays() -> None:
    values = season() + np.random.default_rng(1).normal(0, 0.02, (len(DAYS), 1))
    assert not dips(DAYS, values, np.ones(values.shape, bool), 0.1).any()


def test_a_lone_winter_observation_stays() -> None:
    values = season()
    seen = np.ones(values.shape, bool)
    seen[30:45] = False
    seen[37] = True
    values[37] = -0.1
    assert not dips(DAYS, values, seen, 0.1)[37]


@pytest.mark.parametrize("n_seen", [0, 1, 2])
def test_few_observations_are_all_kept(n_seen) -> None:
    values = season()
    seen = np.zeros(values.shape, bool)
    seen[:n_seen] = True
    assert not dips(DAYS, values, seen, 0.1).any()
