"""The recursions against all histories written out one by one."""

from itertools import pairwise, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.gdal.hidden_markov import Chain, chain, log_constant, most_probable_path, posterior

MATRIX = ((0.96, 0.03, 0.01), (0.10, 0.88, 0.02), (0.04, 0.06, 0.90))


def evidence_for(seed: int, n_periods: int, n_cells: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    evidence = np.log(rng.dirichlet((0.6, 0.6, 0.6), (n_periods, n_cells)) + 1e-3).transpose(0, 2, 1)
    evidence.transpose(0, 2, 1)[rng.random((n_periods, n_cells)) < 0.2] = 0
    return np.ascontiguousarray(evidence, np.float32)


def every_history(evidence: np.ndarray, model: Chain) -> dict[tuple[int, ...], float]:
    """Joint probability of each of the 3^T histories of one cell with what was seen: evidence (period, class)."""
    return {
        path: float(
            np.exp(
                model.start[path[0]]
                + sum(model.step[before, after] for before, after in pairwise(path))
                + sum(evidence[period, index] for period, index in enumerate(path))
            )
        )
        for path in product(range(3), repeat=len(evidence))
    }


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), n_periods=st.integers(2, 4))
def test_recursions_equal_all_histories_written_out(seed: int, n_periods: int) -> None:
    evidence, model = evidence_for(seed, n_periods), chain(MATRIX)
    path = most_probable_path(evidence, model)
    log_posterior, never = posterior(evidence, model), log_constant(evidence, model)
    for cell in range(evidence.shape[2]):
        histories = every_history(evidence[:, :, cell], model)
        total = sum(histories.values())
        assert histories[tuple(path[:, cell].tolist())] == pytest.approx(max(histories.values()), rel=1e-5)
        for period, index in product(range(n_periods), range(3)):
            expected = sum(value for history, value in histories.items() if history[period] == index) / total
            assert np.exp(log_posterior[period, index, cell]) == pytest.approx(expected, abs=1e-5)
        constant = sum(value for history, value in histories.items() if len(set(history)) == 1) / total
        assert np.exp(never[cell]) == pytest.approx(constant, abs=1e-5)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), n_periods=st.integers(2, 4))
def test_forbidden_changes_leave_the_best_of_the_other_histories(seed: int, n_periods: int) -> None:
    evidence, model = evidence_for(seed, n_periods), chain(MATRIX)
    may_change = np.random.default_rng(seed + 1).random((n_periods - 1, evidence.shape[2])) < 0.5
    path = most_probable_path(evidence, model, may_change)
    for cell in range(evidence.shape[2]):
        allowed = {
            history: value
            for history, value in every_history(evidence[:, :, cell], model).items()
            if all(
                may or before == after
                for may, (before, after) in zip(may_change[:, cell], pairwise(history), strict=True)
            )
        }
        assert allowed[tuple(path[:, cell].tolist())] == pytest.approx(max(allowed.values()), rel=1e-5)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_permuting_classes_permutes_results(order: tuple[int, ...]) -> None:
    evidence, index = evidence_for(1, 5, 50), list(order)
    permuted = chain(tuple(tuple(MATRIX[i][j] for j in index) for i in index))
    np.testing.assert_allclose(
        posterior(evidence[:, index], permuted), posterior(evidence, chain(MATRIX))[:, index], atol=1e-4
    )
    path = most_probable_path(evidence[:, index], permuted)
    np.testing.assert_array_equal(np.array(index)[path], most_probable_path(evidence, chain(MATRIX)))


def test_posteriors_sum_to_one_over_many_periods() -> None:
    log_posterior = posterior(evidence_for(2, 100, 20), chain(MATRIX))
    np.testing.assert_allclose(np.exp(log_posterior).sum(axis=1), 1, atol=1e-5)


def test_two_periods_by_hand() -> None:
    """Seen green (0.9) then impervious (0.8): from the nine products, the best is a change, with 0.24 of the whole.

    The classes are two here; staying has 0.9. Products of 0.5, transition and evidence:
    (0,0) .5·.1·.9·.8 = .036; (0,1) .5·.1·.1·.2 = .001; (1,0) .5·.9·.1·.8 = .036; (1,1) .5·.9·.9·.2 = .081.
    """
    model = chain(((0.9, 0.1), (0.1, 0.9)))
    evidence = np.log(np.array([[[0.1], [0.9]], [[0.8], [0.2]]], np.float32))
    total = 0.036 + 0.001 + 0.036 + 0.081
    assert most_probable_path(evidence, model)[:, 0].tolist() == [1, 1]
    assert np.exp(posterior(evidence, model)[1, 0, 0]) == pytest.approx(0.072 / total, rel=1e-5)
    assert np.exp(log_constant(evidence, model)[0]) == pytest.approx((0.036 + 0.081) / total, rel=1e-5)


def test_impossible_transition_is_never_taken() -> None:
    model = chain(((1.0, 0.0, 0.0), (0.1, 0.9, 0.0), (0.0, 0.0, 1.0)))
    evidence = np.log(np.array([[0.9, 0.05, 0.05], [0.02, 0.96, 0.02]], np.float32))[:, :, None]
    assert most_probable_path(evidence, model)[:, 0].tolist() == [1, 1]
    assert np.exp(posterior(evidence, model)[1, 1, 0]) == pytest.approx(
        0.05 * 0.9 * 0.96 / (0.05 * (0.1 * 0.02 + 0.9 * 0.96) + 0.9 * 0.02 + 0.05 * 0.02), rel=1e-5
    )
