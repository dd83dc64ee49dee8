"""Marks stand where their values are."""

from itertools import pairwise

import geopandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.publishing.interval_chart import WIDTH, axis_ticks, interval_chart

COLUMNS = ("nuts_id", "region_name", "period", "value", "lower", "upper", "pixel_count_ha", "unit", "interval_basis")


def chart_frame(*rows: tuple[object, ...]) -> geopandas.GeoDataFrame:
    return geopandas.GeoDataFrame(dict(zip(COLUMNS, zip(*rows, strict=True), strict=True)))


def test_places_are_linear_between_the_ticks() -> None:
    chart = interval_chart(chart_frame(("A", "Aland", "2019", 50.0, 25.0, 75.0, 100.0, "ha", "stratified_sample")))
    (mark,) = chart.marks
    assert [tick.label for tick in chart.ticks] == ["0", "20", "40", "60", "80", "100"]
    left, right = chart.ticks[0].x, chart.ticks[-1].x
    assert chart.zero == left
    assert mark.estimate == pytest.approx((left + right) / 2, abs=0.1)
    assert mark.pixel_count == right
    assert mark.lower + mark.upper == pytest.approx(2 * mark.estimate, abs=0.2)
    assert chart.unit == "ha"


def test_names_stand_at_the_first_line_of_a_region() -> None:
    line = (1.0, 0.5, 2.0, 1.0, "ha", "stratified_sample")
    rows = [("A", "Aland", "2019", *line), ("A", "Aland", "2020", *line), ("B", "B" * 80, "2019", *line)]
    chart = interval_chart(chart_frame(*rows))
    assert [mark.region for mark in chart.marks] == ["Aland", "", "B" * 33 + "…"]
    gaps = [second.y - first.y for first, second in pairwise(chart.marks)]
    assert gaps[1] > gaps[0]
    assert chart.bottom < chart.height


def test_a_count_is_not_drawn_as_an_estimate() -> None:
    nan = float("nan")
    chart = interval_chart(chart_frame(("A", "Aland", "2019", 10.0, nan, nan, 10.0, "ha", "none")))
    (mark,) = chart.marks
    assert (mark.estimate, mark.lower, mark.upper) == (None, None, None)
    assert mark.pixel_count == chart.ticks[-1].x


def test_an_empty_region_has_an_axis_all_the_same() -> None:
    chart = interval_chart(chart_frame(("A", "Aland", "2019", 0.0, 0.0, 0.0, 0.0, "ha", "stratified_sample")))
    assert len(chart.ticks) >= 2
    assert chart.marks[0].estimate == chart.zero


@given(st.floats(-1e6, 0), st.floats(0, 1e6))
def test_ticks_span_the_values_evenly(low: float, high: float) -> None:
    ticks = axis_ticks(low, high)
    assert 2 <= len(ticks) <= 8
    tolerance = (high - low) * 1e-6 + 1e-9
    assert ticks[0] <= low + tolerance
    assert ticks[-1] >= high - tolerance
    steps = [second - first for first, second in pairwise(ticks)]
    assert max(steps) == pytest.approx(min(steps))


def test_charts_fit_their_width() -> None:
    chart = interval_chart(chart_frame(("A", "Aland", "2019", 5.0, -3.0, 8.0, 900.0, "ha", "stratified_sample")))
    assert all(0 < tick.x < WIDTH for tick in chart.ticks)
    assert chart.ticks[0].x <= chart.marks[0].lower < chart.zero
