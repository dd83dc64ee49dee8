"""Curves of regions as inline SVG: mean, the middle 80 % of cells, and the mean of the other years."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tasks.publishing.interval_chart import Tick, axis_ticks
from tasks.publishing.report_page import TEMPLATES

WIDTH: Final = 900
_LEFT, _RIGHT, _TOP, _PLOT, _BOTTOM = 60, 20, 40, 200, 64
BOTTOM: Final = _TOP + _PLOT
"""Where the days are."""
_YEAR_DAYS: Final = 366
MAX_CHARTS: Final = 24
"""A page of bounded size holds the first regions; the table has all."""
MONTHS: Final = tuple(
    zip(
        (1, 32, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335),
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
        strict=True,
    )
)
"""First day of the year and name."""


class Curve(NamedTuple):
    """One region's year. Days of the year from 1, and index values."""

    days: Sequence[float]
    mean: Sequence[float]
    p10: Sequence[float]
    p90: Sequence[float]
    reference: Sequence[float]
    """Mean of the other years on the same days, NaN where none has a value."""


class Scale(NamedTuple):
    """Days and index values to SVG units."""

    low: float
    high: float

    def x(self, day: float) -> float:
        return round(_LEFT + (day - 1) / (_YEAR_DAYS - 1) * (WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        return round(_TOP + (self.high - value) / (self.high - self.low) * _PLOT, 1)


class CurveChart(NamedTuple):
    """Everything in SVG units; a path is empty where there is nothing to draw."""

    id: str
    title: str
    year: int
    mean: str
    band: str
    reference: str
    reference_label: str
    season: tuple[float, float] | None
    """Mean start and end."""
    months: tuple[Tick, ...]
    values: tuple[Tick, ...]
    """`x` of these is a height."""
    width: float = WIDTH
    height: float = BOTTOM + _BOTTOM
    top: float = _TOP
    bottom: float = BOTTOM
    left: float = _LEFT
    right: float = WIDTH - _RIGHT


def curve_charts(curves: pd.DataFrame, figures: pd.DataFrame) -> list[Markup]:
    """A chart per region with a curve, of the latest year of the figures, in their order.

    `curves` and `figures` are the tables of the step `curves`; regions of `figures` are named by `nuts_id`.
    """
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    template = environment.get_template("curve_chart.svg.j2")
    # The template escapes whatever comes from data.
    return [Markup(template.render(chart=chart)) for chart in charts(curves, figures)]  # noqa: S704


def charts(curves: pd.DataFrame, figures: pd.DataFrame) -> Iterator[CurveChart]:
    """The places of all marks."""
    if figures.empty:
        return
    year = int(figures["year"].max())
    others = sorted({int(other) for other in figures["year"]} - {year})
    known = curves.dropna(subset="mean").astype({"mean": float, "p10": float, "p90": float})
    by_region = dict(tuple(known.groupby("region_id", sort=False)))
    drawn = 0
    for region, rows in figures.groupby("nuts_id", sort=False):
        part = by_region.get(str(region))
        curve = None if part is None else curve_of(part, year, others)
        if curve is None:
            continue
        season = rows[rows["year"] == year].set_index("indicator")["value"]
        yield _chart(f"curve-{drawn}", str(rows["region_name"].iloc[0]), year, curve, season, others)
        drawn += 1
        if drawn == MAX_CHARTS:
            return


def curve_of(rows: pd.DataFrame, year: int, others: Sequence[int]) -> Curve | None:
    """A region's year against its other years; None where it has no value in that year."""
    dates = pd.to_datetime(rows["date"])
    rows = rows.assign(day=dates.dt.dayofyear.to_numpy(dtype=float), year=dates.dt.year.to_numpy())
    own = rows[rows["year"] == year].sort_values("day")
    if own.empty:
        return None
    reference = pd.DataFrame({other: _on_days(rows[rows["year"] == other], own["day"]) for other in others})
    means = reference.mean(axis=1) if others else pd.Series(float("nan"), index=range(len(own)))
    days, mean, p10, p90 = (own[name].tolist() for name in ("day", "mean", "p10", "p90"))
    return Curve(days, mean, p10, p90, means.tolist())


def _on_days(rows: pd.DataFrame, days: pd.Series) -> list[float]:
    """The mean on other days, straight between its own; NaN beyond them."""
    own = rows.drop_duplicates("day").set_index("day")["mean"]
    joined = own.reindex(own.index.union(pd.Index(days))).sort_index()
    inside: pd.Series = joined.interpolate(method="index", limit_area="inside")
    return [float(value) for value in inside.loc[days]]


def _chart(chart_id: str, title: str, year: int, curve: Curve, season: pd.Series, others: Sequence[int]) -> CurveChart:
    known = [value for layer in curve[1:] for value in layer if pd.notna(value)]
    ticks = axis_ticks(min(0.0, *known), max(known))
    scale = Scale(ticks[0], ticks[-1])
    ends = [float(season.get(name, float("nan"))) for name in ("start_day", "end_day")]
    return CurveChart(
        id=chart_id,
        title=title,
        year=year,
        mean=line(scale, curve.days, curve.mean),
        band=_band(scale, curve),
        reference=line(scale, curve.days, curve.reference),
        reference_label=span(others),
        season=None if any(map(pd.isna, ends)) else (_clipped(scale, ends[0]), _clipped(scale, ends[1])),
        months=tuple(Tick(scale.x(day), name) for day, name in MONTHS),
        values=tuple(Tick(scale.y(tick), f"{tick:.10g}") for tick in ticks),
    )


def _clipped(scale: Scale, day: float) -> float:
    """A season may begin in the year before, and end in the next."""
    return scale.x(min(max(day, 1), _YEAR_DAYS))


def line(scale: Scale, days: Sequence[float], values: Sequence[float]) -> str:
    """A path that is broken where values are missing."""
    parts, pen = [], "M"
    for day, value in zip(days, values, strict=True):
        if pd.isna(value):
            pen = "M"
            continue
        parts.append(f"{pen}{scale.x(day)} {scale.y(value)}")
        pen = "L"
    return "".join(parts)


def _band(scale: Scale, curve: Curve) -> str:
    """The area between the 10th and the 90th percentile."""
    ends = [*zip(curve.days, curve.p90, strict=True), *reversed([*zip(curve.days, curve.p10, strict=True)])]
    return line(scale, *zip(*ends, strict=True)) + "Z"


def span(years: Sequence[int]) -> str:
    """What the mean of these years is called."""
    if not years:
        return ""
    if len(years) == 1:
        return str(years[0])
    is_whole = years[-1] - years[0] == len(years) - 1
    return f"mean of {years[0]}–{years[-1]}" if is_whole else f"mean of {len(years)} other years"
