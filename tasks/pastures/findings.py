"""What the steps have found on one pasture, read from their tables."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tasks.publishing.headlines import NO_BASIS


@dataclass(frozen=True)
class Event:
    """When something happened in one year; days of the year, or a number of days. None: not told."""

    year: int
    event: str
    day: float | None
    lower: float | None
    upper: float | None
    doubt: str


@dataclass(frozen=True)
class Trend:
    """Days per year, with their 95 % interval. None: there are too few years."""

    event: str
    years: int
    slope: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class CurveDay:
    """The pasture's NDVI on one day. None: no value."""

    day: date
    observed: bool
    ndvi: float | None
    p10: float | None
    p90: float | None


@dataclass(frozen=True)
class TypeArea:
    """One type's area in hectares; without a sample the count of the map's cells, and no interval."""

    name: str
    value: float
    lower: float | None
    upper: float | None
    counted: float
    points: int

    @property
    def is_estimated(self) -> bool:
        return self.lower is not None and self.upper is not None


@dataclass(frozen=True)
class Calendar:
    """One pasture in the tables of `gdal.calendar`."""

    events: tuple[Event, ...]
    curve: tuple[CurveDay, ...]
    trends: tuple[Trend, ...]


def read_calendar(events: Path, curve: Path, trend: Path, pasture_id: str) -> Calendar:
    """The rows of one pasture."""
    return Calendar(
        events=tuple(map(_event, _rows(events, pasture_id))),
        curve=tuple(map(_curve_day, _rows(curve, pasture_id))),
        trends=tuple(map(_trend, _rows(trend, pasture_id))),
    )


def read_areas(estimates: Path) -> tuple[TypeArea, ...]:
    """The rows of the table of `gdal.areas` of one pasture."""
    with estimates.open(newline="") as stream:
        return tuple(
            TypeArea(
                name=row["indicator"],
                value=float(row["value"]),
                lower=_number(row["lower"]) if row["interval_basis"] != NO_BASIS else None,
                upper=_number(row["upper"]) if row["interval_basis"] != NO_BASIS else None,
                counted=float(row["pixel_count_ha"]),
                points=int(row["n_points"]),
            )
            for row in csv.DictReader(stream)
        )


def _event(row: dict[str, str]) -> Event:
    return Event(
        year=int(row["year"]),
        event=row["event"],
        day=_number(row["day"]),
        lower=_number(row["lower"]),
        upper=_number(row["upper"]),
        doubt=row["doubt"],
    )


def _curve_day(row: dict[str, str]) -> CurveDay:
    return CurveDay(
        day=date.fromisoformat(row["date"][:10]),
        observed=row["observed"] == "1",
        ndvi=_number(row["ndvi"]),
        p10=_number(row["p10"]),
        p90=_number(row["p90"]),
    )


def _trend(row: dict[str, str]) -> Trend:
    return Trend(
        event=row["event"],
        years=int(row["years"] or 0),
        slope=_number(row["slope_days_per_year"]),
        lower=_number(row["lower"]),
        upper=_number(row["upper"]),
    )


def _rows(path: Path, pasture_id: str) -> Iterator[dict[str, str]]:
    with path.open(newline="") as stream:
        yield from (row for row in csv.DictReader(stream) if row["pasture_id"] == pasture_id)


def _number(text: str) -> float | None:
    return float(text) if text else None
