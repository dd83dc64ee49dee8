"""Confidence: counted on truth, falling with the spread, and by hand."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.tensorflow.confidence import TOLERANCE, calibrated, falling, over_turns, spread_of


def test_a_confidence_is_the_share_of_right_cells() -> None:
    rng = np.random.default_rng(0)
    spread = rng.uniform(0, 0.05, 40_000).astype(np.float32)
    error = np.abs(rng.normal(0, 0.005 + spread)).astype(np.float32)
    calibration = calibrated(spread, error)
    for low in (0.0, 0.01, 0.03):
        inside = (spread >= low) & (spread < low + 0.005)
        told = calibration.confidence(spread[inside]).mean()
        assert abs(told - np.mean(error[inside] <= TOLERANCE)) < 0.03
    assert np.all(np.diff(calibration.share) <= 0)
    assert np.all(np.diff(calibration.spread) >= 0)


def test_few_cells_are_enough() -> None:
    one = calibrated(np.array([0.1], np.float32), np.array([0.0], np.float32))
    assert one.confidence(np.array([0.0, 9.0], np.float32)).tolist() == [1.0, 1.0]


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_pooling_never_rises_and_keeps_the_mean(values: list[float]) -> None:
    pooled = falling(np.array(values))
    assert np.all(np.diff(pooled) <= 1e-12)
    assert np.isclose(pooled.mean(), np.mean(values))
    if np.all(np.diff(values) <= 0):
        np.testing.assert_allclose(pooled, values)


def test_pooling_by_hand() -> None:
    np.testing.assert_allclose(falling(np.array([0.9, 0.5, 0.7, 0.1])), [0.9, 0.6, 0.6, 0.1])


def test_turns_are_turned_back_and_their_spread_is_measured() -> None:
    """A network that adds how far down a cell lies answers differently when it is turned."""
    windows = np.random.default_rng(0).normal(0, 1, (2, 4, 4, 3)).astype(np.float32)

    def rows_added(laid: np.ndarray) -> np.ndarray:
        return laid[..., :2] + np.arange(4, dtype=np.float32)[:, None, None]

    moments = over_turns(rows_added)(windows)
    rows, cols = np.mgrid[:4, :4]
    added = np.stack([rows, 3 - rows, cols, 3 - cols])
    np.testing.assert_allclose(moments[..., :2], windows[..., :2] + added.mean(axis=0)[..., None], atol=1e-5)
    np.testing.assert_allclose(spread_of(moments, axis=-1), np.broadcast_to(added.std(axis=0), (2, 4, 4)), atol=1e-3)


def test_a_network_that_does_not_mind_turning_has_no_spread() -> None:
    windows = np.random.default_rng(0).uniform(0, 0.5, (1, 8, 8, 3)).astype(np.float32)
    moments = over_turns(lambda laid: laid[..., :2])(windows)
    np.testing.assert_allclose(moments[..., :2], windows[..., :2], rtol=1e-6)
    assert spread_of(moments, axis=-1).max() < 1e-3
