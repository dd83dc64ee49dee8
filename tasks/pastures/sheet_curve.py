"""How green a pasture was through the year, as inline SVG for its sheet."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tasks.pastures.findings import Calendar
from tasks.pastures.sheet_calendar import day_name
from tasks.publishing.interval_chart import Tick, axis_ticks
from tasks.publishing.report_page import TEMPLATES
from tasks.vegetation.charts import BOTTOM, MONTHS, WIDTH, Scale, curve_of, line, span

_LABELS: Final = {"snow_free": "free of snow", "greening": "green", "peak": "greenest", "drying": "dry"}


class Mark(NamedTuple):
    """An event of the year."""

    x: float
    y: float
    """Of its words."""
    text: str
    anchor: str


class PastureChart(NamedTuple):
    """Everything in SVG units; a path is empty where there is nothing to draw."""

    year: int
    mean: str
    reference: str
    reference_label: str
    dots: tuple[tuple[float, float], ...]
    spreads: tuple[tuple[float, float, float], ...]
    """Day, 90th and 10th percentile of the cells on each day on which the pasture was seen."""
    marks: tuple[Mark, ...]
    months: tuple[Tick, ...]
    values: tuple[Tick, ...]
    """`x` of these is a height."""


def pasture_chart(calendar: Calendar, year: int) -> PastureChart | None:
    """A year against the others; None where the year has no value."""
    known = [day for day in calendar.curve if day.ndvi is not None]
    table = pd.DataFrame(
        {
            "date": [day.day for day in known],
            "mean": [day.ndvi for day in known],
            "p10": [day.p10 if day.observed else None for day in known],
            "p90": [day.p90 if day.observed else None for day in known],
        }
    )
    others = sorted({day.day.year for day in known} - {year})
    own = curve_of(table, year, others)
    if own is None:
        return None
    figures = [value for layer in own[1:] for value in layer if pd.notna(value)]
    ticks = axis_ticks(min(0.0, *figures), max(figures))
    scale = Scale(ticks[0], ticks[-1])
    seen = [day for day in known if day.observed and day.day.year == year]
    return PastureChart(
        year=year,
        mean=line(scale, own.days, own.mean),
        reference=line(scale, own.days, own.reference),
        reference_label=span(others),
        dots=tuple((scale.x(day.day.timetuple().tm_yday), scale.y(day.ndvi)) for day in seen if day.ndvi is not None),
        spreads=tuple(
            (scale.x(day.day.timetuple().tm_yday), scale.y(day.p90), scale.y(day.p10))
            for day in seen
            if day.p10 is not None and day.p90 is not None
        ),
        marks=tuple(_marks(scale, calendar, year)),
        months=tuple(Tick(scale.x(day), name) for day, name in MONTHS),
        values=tuple(Tick(scale.y(tick), f"{tick:.10g}") for tick in ticks),
    )


def render_chart(chart: PastureChart) -> Markup:
    """The chart as SVG."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    template = environment.get_template("pasture_curve.svg.j2")
    # The template escapes whatever comes from data.
    return Markup(template.render(chart=chart, width=WIDTH, bottom=BOTTOM))  # noqa: S704


def _marks(scale: Scale, calendar: Calendar, year: int) -> Iterator[Mark]:
    """Words of events that follow each other stand in two lines, so that they do not cover each other."""
    told = sorted(
        (each.day, each.event)
        for each in calendar.events
        if each.year == year and each.event in _LABELS and each.day is not None
    )
    for number, (day, event) in enumerate(told):
        x = scale.x(min(max(day, 1), 366))
        anchor = "end" if x > WIDTH - 150 else "start"
        yield Mark(x, 14 + 15 * (number % 2), f"{_LABELS[event]} {day_name(day, year)}", anchor)
