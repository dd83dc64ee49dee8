"""Slope and aspect of surfaces whose slope and aspect are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.gdal.relief import FLAT, slope_and_aspect


def plane(slope_deg: float, faces_deg: float, cell_m: float) -> np.ndarray:
    """Heights that fall by the tangent of the slope in the direction of a bearing."""
    rows, cols = np.mgrid[:7, :9] * cell_m
    bearing = np.radians(faces_deg)
    along = cols * np.sin(bearing) - rows * np.cos(bearing)
    return 1000 - along * np.tan(np.radians(slope_deg))


@pytest.mark.parametrize(
    ("slope_deg", "faces_deg"), [(10, 0), (10, 90), (30, 180), (45, 270), (5, 45), (60, 200), (1, 359)]
)
def test_planes(slope_deg: float, faces_deg: float) -> None:
    slope, aspect = slope_and_aspect(plane(slope_deg, faces_deg, 10), 10)
    assert slope.shape == (5, 7)
    np.testing.assert_allclose(slope, slope_deg, rtol=1e-5)
    np.testing.assert_allclose(aspect, faces_deg, rtol=1e-4)


def test_by_hand() -> None:
    """East: ((3 + 2·2 + 1) − (0 + 0 + 0)) / 80 = 0.1; north: ((0 + 0 + 3) − (0 + 0 + 1)) / 80 = 0.025."""
    slope, aspect = slope_and_aspect(np.array([[0, 0, 3], [0, 9, 2], [0, 0, 1]]), 10)
    assert slope.item() == pytest.approx(np.degrees(np.arctan(np.hypot(0.1, 0.025))))
    assert aspect.item() == pytest.approx(180 + np.degrees(np.arctan2(0.1, 0.025)))


def test_flat_ground_faces_nowhere_and_unknown_stays_unknown() -> None:
    heights = np.full((3, 6), 7.0)
    heights[1, 5] = np.nan
    slope, aspect = slope_and_aspect(heights, 10)
    assert slope[0, :3].tolist() == [0, 0, 0]
    assert aspect[0, :3].tolist() == [FLAT] * 3
    assert np.isnan([slope[0, 3], aspect[0, 3]]).all()


@given(st.integers(0, 2**32 - 1), st.floats(1, 100))
@settings(deadline=None)
def test_turning_the_ground_turns_the_aspect(seed: int, cell_m: float) -> None:
    heights = np.random.default_rng(seed).normal(0, 50, (6, 6))
    slope, aspect = slope_and_aspect(heights, cell_m)
    turned_slope, turned_aspect = slope_and_aspect(np.rot90(heights), cell_m)
    np.testing.assert_allclose(turned_slope, np.rot90(slope), rtol=1e-4, atol=1e-4)
    difference = (turned_aspect - (np.rot90(aspect) - 90)) % 360
    assert ((difference < 0.05) | (difference > 359.95) | (turned_slope < 0.02)).all()
