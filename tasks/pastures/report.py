"""The report of `pasture_types`: a page that stands alone."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import pandas as pd

from tasks.ledger import Row
from tasks.pastures.evidence import PastureEvidence, metrics_of
from tasks.pastures.findings import read_calendar
from tasks.pastures.sheet_calendar import EVENTS, event_rows
from tasks.pastures.tables import COLUMNS, pasture_rows
from tasks.publishing.product import Product
from tasks.publishing.publication import PathOf
from tasks.publishing.report_page import render_page

MAX_ROWS: Final = 300


class Score(NamedTuple):
    """One score in words."""

    name: str
    value: str
    interval: str


class YearRow(NamedTuple):
    """One pasture's year."""

    pasture: str
    year: int
    events: tuple[str, ...]
    sheet: str


def render_pastures(
    product: Product, evidence: PastureEvidence, figures: pd.DataFrame, path_of: PathOf, rows: Sequence[Row]
) -> str:
    """The page."""
    areas = pasture_rows(figures)
    years = list(_years(evidence, path_of))
    metrics = metrics_of(evidence, path_of)
    return render_page(
        "pasture_types.html.j2",
        product,
        illustrations=evidence.shown(path_of),
        ledger=rows,
        columns=COLUMNS,
        areas=areas[:MAX_ROWS],
        n_areas=len(areas),
        events=list(EVENTS.values()),
        calendar=years[:MAX_ROWS],
        scores=list(_scores(metrics, "")),
        by_class=_by_class(metrics),
        card=json.loads(path_of(evidence.card).read_text()),
        left_out=evidence.left_out,
        notices=_notices(evidence, path_of),
    )


def _years(evidence: PastureEvidence, path_of: PathOf) -> Iterator[YearRow]:
    for each in evidence.maps:
        if each.calendar:
            told_in = each.calendar
            calendar = read_calendar(
                path_of(told_in.events), path_of(told_in.curve), path_of(told_in.trend), each.mapped.pasture_id
            )
            told = tuple(row.when for row in event_rows(calendar, each.mapped.year))
            yield YearRow(each.pasture_name, each.mapped.year, told, each.sheet)


def _scores(metrics: pd.DataFrame, of_class: str) -> Iterator[Score]:
    rows: Iterator[Any] = metrics[metrics["class"] == of_class].itertuples()
    for row in rows:
        interval = "" if pd.isna(row.lower) else f"{row.lower:.3f} to {row.upper:.3f}"
        value = "–" if pd.isna(row.value) else f"{row.value:.0f}" if row.name == "support" else f"{row.value:.3f}"
        yield Score(str(row.name).replace("_", " "), value, interval)


def _by_class(metrics: pd.DataFrame) -> dict[str, list[Score]]:
    return {name: list(_scores(metrics, name)) for name in sorted(set(metrics["class"]) - {""})}


def _notices(evidence: PastureEvidence, path_of: PathOf) -> Counter[str]:
    """Code of a notice to its sites."""
    if evidence.notices is None:
        return Counter()
    return Counter(pd.read_csv(path_of(evidence.notices), dtype=str, keep_default_na=False)["code"])
