"""Curves of regions as SVG: marks stand where their values are, and data cannot become markup."""

import xml.etree.ElementTree as ET
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from tasks.vegetation.charts import MAX_CHARTS, charts, curve_charts, curve_of


def curves_of(*regions: str, years: tuple[int, ...] = (2020, 2021), gap: bool = False) -> pd.DataFrame:
    """Every ten days; the mean of a year is that day's sine, and 0.1 more in each later year."""
    rows = []
    for region in regions:
        for number, year in enumerate(years):
            for day in range(1, 360, 10):
                mean = 0.3 + 0.4 * np.sin(day / 366 * np.pi) + 0.1 * number
                mean = None if gap and 100 < day < 150 else mean
                low, high = (None, None) if mean is None else (mean - 0.05, mean + 0.05)
                when = date(year, 1, 1) + timedelta(days=day - 1)
                rows.append({"region_id": region, "date": when, "mean": mean, "p10": low, "p90": high})
    return pd.DataFrame(rows)


def figures_of(*regions: tuple[str, str], start: float = 100.0, years: tuple[int, ...] = (2020, 2021)) -> pd.DataFrame:
    rows = [
        {"nuts_id": region, "region_name": name, "year": year, "indicator": indicator, "value": value}
        for region, name in regions
        for year in years
        for indicator, value in (("start_day", start), ("end_day", 280.0), ("peak", 0.8))
    ]
    return pd.DataFrame(rows)


def test_places_follow_days_and_values() -> None:
    (chart,) = charts(curves_of("A"), figures_of(("A", "Aland")))
    assert (chart.title, chart.year) == ("Aland", 2021)
    points = [tuple(map(float, point.split())) for point in chart.mean.lstrip("M").split("L")]
    assert len(points) == 36
    assert points[0][0] == chart.left
    width = chart.right - chart.left
    assert points[18][0] == pytest.approx(chart.left + 180 / 365 * width, abs=0.1)
    ticks = {tick.label: tick.x for tick in chart.values}
    low, high = ticks["0"], ticks["0.8"]
    value = 0.3 + 0.4 * np.sin(181 / 366 * np.pi) + 0.1
    assert points[18][1] == pytest.approx(low + (high - low) * value / 0.8, abs=0.2)
    assert chart.season == (
        pytest.approx(chart.left + 99 / 365 * width, abs=0.1),
        pytest.approx(chart.left + 279 / 365 * width, abs=0.1),
    )


def test_reference_is_the_mean_of_the_other_years() -> None:
    curve = curve_of(curves_of("A", years=(2019, 2020, 2021)), 2021, [2019, 2020])
    assert curve is not None
    expected = [mean - 0.15 for mean in curve.mean]
    assert curve.reference == pytest.approx(expected, abs=1e-6)


def test_a_season_that_starts_in_the_year_before_is_cut_at_the_edge() -> None:
    (chart,) = charts(curves_of("A"), figures_of(("A", "Aland"), start=-40.0))
    assert chart.season is not None
    assert chart.season[0] == chart.left


def test_regions_without_a_curve_have_no_chart() -> None:
    curves = pd.concat([curves_of("A"), curves_of("B").assign(mean=None, p10=None, p90=None)])
    found = list(charts(curves, figures_of(("A", "Aland"), ("B", "Bland"), ("C", "Cland"))))
    assert [chart.title for chart in found] == ["Aland"]


def test_number_of_charts_is_bounded() -> None:
    names = [(f"R{number}", f"Region {number}") for number in range(MAX_CHARTS + 5)]
    found = list(charts(curves_of(*(name for name, _ in names), years=(2021,)), figures_of(*names, years=(2021,))))
    assert [chart.id for chart in found] == [f"curve-{number}" for number in range(MAX_CHARTS)]
    assert found[0].reference == ""


def test_svg_is_well_formed_and_escapes_names() -> None:
    name = 'A<script>alert(1)</script>"&'
    (svg,) = curve_charts(curves_of("A"), figures_of(("A", name)))
    root = ET.fromstring(str(svg))
    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert f"{name}, 2021" in texts
    assert "<script>" not in svg
    assert "2020" in texts


def test_no_figures_no_charts() -> None:
    assert curve_charts(curves_of("A"), figures_of().reindex(columns=["nuts_id", "year"])) == []
