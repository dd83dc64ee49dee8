import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.base.contract.legend import CLASSES
from containers.tensorflow.blending import Predict, Strip, Windows, blended_rows


def by_cell(inputs: np.ndarray) -> np.ndarray:
    """A toy network without a neighbourhood: softmax of three sums of the bands."""
    logits = np.stack([inputs.sum(axis=-1), inputs[..., 0], -inputs[..., 1]], axis=-1)
    exponents = np.exp(logits)
    return (exponents / exponents.sum(axis=-1, keepdims=True)).astype(np.float32)


def predict_whole(inputs: np.ndarray, known: np.ndarray, windows: Windows, predict: Predict) -> np.ndarray:
    strips = list(
        blended_rows(
            inputs.shape[:2],
            lambda row, rows: Strip(inputs[row : row + rows], known[row : row + rows]),
            predict,
            windows,
            len(CLASSES),
        )
    )
    assert [done.row for done in strips] == list(np.cumsum([0, *(done.rows for done in strips)])[:-1])
    np.testing.assert_array_equal(np.concatenate([done.strip.known[: done.rows] for done in strips]), known)
    return np.concatenate([done.layers for done in strips], axis=1)


@settings(deadline=None, max_examples=40)
@given(
    height=st.integers(1, 70), width=st.integers(1, 70), overlap=st.integers(0, 8), batch=st.integers(1, 5),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_by_window_equals_whole(height: int, width: int, overlap: int, batch: int, seed: int) -> None:
    inputs = np.random.default_rng(seed).normal(size=(height, width, 2)).astype(np.float32)
    blended = predict_whole(inputs, np.ones((height, width), bool), Windows(16, overlap, batch), by_cell)
    np.testing.assert_allclose(blended, np.moveaxis(by_cell(inputs), -1, 0), atol=1e-6)


def test_overlap_is_blended_linearly() -> None:
    """Two windows of 8 cells that overlap by 4, the first predicts 0 and the second 1: a ramp of 1/8 to 7/8."""
    calls = iter((0.0, 1.0))

    def one_after_another(inputs: np.ndarray) -> np.ndarray:
        return np.full((*inputs.shape[:3], 3), next(calls), np.float32)

    inputs = np.ones((8, 12, 1), np.float32)
    blended = predict_whole(inputs, np.ones((8, 12), bool), Windows(8, 4, batch=1), one_after_another)
    expected = [0, 0, 0, 0, 1 / 8, 3 / 8, 5 / 8, 7 / 8, 1, 1, 1, 1]
    np.testing.assert_allclose(blended[0], np.tile(expected, (8, 1)), atol=1e-6)


def test_windows_without_data_are_not_predicted() -> None:
    known = np.zeros((16, 48), bool)
    known[3, 40] = True
    sizes = []

    def counted(inputs: np.ndarray) -> np.ndarray:
        sizes.append(inputs.shape[0])
        return by_cell(inputs)

    blended = predict_whole(np.ones((16, 48, 2), np.float32), known, Windows(16, 0, batch=8), counted)
    assert sizes == [1]
    assert blended[:, :, :32].max() == 0
    np.testing.assert_allclose(blended[:, :, 32:].sum(axis=0), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("length", "starts"), [(5, [0]), (16, [0]), (17, [0, 1]), (28, [0, 12]), (40, [0, 12, 24]), (41, [0, 12, 24, 25])]
)
def test_starts_cover_the_length(length: int, starts: list[int]) -> None:
    assert Windows(16, 4, 1).starts(length) == starts
