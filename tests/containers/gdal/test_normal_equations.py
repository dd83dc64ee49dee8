"""Least squares of many cells at once against one cell at a time."""

import numpy as np
import pytest

from containers.gdal.normal_equations import solve


@pytest.mark.parametrize("n_unknowns", [1, 4, 12, 22])
def test_every_cell_equals_its_own_least_squares(n_unknowns) -> None:
    rng = np.random.default_rng(n_unknowns)
    basis = rng.normal(size=(70, n_unknowns))
    weights = (rng.random((70, 30)) < 0.7).astype(float)
    values = rng.normal(size=(70, 30))
    fit = solve(basis, weights, values)
    for cell in range(30):
        seen = weights[:, cell] > 0
        expected = np.linalg.lstsq(basis[seen], values[seen, cell], rcond=None)[0]
        assert fit.coefficients[:, cell] == pytest.approx(expected, abs=1e-9)


def test_ridge_equals_added_observations() -> None:
    rng = np.random.default_rng(1)
    basis, values = rng.normal(size=(20, 5)), rng.normal(size=(20, 3))
    penalty = np.array([0, 0.1, 1, 2, 30])
    fit = solve(basis, np.ones((20, 3)), values, penalty)
    expected = np.linalg.lstsq(
        np.vstack([basis, np.diag(penalty**0.5)]), np.vstack([values, np.zeros((5, 3))]), rcond=None
    )
    assert fit.coefficients == pytest.approx(expected[0], abs=1e-10)


def test_tolerance_is_what_other_functions_do_not_explain() -> None:
    """Of the last function, 1 − R² without a constant."""
    rng = np.random.default_rng(2)
    first = rng.normal(size=40)
    second = first + 0.1 * rng.normal(size=40)
    fit = solve(np.column_stack([first, second]), np.ones((40, 1)), rng.normal(size=(40, 1)))
    explained = first * (first @ second) / (first @ first)
    assert fit.tolerance[0] == pytest.approx(((second - explained) ** 2).sum() / (second**2).sum())


def test_cells_that_do_not_determine_the_unknowns_say_so() -> None:
    basis = np.array([[1.0, 0], [1, 1], [1, 2]])
    weights = np.array([[0.0, 1, 1], [0, 0, 1], [0, 0, 0]])
    fit = solve(basis, weights, np.ones((3, 3)))
    assert fit.tolerance[:2].tolist() == [0, 0]
    assert fit.tolerance[2] > 0.1
    assert fit.coefficients == pytest.approx(np.array([[0, 0, 1.0], [0, 0, 0]]))
