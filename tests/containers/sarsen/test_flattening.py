"""Areas that are laid down, and what is read off the image; sarsen's own functions on the same ground."""

import numpy as np
import pytest
import xarray
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.windows import Window
from sarsen import radiometry

from containers.sarsen.flattening import LEAST_AREA, add_facets, area_share, looked, sampled
from containers.sarsen.geometry import Seen

NAN = np.nan


def regular(spacing: float, shape: tuple[int, int] = (60, 50), area: float = 1.0) -> Seen:
    """Cells that lie in the image in rows and columns."""
    row, col = np.mgrid[: shape[0], : shape[1]] * spacing + 0.3
    return Seen(row, col, np.full(shape, area), np.full(shape, 40.0))


@given(st.floats(0.2, 1.2), st.integers(1, 3), st.floats(0.1, 5))
@settings(deadline=None)
def test_no_area_is_lost(spacing: float, looks: int, area: float) -> None:
    areas = np.zeros((40, 40))
    seen = regular(spacing, (20, 18), area)
    add_facets(areas, Window(-2, -2, 40, 40), seen, looks, 1)
    assert areas.sum() == pytest.approx(18 * 16 * area)


@pytest.mark.parametrize(("spacing", "looks"), [(1.0, 1), (0.7, 1), (0.63, 2), (1.0, 2)])
def test_level_ground_is_laid_down_evenly(spacing: float, looks: int) -> None:
    """Each pixel of a level plain sees the same, whatever the cells' spacing."""
    areas = np.zeros((60, 60))
    add_facets(areas, Window(0, 0, 60, 60), regular(spacing, (120, 120), spacing**2), looks, 1)
    inner = areas[5:25, 5:25] / looks**2
    np.testing.assert_allclose(inner, 1, rtol=0.07)
    assert inner.mean() == pytest.approx(1, rel=0.01)


def test_blocks_add_up() -> None:
    seen, whole, parts = regular(0.8), np.zeros((30, 30)), np.zeros((30, 30))
    seen = seen._replace(row=seen.row + 0.3 * np.sin(seen.col))
    add_facets(whole, Window(3, 2, 30, 30), seen, 1, 1)
    for first in range(0, 58, 7):
        rows = slice(first, first + 9)
        add_facets(parts, Window(3, 2, 30, 30), Seen(*(layer[rows] for layer in seen)), 1, 1)
    np.testing.assert_allclose(parts, whole, rtol=1e-9, atol=1e-9)


def test_unknown_and_averted_cells_lay_down_nothing() -> None:
    seen = regular(1.0, (8, 8))
    seen.row[3, 3] = NAN
    seen.area_px[5, 5] = 0
    areas = np.zeros((12, 12))
    add_facets(areas, Window(-2, -2, 12, 12), seen, 1, 1)
    assert np.isfinite(areas).all()
    assert areas.sum() < 36 - 2


def test_share_by_hand() -> None:
    areas = np.array([[4.0, 8.0], [4.0, 0.0]])
    share = area_share(areas, Window(10, 20, 2, 2), Window(20, 40, 4, 4), 2)
    assert share[0].tolist() == [1, 1.25, 1.75, 2]
    assert np.isnan(share[3, 3])
    assert (share[~np.isnan(share)] >= LEAST_AREA).all()


def test_looked_pixels_count_from_their_centres() -> None:
    assert looked(np.array([0.5, 2.5, 1.5]), 2).tolist() == [0, 1, 0.5]


def test_sampled_by_hand() -> None:
    image = np.array([[1, 3], [5, NAN]], np.float32)
    row = np.array([[0, 0.5, 0, 0.5, 1, -0.5, -0.6, NAN]])
    col = np.array([[0, 0, 0.5, 0.5, 1, 1.5, 0, 0]])
    np.testing.assert_allclose(sampled(image, row, col), [[1, 3, 2, 3, NAN, 3, NAN, NAN]])


def sarsen_weights(method: str) -> tuple[xarray.Dataset, np.ndarray]:
    """What sarsen makes of a rough surface, in pixels of 3 s and 3 m."""
    rng = np.random.default_rng(0)
    row, col = np.mgrid[:80, :70] * 1.0
    azimuth, slant = row + 0.35 * np.sin(col / 5), col + 1.5 * np.sin(row / 9) * np.sin(col / 7)
    epoch = np.datetime64("2021-01-01T00:00:00", "ns")
    dataset = xarray.Dataset(
        {
            "azimuth_time": (("y", "x"), epoch + (azimuth * 1e9).astype("timedelta64[ns]")),
            "slant_range_time": (("y", "x"), slant),
            "gamma_area": (("y", "x"), rng.uniform(0.5, 1.5, row.shape)),
        },
        coords={"y": np.arange(80), "x": np.arange(70)},
    )
    weights = getattr(radiometry, method)(dataset.chunk(), 0.0, epoch, 3.0, 3.0, 3.0, 3.0)
    return dataset, weights.values


def test_bilinear_weights_of_sarsen_do_not_interpolate() -> None:
    """Why areas are laid down here: all four sums are over the same square and add up to its whole area."""
    dataset, weights = sarsen_weights("gamma_weights_bilinear")
    seconds = (dataset.azimuth_time.values - np.datetime64("2021-01-01T00:00:00", "ns")) / np.timedelta64(10**9, "ns")
    row = np.floor(seconds / 3).astype(int)
    col = np.floor(dataset.slant_range_time.values / 3).astype(int)
    expected = np.zeros(row.shape)
    for square in {*zip(row.ravel().tolist(), col.ravel().tolist(), strict=True)}:
        inside = (row == square[0]) & (col == square[1])
        expected[inside] = dataset.gamma_area.values[inside].sum() / 9
    np.testing.assert_allclose(weights[5:-5, 5:-5], expected[5:-5, 5:-5], rtol=1e-6)


def test_areas_agree_with_sarsens_on_average() -> None:
    dataset, weights = sarsen_weights("gamma_weights_nearest")
    seconds = (dataset.azimuth_time.values - np.datetime64("2021-01-01T00:00:00", "ns")) / np.timedelta64(10**9, "ns")
    seen = Seen(seconds / 3, dataset.slant_range_time.values / 3, dataset.gamma_area.values / 9, seconds)
    areas = np.zeros((40, 40))
    add_facets(areas, Window(-3, -3, 40, 40), seen, 1, 1)
    ours = sampled(areas.astype(np.float32), seen.row + 3, seen.col + 3)
    inner = slice(10, -10), slice(10, -10)
    assert (ours[inner] / weights[inner]).mean() == pytest.approx(1, abs=0.05)
    assert np.corrcoef(ours[inner].ravel(), weights[inner].ravel())[0, 1] > 0.5
