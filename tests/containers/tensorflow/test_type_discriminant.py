"""Linear discriminants against scikit-learn's."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from containers.tensorflow.type_discriminant import SubspaceDiscriminant

RNG = np.random.default_rng(0)
TYPES = np.repeat([2, 4, 7], (20, 25, 15))
VALUES = RNG.normal(size=(60, 6)) @ RNG.normal(size=(6, 6)) + TYPES[:, np.newaxis] * [0.3, 0, 0, 0, -0.2, 0]


def test_one_that_sees_everything_is_linear_discriminant_analysis() -> None:
    ours = SubspaceDiscriminant(share=1, shrinkage=0, members=1).fit(VALUES, TYPES)
    theirs = LinearDiscriminantAnalysis(solver="lsqr").fit(VALUES, TYPES)
    assert ours.classes_.tolist() == [2, 4, 7]
    np.testing.assert_allclose(ours.predict_proba(VALUES), theirs.predict_proba(VALUES), rtol=1e-6)


def test_probabilities_are_means_over_subspaces_whose_scale_does_not_matter() -> None:
    ours = SubspaceDiscriminant(share=0.5, shrinkage=0.3, members=7, seed=1).fit(VALUES, TYPES)
    assert ours.columns_.shape == (7, 3)
    found = ours.predict_proba(VALUES)
    assert found.sum(axis=1) == pytest.approx(1)
    scaled = SubspaceDiscriminant(share=0.5, shrinkage=0.3, members=7, seed=1).fit(VALUES * 50 - 3, TYPES)
    np.testing.assert_allclose(scaled.predict_proba(VALUES * 50 - 3), found, rtol=1e-6)


def test_more_features_than_sites_and_constant_ones_are_no_trouble() -> None:
    wide = np.column_stack([VALUES, np.ones(60), RNG.normal(size=(60, 200))])
    found = SubspaceDiscriminant().fit(wide[::6], TYPES[::6]).predict_proba(wide)
    assert np.isfinite(found).all()
