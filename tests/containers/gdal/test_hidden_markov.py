"""Sums and look-ups against every history written out, with the density of scipy."""

from itertools import pairwise, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from containers.gdal.emission import Emission, log_ratios
from containers.gdal.hidden_markov import (
    Model,
    histories,
    log_joint,
    log_joint_of,
    model_of,
    most_probable,
    posterior,
    see,
)

MATRIX = ((0.96, 0.03, 0.01), (0.10, 0.88, 0.02), (0.04, 0.06, 0.90))
EMISSION = Emission(
    np.array([[1.4, 0.3, -1.7], [-0.8, 2.0, -1.2], [-1.1, -0.8, 1.9]], np.float32), noise=0.4, effect=0.3
)


def probabilities_for(seed: int, n_periods: int, n_cells: int = 4) -> np.ndarray:
    """uint8 (period, class, cell), a fifth of them unseen."""
    rng = np.random.default_rng(seed)
    probabilities = np.rint(250 * rng.dirichlet((0.6, 0.6, 0.6), (n_periods, n_cells))).astype(np.uint8)
    probabilities[rng.random((n_periods, n_cells)) < 0.2] = 255
    return np.ascontiguousarray(probabilities.transpose(0, 2, 1))


def every_history(probabilities: np.ndarray, model: Model) -> dict[tuple[int, ...], float]:
    """Joint density of each history of one cell with few enough changes: probabilities uint8 (period, class)."""
    seen = probabilities[:, 0] != 255
    ratios = log_ratios(probabilities[:, :, None])[seen, :, 0]
    emission, n_seen = model.emission, int(seen.sum())
    covariance = emission.noise * np.eye(n_seen) + emission.effect * np.ones((n_seen, n_seen))
    found = {}
    for history in product(range(3), repeat=len(probabilities)):
        if np.count_nonzero(np.diff(history)) > model.most_changes:
            continue
        chain = sum(model.log_step[before, after] for before, after in pairwise(history))
        means = emission.means[np.array(history)[seen]]
        density = sum(
            multivariate_normal.logpdf(ratios[:, part], means[:, part], covariance) for part in range(3) if n_seen
        )
        found[history] = float(np.exp(chain + density))
    return found


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), n_periods=st.integers(2, 5), most_changes=st.integers(0, 3))
def test_equals_all_histories_written_out(seed: int, n_periods: int, most_changes: int) -> None:
    probabilities, model = probabilities_for(seed, n_periods), model_of(MATRIX, EMISSION, most_changes)
    seen = see(probabilities, EMISSION)
    path, best = most_probable(seen, model)
    found = posterior(seen, model, best)
    for cell in range(probabilities.shape[2]):
        every = every_history(probabilities[:, :, cell], model)
        total = sum(every.values())
        assert every[tuple(path[:, cell].tolist())] == pytest.approx(max(every.values()), rel=1e-3)
        for period, index in product(range(n_periods), range(3)):
            expected = sum(value for history, value in every.items() if history[period] == index) / total
            assert found.classes[period, index, cell] == pytest.approx(expected, abs=1e-3)
        constant = sum(value for history, value in every.items() if len(set(history)) == 1) / total
        assert found.constant[cell] == pytest.approx(constant, abs=1e-3)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), n_periods=st.integers(2, 4))
def test_forbidden_changes_leave_the_best_of_the_other_histories(seed: int, n_periods: int) -> None:
    probabilities, model = probabilities_for(seed, n_periods), model_of(MATRIX, EMISSION, 3)
    may_change = np.random.default_rng(seed + 1).random((n_periods - 1, probabilities.shape[2])) < 0.5
    path, _ = most_probable(see(probabilities, EMISSION), model, may_change)
    for cell in range(probabilities.shape[2]):
        allowed = {
            history: value
            for history, value in every_history(probabilities[:, :, cell], model).items()
            if all(
                may or before == after
                for may, (before, after) in zip(may_change[:, cell], pairwise(history), strict=True)
            )
        }
        assert allowed[tuple(path[:, cell].tolist())] == pytest.approx(max(allowed.values()), rel=1e-3)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_permuting_classes_permutes_results(order: tuple[int, ...]) -> None:
    probabilities, index = probabilities_for(1, 5, 50), list(order)
    matrix = tuple(tuple(MATRIX[i][j] for j in index) for i in index)
    permuted = EMISSION._replace(means=EMISSION.means[np.ix_(index, index)])
    path, best = most_probable(see(probabilities, EMISSION), model_of(MATRIX, EMISSION, 2))
    turned, same = most_probable(see(probabilities[:, index], permuted), model_of(matrix, permuted, 2))
    seen = (probabilities[:, 0] != 255).any(axis=0)
    np.testing.assert_array_equal(np.array(index)[turned][:, seen], path[:, seen])
    np.testing.assert_allclose(same, best, atol=1e-3)


def test_histories_are_as_many_as_can_be_counted() -> None:
    """Three constant ones; six for each place of one change; twelve for each two places of two."""
    found = histories(5, 3, 2)
    assert len(found) == 3 + 6 * 4 + 12 * 6 == len({tuple(history) for history in found.tolist()})
    assert [len(set(history)) for history in found[:4].tolist()] == [1, 1, 1, 2]
    assert max(np.count_nonzero(np.diff(history)) for history in found) == 2


@pytest.mark.parametrize(("n_periods", "changes"), [(26, 2), (27, 1), (84, 1)])
def test_many_periods_have_histories_of_fewer_changes(n_periods: int, changes: int) -> None:
    assert max(np.count_nonzero(np.diff(history)) for history in histories(n_periods, 3, 2)) == changes


def test_two_periods_by_hand() -> None:
    """Two periods seen alike at a class's mean: constant histories differ from it by their means alone.

    With noise s and effect e the exponent of a constant class at distance d is −d² / (s + 2e), since n·d² less the
    shared part n²·d²·e / (s + n·e), over 2s, is n·d² / (2·(s + n·e)).
    """
    emission = Emission(np.array([[1, -1, 0], [-1, 1, 0], [0, -1, 1]], np.float32), noise=0.5, effect=0.25)
    model = model_of(MATRIX, emission, 0)
    ratios = np.array([1, -1, 0])
    odds = np.exp(ratios)
    probabilities = np.rint(250 * odds / odds.sum()).astype(np.uint8)
    seen = see(np.tile(probabilities[None, :, None], (2, 1, 1)), emission)
    same, other = (float(log_joint(np.full(2, index, np.uint8), seen, model)[0]) for index in (0, 1))
    assert same - other == pytest.approx(8 / (0.5 + 2 * 0.25) + np.log(0.96 / 0.88), rel=0.02)


def test_an_effect_explains_a_cell_that_always_looks_alike() -> None:
    """Between green and impervious, a little above and below: without an effect a change, with it none. The same step
    from clearly green is a change to both."""
    unsure = np.array([[110, 130, 10], [150, 90, 10]], np.uint8)[:, :, None]
    clear = np.array([[5, 240, 5], [150, 90, 10]], np.uint8)[:, :, None]
    means = np.log(18) / 3 * (3 * np.eye(3, dtype=np.float32) - 1)
    steady, loose = (model_of(MATRIX, Emission(means, 0.05, effect), 1) for effect in (1.0, 1e-6))
    for probabilities, model, changes in (
        (unsure, steady, 0),
        (unsure, loose, 1),
        (clear, steady, 1),
        (clear, loose, 1),
    ):
        path, _ = most_probable(see(probabilities, model.emission), model)
        assert np.count_nonzero(np.diff(path[:, 0])) == changes


def test_impossible_transition_is_never_taken() -> None:
    model = model_of(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), EMISSION, 2)
    probabilities = np.array([[240, 5, 5], [5, 240, 5], [5, 240, 5]], np.uint8)[:, :, None]
    seen = see(probabilities, EMISSION)
    path, best = most_probable(seen, model)
    assert path[:, 0].tolist() == [1, 1, 1]
    assert posterior(seen, model, best).constant.item() == pytest.approx(1)


def test_a_change_of_a_lenient_model_costs_less() -> None:
    model = model_of(MATRIX, EMISSION, 1)
    np.testing.assert_allclose(model.lenient(0.5).log_step, model.log_step / 2)


def test_histories_of_their_own() -> None:
    probabilities, model = probabilities_for(5, 4, 30), model_of(MATRIX, EMISSION, 2)
    seen = see(probabilities, EMISSION)
    path, best = most_probable(seen, model)
    np.testing.assert_array_equal(log_joint_of(path, seen, model), best)
