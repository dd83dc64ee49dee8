"""Redraws over populations whose answer is known."""

import numpy as np
import pytest

from benchmarks.redraws import Population, redraw


def population(points: tuple[int, int], omitted: float = 0.0) -> Population:
    """20,000 cells of which the map calls 1,000 newly impervious, three quarters of them rightly."""
    rng = np.random.default_rng(0)
    before, truth, mapped = (np.full(20_000, 2) for _ in range(3))
    mapped[:1_000] = 1
    truth[:750] = 1
    truth[1_000:][rng.random(19_000) < omitted] = 1
    return Population(
        truth={"2018": before, "2019": truth},
        mapped={"2018": before, "2019": mapped},
        stratum=(mapped == 2).astype(int),
        points=np.array(points),
        domains={"ALL": np.ones(20_000, bool), "A": np.arange(20_000) % 2 == 0},
    )


def test_intervals_hold_the_truth_as_often_as_they_say():
    whole = next(each for each in redraw(population((200, 800), omitted=0.02), 400, seed=1) if each.domain == "ALL")
    assert whole.coverage == pytest.approx(0.95, abs=0.035)
    assert whole.bias == pytest.approx(0, abs=0.03)
    assert whole.change_points == pytest.approx(150 + 16, abs=1)


def test_strata_of_mapped_change_beat_simple_random_sampling():
    whole = redraw(population((200, 800)), 100, seed=1)[0]
    assert (whole.domain, whole.indicator, whole.true_cells, whole.mapped_cells) == (
        "ALL",
        "new_impervious",
        750,
        1_000,
    )
    # Stratified: 1,000 cells with a spread of 0.75 × 0.25 by 200 points; random: 20,000 with 0.0375 × 0.9625 by 1,000.
    stratified = 1_000 * np.sqrt(0.8 * 0.1875 / 199)
    random = 20_000 * np.sqrt(0.95 * 0.0375 * 0.9625 / 999)
    # None of 800 points was overlooked, so that up to 3.0 (19,000 / 800 − 1) cells may have been: on one side.
    half_width = (1.96 * stratified + np.hypot(3.0 * (19_000 / 800 - 1), 1.96 * stratified)) / 2
    assert whole.half_width == pytest.approx(half_width / 750, rel=0.1)
    assert whole.to_random == pytest.approx(half_width / (1.96 * random), rel=0.1)


def test_regions_are_domains_of_the_same_draws():
    found = {(each.domain, each.indicator): each for each in redraw(population((200, 800)), 50, seed=1)}
    assert found["A", "new_impervious"].true_cells == 375
    assert found["A", "new_impervious"].change_points == pytest.approx(75, rel=0.1)


def test_a_class_that_never_came_has_no_relative_width():
    green = next(each for each in redraw(population((20, 80)), 5, seed=1) if each.indicator == "new_green")
    assert green.true_cells == 0
    assert np.isnan(green.half_width)


def test_a_stratum_with_one_point_is_refused():
    with pytest.raises(ValueError, match="fewer than two points"):
        population((1, 80))
