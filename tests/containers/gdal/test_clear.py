"""The mask rule, by hand and against every pair of cells."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from containers.gdal.clear import clear_cells, dilated, halo_px
from containers.gdal.contract.composite import MaskRule
from tests.reference import disk_dilation


def test_a_disk_of_two_cells() -> None:
    mask = np.zeros((5, 5), dtype=bool)
    mask[2, 2] = True
    assert dilated(mask, 2).astype(int).tolist() == [
        [0, 0, 1, 0, 0],
        [0, 1, 1, 1, 0],
        [1, 1, 1, 1, 1],
        [0, 1, 1, 1, 0],
        [0, 0, 1, 0, 0],
    ]


@given(arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=8)), st.floats(0, 6))
def test_dilation_equals_the_slow_way(mask: NDArray[np.bool_], radius_px: float) -> None:
    assert (dilated(mask, radius_px) == disk_dilation(mask, radius_px)).all()


@pytest.mark.parametrize(
    ("code", "is_clear"), [(0, 0), (1, 0), (2, 1), (3, 0), (4, 1), (7, 1), (8, 0), (10, 0), (11, 0)]
)
def test_default_rule_by_class(code: int, is_clear: bool) -> None:
    assert clear_cells(np.full((1, 1), code, np.uint8), MaskRule(), 20.0).item() == is_clear


def test_only_masked_classes_are_dilated_and_by_their_own_distance() -> None:
    classes = np.full((1, 9), 4, np.uint8)
    classes[0, 0], classes[0, 8] = 9, 3
    rule = MaskRule(masked=(0, 9), dilate_m={3: 60.0, 9: 40.0})
    assert clear_cells(classes, rule, 20.0).astype(int).tolist() == [[0, 0, 0, 1, 1, 1, 1, 1, 1]]


def test_snow_can_be_kept() -> None:
    rule = MaskRule(masked=(0, 1, 3, 8, 9, 10))
    assert clear_cells(np.full((1, 1), 11, np.uint8), rule, 20.0).all()


@pytest.mark.parametrize(("dilate_m", "expected"), [({}, 0), ({3: 60.0}, 3), ({3: 59.0, 9: 119.0}, 5)])
def test_halo(dilate_m: dict[int, float], expected: int) -> None:
    assert halo_px(MaskRule(dilate_m=dilate_m), 20.0) == expected
