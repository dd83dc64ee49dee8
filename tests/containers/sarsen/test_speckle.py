"""Speckle filters against the published table, a slow reference, and what they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from containers.base.contract.radar import Speckle
from containers.sarsen.lee_sigma import lee_sigma, point_targets
from containers.sarsen.refined_lee import half_window, refined_lee
from containers.sarsen.sigma_range import sigma_range
from containers.sarsen.speckle import filtered, reach_px
from tests.containers.sarsen.slow_filters import HALVES, slow_lee_sigma, slow_refined_lee

LOOKS = 4.4
NEVER = 1e9
SIGMA, REFINED = Speckle(), Speckle(filter="refined_lee")


def speckle(shape: tuple[int, int], seed: int = 0, looks: float = LOOKS) -> NDArray[np.float32]:
    """Fully developed speckle of mean 1."""
    return np.random.default_rng(seed).gamma(looks, 1 / looks, shape).astype(np.float32)


def looks_of(power: NDArray[np.float32]) -> float:
    return float(power.mean(dtype=float) ** 2 / power.var(dtype=float))


@pytest.mark.parametrize(
    ("looks", "share", "low", "high", "variation"),
    [
        (1, 0.5, 0.436, 1.920, 0.4057),
        (1, 0.7, 0.254, 2.582, 0.5911),
        (1, 0.9, 0.084, 3.941, 0.8191),
        (2, 0.9, 0.221, 2.744, 0.5699),
        (4, 0.5, 0.694, 1.385, 0.1921),
        (4, 0.9, 0.378, 2.094, 0.3991),
    ],
)
def test_sigma_ranges_of_the_paper(looks: float, share: float, low: float, high: float, variation: float) -> None:
    """Table II of Lee et al. (2009), intensities, which were found by search to two or three digits."""
    found = sigma_range(looks, share)
    assert found.low == pytest.approx(low, abs=0.002)
    assert found.high == pytest.approx(high, abs=0.015)
    assert found.variation == pytest.approx(variation, abs=0.002)


@given(looks=st.floats(1, 50), share=st.sampled_from([0.5, 0.6, 0.7, 0.8, 0.9]))
@settings(max_examples=25, deadline=None)
def test_sigma_ranges_hold_their_share_and_have_no_bias(looks: float, share: float) -> None:
    found = sigma_range(looks, share)
    draws = np.random.default_rng(1).gamma(looks, 1 / looks, 200_000)
    inside = draws[(draws >= found.low) & (draws <= found.high)]
    assert len(inside) / len(draws) == pytest.approx(share, abs=0.006)
    assert inside.mean() == pytest.approx(1, abs=0.012)
    assert inside.std() == pytest.approx(found.variation, rel=0.02)


@pytest.mark.parametrize(("window", "target", "share"), [(9, 5, 0.9), (5, 3, 0.5), (7, 3, 0.8)])
def test_lee_sigma_is_the_slow_one(window: int, target: int, share: float) -> None:
    power = speckle((26, 31), 3)
    power[:, 15:] *= 5
    power[8:11, 5:8] = 60
    power[20, 3:9] = np.nan
    asked = Speckle(window_px=window, target_window_px=target, sigma=share)
    slow = slow_lee_sigma(power.astype(float), window, target, LOOKS, sigma_range(LOOKS, share), 20.0)
    np.testing.assert_allclose(lee_sigma(power, asked, 20.0), slow, rtol=2e-4)


def test_refined_lee_is_the_slow_one() -> None:
    power = speckle((30, 34), 4)
    row, col = np.mgrid[:30, :34]
    power[row + col > 34] *= 6
    inner = slice(5, -5), slice(5, -5)
    np.testing.assert_allclose(
        refined_lee(power, LOOKS)[inner], slow_refined_lee(power.astype(float), LOOKS)[inner], rtol=2e-4
    )


@pytest.mark.parametrize("side", range(8))
def test_half_windows(side: int) -> None:
    drawn = {(y, x) for y in range(-3, 4) for x in range(-3, 4) if HALVES[side](y, x)}
    assert {tuple(offset) for offset in half_window(side).tolist()} == drawn
    assert len(drawn) == 28


@pytest.mark.parametrize(("asked", "least"), [(SIGMA, 20), (REFINED, 15)], ids=["lee_sigma", "refined_lee"])
def test_homogeneous_speckle(asked: Speckle, least: float) -> None:
    """The mean stays within 1 %; the number of looks rises by the stated factor."""
    power = speckle((600, 500), 5)
    result = filtered(power, asked, NEVER)
    assert result.mean(dtype=float) == pytest.approx(power.mean(dtype=float), rel=0.01)
    assert looks_of(result) / looks_of(power) > least


@pytest.mark.parametrize("asked", [SIGMA, REFINED], ids=["lee_sigma", "refined_lee"])
def test_edges_stay(asked: Speckle) -> None:
    """A step of 10 dB: the mean beside it is that of its side; a moving average of the same window has it halfway."""
    power = speckle((400, 60), 6)
    power[:, 30:] *= 10
    profile = filtered(power, asked, NEVER).mean(axis=0, dtype=float)
    assert profile[28] == pytest.approx(1, rel=0.25)
    assert profile[31] == pytest.approx(10, rel=0.1)


def test_point_targets_stay_and_chance_does_not_make_them() -> None:
    power = speckle((200, 200), 7)
    bright = float(np.percentile(power, 98))
    assert point_targets(power, bright).mean() < 0.001
    power[50:53, 60:63] = 400
    power[120, 120] = 400
    result = filtered(power, SIGMA, bright)
    assert (result[50:53, 60:63] == 400).all()
    assert result[49, 59] < 5
    assert result[118, 118] < 3


@pytest.mark.parametrize("asked", [SIGMA, REFINED, Speckle(filter="none")], ids=lambda asked: asked.filter)
@given(row=st.integers(0, 40), col=st.integers(0, 40), seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_a_part_gives_what_the_whole_gives(asked: Speckle, row: int, col: int, seed: int) -> None:
    power = speckle((60, 62), seed)
    power[seed % 60, ::3] = np.nan
    power[20:40] *= 8
    whole = filtered(power, asked, 6.0)
    reach = reach_px(asked)
    top, left = max(0, row - reach), max(0, col - reach)
    part = filtered(power[top : row + 20 + reach, left : col + 20 + reach], asked, 6.0)
    inner = part[row - top : row - top + 20, col - left : col - left + 20]
    np.testing.assert_array_equal(inner, whole[row : row + 20, col : col + 20])


@pytest.mark.parametrize("asked", [SIGMA, REFINED], ids=["lee_sigma", "refined_lee"])
def test_no_data_stays_and_spreads_nowhere(asked: Speckle) -> None:
    power = speckle((40, 40), 8)
    power[10:20, 10:20] = np.nan
    result = filtered(power, asked, NEVER)
    np.testing.assert_array_equal(np.isnan(result), np.isnan(power))
    assert (result[~np.isnan(result)] > 0).all()


def test_a_constant_image_stays() -> None:
    for asked in (SIGMA, REFINED):
        np.testing.assert_allclose(filtered(np.full((20, 20), 0.3, np.float32), asked, NEVER), 0.3, rtol=1e-6)
