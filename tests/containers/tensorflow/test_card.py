import numpy as np
import pytest

from containers.tensorflow.card import scores


def test_scores_by_hand() -> None:
    """Rows are labels: 8 of 10 impervious found, 16 of 18 green, nothing of other."""
    result = scores("test", np.array([[8, 2, 0], [2, 16, 0], [0, 2, 0]]))
    assert result.accuracy == pytest.approx(24 / 30)
    assert result.recall == {"impervious": 0.8, "green": pytest.approx(16 / 18), "other": 0.0}
    assert result.precision == {"impervious": 0.8, "green": 0.8, "other": 0.0}
    assert result.f1 == {"impervious": 0.8, "green": pytest.approx(32 / 38), "other": 0.0}


def test_nothing_tested_scores_nothing() -> None:
    assert scores("test", np.zeros((3, 3), np.int64)).accuracy == 0
