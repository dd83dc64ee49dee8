import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from containers.gdal import gamma_interval
from containers.gdal.gamma_interval import mid_p_interval


def test_examples_hold() -> None:
    assert doctest.testmod(gamma_interval).failed == 0


@pytest.mark.parametrize("count", [1, 2, 5, 20, 100])
def test_of_a_plain_count_it_is_the_mid_p_interval_of_poisson(count: int) -> None:
    """By definition: the mean at which half the chance of what was seen, and all of what lies beyond, is 2.5 %."""
    low, high = mid_p_interval(count, count, 1.0, 0.95)
    assert poisson.sf(count, low) + poisson.pmf(count, low) / 2 == pytest.approx(0.025, abs=1e-6)
    assert poisson.cdf(count - 1, high) + poisson.pmf(count, high) / 2 == pytest.approx(0.025, abs=1e-6)


def test_weights_only_change_the_unit() -> None:
    assert mid_p_interval(300.0, 3 * 100.0**2, 100.0, 0.95) == pytest.approx(
        tuple(100 * end for end in mid_p_interval(3.0, 3.0, 1.0, 0.95))
    )


@pytest.mark.parametrize(("total", "variance"), [(0.0, 0.0), (40.0, 0.0), (40.0, 9.0)])
def test_a_domain_seen_whole_has_nothing_unseen(total: float, variance: float) -> None:
    low, high = mid_p_interval(total, variance, 0.0, 0.95)
    if variance == 0:
        assert (low, high) == (total, total)
    else:
        assert low < total < high


def test_a_sure_part_keeps_its_lower_end() -> None:
    """Forty cells without variance, and what no point has met: nothing is taken away, something may be added."""
    low, high = mid_p_interval(40.0, 0.0, 5.0, 0.95)
    assert low == 40.0
    assert 40.0 < high < 60.0


@settings(deadline=None)
@given(total=st.floats(0.1, 1e6), spread=st.floats(0.01, 2.0), weight=st.floats(1e-3, 1e4))
def test_it_holds_the_estimate_and_widens_with_confidence(total: float, spread: float, weight: float) -> None:
    variance = (spread * total) ** 2
    low, high = mid_p_interval(total, variance, weight, 0.95)
    wide_low, wide_high = mid_p_interval(total, variance, weight, 0.99)
    assert 0 <= wide_low <= low <= high <= wide_high
    assert high > total
    if spread < 0.5 and weight < spread * total:
        assert low < total


def test_it_covers_where_the_normal_interval_does_not() -> None:
    """Counts of mean 0.8 that weigh 600, of 8 that weigh 150, and of 60 that weigh 20: as over a landscape."""
    rng = np.random.default_rng(3)
    weights, means = np.array([600.0, 150.0, 20.0]), np.array([0.8, 8.0, 60.0])
    counts = rng.poisson(means, (3000, 3))
    true = float(weights @ means)
    average = float((weights * [500, 170, 80]).sum() / 750)
    mid_p, normal = [], []
    for count in counts:
        total, variance = float(weights @ count), float(weights**2 @ count)
        low, high = mid_p_interval(total, variance, average, 0.95)
        mid_p.append(low <= true <= high)
        normal.append(abs(total - true) <= 1.959964 * variance**0.5)
    assert 0.93 <= np.mean(mid_p) <= 0.985
    assert np.mean(normal) < 0.92
