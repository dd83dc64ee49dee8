"""Least squares for many cells at once: the same basis for all, each with its own gaps.

Cells lie along the last axis, so that every operation runs over contiguous memory: the normal matrices of all cells are
one matrix product of their gaps with the products of the basis functions, and the Cholesky factorisation is the
textbook's, with a vector of cells in place of each number.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Fit(NamedTuple):
    """Coefficients (unknown, cell), and how well each cell determines them."""

    coefficients: Array
    tolerance: Array
    """(cell,): the smallest share of a basis function's sum of squares that the functions before it do not explain,
    1 / VIF; 0 where there is nothing to fit."""


def solve(basis: Array, weights: Array, values: Array, penalty: Array | None = None) -> Fit:
    """Weighted least squares of `values` (date, cell) by `basis` (date, unknown), ridge `penalty` (unknown).

    Values of weight 0 must be finite. Cells that do not determine the unknowns get coefficients of 0.
    """
    normal = normal_matrices(basis, weights)
    if penalty is not None:
        normal[np.diag_indices(len(penalty))] += penalty[:, np.newaxis]
    right = basis.T @ (weights * values)
    tolerance = _factorise(normal)
    _substitute(normal, right)
    right[:, tolerance <= 0] = 0.0
    return Fit(right, tolerance)


def normal_matrices(basis: Array, weights: Array) -> Array:
    """(unknown, unknown, cell), of which the lower triangle is filled."""
    n_unknowns = basis.shape[1]
    rows, cols = np.tril_indices(n_unknowns)
    normal = np.empty((n_unknowns, n_unknowns, weights.shape[1]))
    normal[rows, cols] = (basis[:, rows] * basis[:, cols]).T @ weights
    return normal


_SINGULAR = 1e-9


def _factorise(normal: Array) -> Array:
    """Replace the lower triangles by their Cholesky factors; the tolerance of each cell.

    Where a pivot vanishes, it is replaced by 1 and the cell's tolerance is 0.
    """
    tolerance = np.ones(normal.shape[2])
    diagonal = np.einsum("iin->in", normal).copy()
    for pivot in range(len(normal)):
        column = normal[pivot:, pivot]
        column -= np.einsum("ibn,bn->in", normal[pivot:, :pivot], normal[pivot, :pivot])
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(diagonal[pivot] > 0, column[0] / diagonal[pivot], 0.0)
        singular = share < _SINGULAR
        np.minimum(tolerance, np.where(singular, 0.0, share), out=tolerance)
        column *= 1 / np.sqrt(np.where(singular, 1.0, column[0]))
        column[0][singular] = 1.0
    return tolerance


def _substitute(factor: Array, right: Array) -> None:
    """Solve in place: forward, then backward."""
    size = len(right)
    for row in range(size):
        right[row] /= factor[row, row]
        right[row + 1 :] -= factor[row + 1 :, row] * right[row]
    for row in reversed(range(size)):
        right[row] /= factor[row, row]
        right[:row] -= factor[row, :row] * right[row]
