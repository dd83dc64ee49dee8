"""Linear discriminants against scikit-learn's."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from containers.tensorflow.type_discriminant import SubspaceDiscriminant

ALL = (0, 1, 2, 3, 4, 5)
RNG = np.random.default_rng(0)
TYPES = np.repeat([2, 4, 7], (20, 25, 15))
VALUES = RNG.normal(size=(60, 6)) @ RNG.normal(size=(6, 6)) + TYPES[:, np.newaxis] * [0.3, 0, 0, 0, -0.2, 0]


def test_one_that_sees_everything_is_linear_discriminant_analysis() -> None:
    ours = SubspaceDiscriminant((ALL,), shrinkage=0, members=1).fit(VALUES, TYPES)
    theirs = LinearDiscriminantAnalysis(solver="lsqr").fit(VALUES, TYPES)
    assert ours.classes_.tolist() == [2, 4, 7]
    np.testing.assert_allclose(ours.predict_proba(VALUES), theirs.predict_proba(VALUES), rtol=1e-6)


def test_members_draw_from_the_pools_in_turn_and_scale_does_not_matter() -> None:
    classifier = SubspaceDiscriminant((ALL, (1, 2, 4)), size=4, shrinkage=0.3, members=7, seed=1)
    found = classifier.fit(VALUES, TYPES).predict_proba(VALUES)
    assert [len(columns) for columns in classifier.columns_] == [4, 3, 4, 3, 4, 3, 4]
    assert classifier.columns_[1].tolist() == [1, 2, 4]
    assert found.sum(axis=1) == pytest.approx(1)
    scaled = VALUES * 50 - 3
    np.testing.assert_allclose(classifier.fit(scaled, TYPES).predict_proba(scaled), found, rtol=1e-6)


def test_more_features_than_sites_and_constant_ones_are_no_trouble() -> None:
    wide = np.column_stack([VALUES, np.ones(60), RNG.normal(size=(60, 200))])
    found = SubspaceDiscriminant((tuple(range(207)),)).fit(wide[::6], TYPES[::6]).predict_proba(wide)
    assert np.isfinite(found).all()
