"""Places of the marks in a chart of estimates with intervals; the template draws them as inline SVG."""

import math
from typing import Final, NamedTuple

import geopandas

from tasks.publishing.headlines import is_estimated

WIDTH: Final = 900
_LEFT, _RIGHT, _TOP, _LINE, _GAP, _BOTTOM = 300, 30, 10, 20, 8, 46
_TICKS = 6
_LEAST = 1e-9
_MAX_LABEL = 34


class Tick(NamedTuple):
    x: float
    label: str


class Mark(NamedTuple):
    """One line of the chart; places are None where there is nothing to draw."""

    y: float
    region: str
    period: str
    estimate: float | None
    lower: float | None
    upper: float | None
    pixel_count: float


class Chart(NamedTuple):
    """Everything in SVG units."""

    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]
    height: float
    zero: float
    bottom: float
    unit: str


def interval_chart(frame: geopandas.GeoDataFrame) -> Chart:
    """Lines in the order of the rows; the region's name stands at its first. The axis holds zero and every mark."""
    values = frame[["value", "lower", "upper", "pixel_count_ha"]].to_numpy(dtype=float).ravel()
    finite = [0.0, *(float(value) for value in values if math.isfinite(value))]
    ticks = axis_ticks(min(finite), max(finite))
    scale = (WIDTH - _LEFT - _RIGHT) / (ticks[-1] - ticks[0])

    def place(value: float) -> float:
        return round(_LEFT + (value - ticks[0]) * scale, 1)

    def place_if_known(value: float) -> float | None:
        return place(value) if math.isfinite(value) else None

    marks, y, previous = [], float(_TOP), None
    for row in frame.itertuples():
        is_first = row.nuts_id != previous
        y += _LINE + (_GAP if is_first and previous is not None else 0)
        name = _shortened(row.region_name) if is_first else ""
        value = row.value if is_estimated(row) else math.nan
        estimate, lower, upper = (place_if_known(end) for end in (value, row.lower, row.upper))
        marks.append(Mark(y, name, row.period, estimate, lower, upper, place(row.pixel_count_ha)))
        previous = row.nuts_id
    bottom = y + _LINE / 2
    labelled = tuple(Tick(place(tick), f"{tick:,.10g}") for tick in ticks)
    return Chart(tuple(marks), labelled, bottom + _BOTTOM, place(0.0), bottom, frame["unit"].iloc[0])


def axis_ticks(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten that span both ends, at most about six."""
    span = high - low if high - low > _LEAST else 1.0
    raw = span / (_TICKS - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [index * step for index in range(first, max(last, first + 1) + 1)]


def _shortened(name: str) -> str:
    return name if len(name) <= _MAX_LABEL else f"{name[: _MAX_LABEL - 1]}…"
