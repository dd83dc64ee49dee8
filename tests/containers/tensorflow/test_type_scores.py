"""Scores of vegetation types against scikit-learn's and against numbers made by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from containers.tensorflow import type_scores as scores


def some_sites(seed: int):
    rng = np.random.default_rng(seed)
    true, predicted = rng.integers(0, 4, (2, 60))
    predicted[:30] = true[:30]
    return true, predicted, rng.integers(0, 5, 60)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_scores_are_those_of_scikit_learn(seed) -> None:
    true, predicted, groups = some_sites(seed)
    total = scores.confusions(true, predicted, groups, 4).sum(axis=0)
    assert scores.overall_accuracy(total) == pytest.approx(metrics.accuracy_score(true, predicted))
    assert scores.balanced_accuracy(total) == pytest.approx(metrics.balanced_accuracy_score(true, predicted))
    assert scores.macro_f1(total) == pytest.approx(metrics.f1_score(true, predicted, average="macro"))
    assert scores.kappa(total) == pytest.approx(metrics.cohen_kappa_score(true, predicted))


def test_resampling_draws_whole_groups() -> None:
    """Two groups, one all right and one all wrong: a resample is right by 0, a half or 1, and by nothing between."""
    true = np.array([0, 1] * 10)
    groups = np.repeat([0, 1], 10)
    counts = scores.confusions(true, np.where(groups == 0, true, 1 - true), groups, 2)
    drawn = scores.overall_accuracy(scores.resampled(counts, seed=0))
    assert set(drawn.tolist()) == {0.0, 0.5, 1.0}
    (interval,) = scores.with_interval(scores.overall_accuracy, counts, seed=0)
    assert interval == (0.5, 0.0, 1.0)


def test_gains_are_paired() -> None:
    """Whatever groups are drawn, a model that is right on one more site of ten per group is better by 0.1."""
    true, groups = np.zeros(30, dtype=int), np.repeat([0, 1, 2], 10)
    true[::10] = 1
    better, plain = true.copy(), true.copy()
    plain[5::10] = 1
    gains = dict(scores.gains(*(scores.confusions(true, said, groups, 2) for said in (better, plain)), seed=0))
    assert gains["overall_accuracy"] == pytest.approx((0.1, 0.1, 0.1))


def test_a_model_gains_nothing_over_itself() -> None:
    true, predicted, groups = some_sites(1)
    counts = scores.confusions(true, predicted, groups, 4)
    assert all(interval == (0, 0, 0) for _, interval in scores.gains(counts, counts, seed=3))


def test_calibration_error_by_hand() -> None:
    """Of four sites at 0.95 three are right, of two at 0.55 one: (|3.8 − 3| + |1.1 − 1|) / 6."""
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 0.55])
    hit = np.array([1, 1, 1, 0, 1, 0], dtype=bool)
    found = scores.calibration(confidence, hit, np.array([0, 0, 1, 1, 0, 1]))
    assert scores.calibration_error(found.sums.sum(axis=0)) == pytest.approx((0.8 + 0.1) / 6)
    np.testing.assert_allclose(found.curve, [[0.55, 0.5, 2], [0.95, 0.75, 4]])


def test_types_that_are_never_predicted_have_no_precision() -> None:
    matrix = np.array([[5.0, 0.0], [2.0, 0.0]])
    assert np.isnan(scores.precision(matrix)[1])
    assert scores.f1(matrix)[1] == 0
    assert scores.kappa(matrix) == 0
