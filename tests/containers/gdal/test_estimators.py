"""The estimators against published worked examples to the printed digits, hand-computed cases and redraws."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from containers.gdal.estimators import Design, Estimate
from containers.gdal.gamma_interval import mid_p_interval

Z95 = 1.959964


def letters(text):
    return np.array(list(text))


def as_floats(condition):
    return np.asarray(condition, float)


@pytest.fixture(scope="module")
def deforestation():
    """Olofsson et al. (2014), table 8: rows are strata = map classes, columns reference classes; 30 m pixels.

    In square metres, because the paper leaves out the finite population correction, which then vanishes.
    """
    matrix = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
    mapped = np.repeat(np.arange(4), matrix.sum(axis=1))
    reference = np.concatenate([np.repeat(np.arange(4), row) for row in matrix])
    return Design(900 * np.array([200_000, 150_000, 3_200_000, 6_450_000.0]), mapped), mapped, reference


@pytest.mark.parametrize(
    ("cover", "area_ha", "margin_ha"),
    [(0, 21_158, 6_158), (1, 11_686, 3_756), (2, 285_770, 15_510), (3, 581_386, 16_282)],
    ids=["deforestation", "forest gain", "stable forest", "stable non-forest"],
)
def test_areas_of_olofsson_2014_to_the_hectare(cover, area_ha, margin_ha, deforestation):
    design, _, reference = deforestation
    area = design.total(as_floats(reference == cover))
    assert round(area.value / 10_000) == area_ha
    assert round(area.standard_error * 1.96 / 10_000) == margin_ha


def test_deforestation_of_olofsson_2014_in_pixels(deforestation):
    design, _, reference = deforestation
    area = design.total(as_floats(reference == 0))
    assert round(area.value / 900) == 235_086
    assert round(area.standard_error * 1.96 / 900) == 68_418
    assert round(area.standard_error / 9e9, 4) == 0.0035


def test_accuracies_of_olofsson_2014_to_the_printed_digits(deforestation):
    design, mapped, reference = deforestation
    overall = design.total(as_floats(mapped == reference))
    assert (round(overall.value / 9e9, 2), round(overall.standard_error / 9e9 * Z95, 2)) == (0.95, 0.02)
    printed = {0: (0.88, 0.07, 0.75), 1: (0.73, 0.10, 0.85), 2: (0.93, 0.04, 0.93), 3: (0.96, 0.02, 0.96)}
    for cover, (users_printed, margin, producers_printed) in printed.items():
        agree = as_floats((mapped == cover) & (reference == cover))
        users = design.ratio(agree, as_floats(mapped == cover))
        producers = design.ratio(agree, as_floats(reference == cover))
        assert (round(users.value, 2), round(users.standard_error * Z95, 2)) == (users_printed, margin)
        assert round(producers.value, 2) == producers_printed
        if cover in (0, 2):  # the paper's other two margins do not follow from its own equation 7
            assert round(producers.standard_error * Z95, 2) == {0: 0.21, 2: 0.03}[cover]


@pytest.fixture(scope="module")
def strata_unlike_classes():
    """Stehman (2014), section 4: ten points in each of four strata that are not the map's classes."""
    reference = letters("AAAAACBABCABBBBBAABBCCCCCDDBBADDDDDDDCCB")
    mapped = letters("AAAAAAABBBABBBBBBBBBBBCCCCCCBBDDDDDDDDDD")
    return Design(np.array([40_000, 30_000, 20_000, 10_000.0]), np.repeat(np.arange(4), 10)), mapped, reference


def test_numerical_example_of_stehman_2014_to_the_printed_digits(strata_unlike_classes):
    design, mapped, reference = strata_unlike_classes

    def share(condition):
        total = design.total(as_floats(condition))
        return round(total.value / 100_000, 3), round(total.standard_error / 100_000, 3)

    assert share(reference == "A") == (0.35, 0.082)
    assert share(reference == "C") == (0.20, 0.064)
    assert share(mapped == reference) == (0.63, 0.085)
    assert share((mapped == "B") & (reference == "C"))[0] == 0.08
    both = as_floats((mapped == "B") & (reference == "B"))
    users, producers = design.ratio(both, as_floats(mapped == "B")), design.ratio(both, as_floats(reference == "B"))
    assert (round(users.value, 3), round(users.standard_error, 3)) == (0.574, 0.125)
    assert (round(producers.value, 3), round(producers.standard_error, 3)) == (0.794, 0.117)


def test_total_of_two_strata_by_hand():
    design = Design(np.array([100.0, 10.0]), np.array([0, 0, 0, 0, 1, 1]))
    total = design.total(np.array([1, 0, 0, 0, 1, 0.0]))
    assert total.value == pytest.approx(100 / 4 + 10 / 2)
    variance = 100**2 * (1 - 4 / 100) * (0.25 * 0.75 / 3) + 10**2 * (1 - 2 / 10) * (0.5 * 0.5 / 1)
    assert total.standard_error == pytest.approx(variance**0.5)


def test_a_stratum_seen_whole_adds_no_variance_even_with_one_cell():
    design = Design(np.array([3.0, 1.0]), np.array([0, 0, 0, 1]))
    assert design.total(np.array([1, 0, 0, 1.0])) == (2.0, 0.0)


def test_a_ratio_without_denominator_is_not_a_number():
    ratio = Design(np.array([10.0]), np.array([0, 0])).ratio(np.zeros(2), np.zeros(2))
    assert np.isnan(ratio.value)
    assert np.isnan(ratio.standard_error)


def test_the_interval_is_cut_to_what_is_possible():
    assert Estimate(10.0, 10.0).interval(0.95, high=20) == (0.0, 20)
    assert Estimate(100.0, 1.0).interval(0.95) == pytest.approx((100 - Z95, 100 + Z95))


def test_a_region_without_errors_among_its_points_keeps_its_count_with_the_rule_of_three():
    """Five points of 50 cells, none of them mapped: up to 3.0 · 49 cells may have been overlooked, and no point tells
    whether the seven mapped cells are right."""
    design = Design(np.array([1000.0]), np.zeros(20, int))
    reference = np.array([1] * 4 + [0] * 16, float)
    mapped = np.array([1] * 2 + [0] * 18, float)
    estimate = design.domain_total(reference, mapped, 7.0, np.arange(20) >= 15)
    assert (estimate.value, estimate.standard_error) == (7.0, 0.0)
    assert estimate.interval(0.95, low=0.0) == pytest.approx((0.0, 7.0 - np.log(0.05) * 49))
    assert estimate.interval(0.95, low=0.0, high=100.0) == (0.0, 100.0)


def test_a_region_whose_points_are_all_mapped_may_have_omissions_all_the_same():
    """They weigh what they do elsewhere: an unmapped point stands for nine cells besides itself."""
    design = Design(np.array([100.0]), np.zeros(10, int))
    mapped = np.array([1] * 4 + [0] * 6, float)
    estimate = design.domain_total(mapped, mapped, 40.0, mapped == 1)
    assert (estimate.omission_weight, estimate.commission_weight) == (9.0, 9.0)
    assert estimate.interval(0.95)[1] == pytest.approx(40 - np.log(0.05) * 9)


def test_omissions_and_commissions_by_hand():
    """One of four unmapped points was overlooked, one of two mapped ones is wrong."""
    design = Design(np.array([100.0, 10.0]), np.array([0, 0, 0, 0, 1, 1]))
    estimate = design.domain_total(
        np.array([1, 0, 0, 0, 1, 0.0]), np.array([0, 0, 0, 0, 1, 1.0]), 10.0, np.ones(6, bool)
    )
    assert (estimate.omitted.value, estimate.committed.value, estimate.value) == (25.0, 5.0, 30.0)
    assert (estimate.omission_weight, estimate.commission_weight) == (24.0, 4.0)
    missed = mid_p_interval(25.0, 100**2 * 0.96 * 0.25 * 0.75 / 3, 24.0, 0.95)
    wrong = mid_p_interval(5.0, 10**2 * 0.8 * 0.25, 4.0, 0.95)
    low, high = estimate.interval(0.95)
    assert low == pytest.approx(30 - np.hypot(25 - missed[0], wrong[1] - 5))
    assert high == pytest.approx(30 + np.hypot(missed[1] - 25, 5 - wrong[0]))


samples = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@settings(max_examples=50, deadline=None)
@example(np.random.default_rng(2770))
@given(samples)
def test_regions_add_up_to_the_whole_and_a_faultless_map_keeps_its_area_with_an_interval(rng):
    design = Design(np.array([500.0, 50.0]), np.repeat([0, 1], [20, 10]))
    reference, mapped = (rng.integers(0, 2, 30).astype(float) for _ in range(2))
    region = rng.integers(0, 3, 30)
    parts = [design.domain_total(reference, mapped, cells, region == n) for n, cells in enumerate((40.0, 30.0, 20.0))]
    whole = design.domain_total(reference, mapped, 90.0, np.ones(30, bool))
    assert sum(part.value for part in parts) == pytest.approx(whole.value)
    assert whole.standard_error == design.total(reference - mapped).standard_error
    low, high = whole.interval(0.95)
    assert low <= whole.value <= high
    faultless = design.domain_total(reference, reference, 40.0, region == 0)
    low, high = faultless.interval(0.95)
    assert low <= faultless.value == 40.0 < high


@settings(max_examples=50, deadline=None)
@example(np.random.default_rng(1461))
@given(samples)
def test_where_the_map_is_constant_in_each_stratum_the_correction_changes_nothing(rng):
    design = Design(np.array([500.0, 50.0]), np.repeat([0, 1], [20, 10]))
    reference = rng.integers(0, 2, 30).astype(float)
    everywhere = np.ones(30, bool)
    with_map = design.domain_total(reference, design.stratum.astype(float), 50.0, everywhere)
    plain = design.domain_total(reference, np.zeros(30), 0.0, everywhere)
    assert with_map.value == pytest.approx(plain.value)
    assert with_map.standard_error == pytest.approx(plain.standard_error)


@pytest.fixture(scope="module")
def landscape():
    """400,000 cells: stratum, truth, map, region. 20 % of mapped change is false; change is missed in every stratum."""
    rng = np.random.default_rng(5)
    stratum = np.repeat([0, 1, 2, 3], [350_000, 10_000, 32_000, 8_000])
    truth = rng.random(stratum.size) < np.array([0.0001, 0.05, 0.03, 0.8])[stratum]
    return stratum, truth.astype(float), as_floats(stratum == 3), rng.choice(3, stratum.size, p=[0.6, 0.3, 0.1])


def test_over_redraws_intervals_cover_the_truth_and_are_narrower_than_simple_random_sampling(landscape):
    stratum, truth, mapped, region = landscape
    cells, points, redraws = np.bincount(stratum).astype(float), (600, 125, 125, 250), 300
    rng = np.random.default_rng(6)
    members = [np.flatnonzero(stratum == h) for h in range(4)]
    domains = [region == 0, region == 1, region == 2, np.ones(len(truth), bool)]
    totals = np.array([truth[domain].sum() for domain in domains])
    mapped_totals = [mapped[domain].sum() for domain in domains]
    estimates = np.zeros((redraws, 4, 3))
    for n in range(redraws):
        drawn = np.concatenate([rng.choice(cells_h, n_h, False) for cells_h, n_h in zip(members, points, strict=True)])
        design = Design(cells, stratum[drawn])
        for d, domain in enumerate(domains):
            estimate = design.domain_total(truth[drawn], mapped[drawn], mapped_totals[d], domain[drawn])
            estimates[n, d] = estimate.value, *estimate.interval(0.95)
    value, low, high = np.moveaxis(estimates, 2, 0)
    coverage = ((low <= totals) & (totals <= high)).mean(axis=0)
    # 300 redraws: a coverage of 95 % is seen with a standard error of 1.3 %.
    assert ((coverage >= 0.90) & (coverage <= 0.99)).all(), coverage
    assert value.mean(axis=0) == pytest.approx(totals, rel=0.03)
    simple = Z95 * len(truth) * np.sqrt(truth.mean() * (1 - truth.mean()) / sum(points))
    assert np.median(high - low, axis=0)[3] / 2 < 0.6 * simple
