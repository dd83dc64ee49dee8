"""The report of `cloud_removal`: a page that stands alone."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

import pandas as pd
from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from tasks.cloud_removal.paired import PairedDates
from tasks.ledger import Row
from tasks.publishing.headlines import headlines
from tasks.publishing.product import Product
from tasks.publishing.publication import Evidence, PathOf
from tasks.publishing.report_page import render_page
from tasks.publishing.tables import COLUMNS, Figures

METHODS: Final = {
    "model": "the network",
    "t0_copy": "copy of the date before",
    "linear": "linear regression",
    "radar_only": "network without optical input",
    "optical_only": "network without radar",
}
WHERE: Final = {
    "all": "all cells",
    "hidden": "hidden cells",
    "seen": "seen cells",
    "clear_test": "clear cells of test tiles",
}


class DateRow(Contract):
    """One date in words."""

    date: str
    optical: tuple[str, ...]
    hidden_share: float
    radar: tuple[str, ...]
    gap_hours: float
    track: str


class RemovalEvidence(Evidence):
    """Where the figures of a product are."""

    dates: tuple[DateRow, ...]
    estimates: File
    regions: File
    severity: File
    shares: File
    scores: File | None = Field(description="Empty without a judgement")
    gains: File | None
    burn_scores: File | None = Field(description="Of the restored image against what is known to have burned")
    true_burn_scores: File | None = Field(description="Of the true image: as good as it can get with this rule")
    card: File
    radar_engine: str


def date_rows(paired: PairedDates) -> Iterator[DateRow]:
    """A row per date, in the order of time."""
    for date in paired.dates:
        yield DateRow(
            date=date.label,
            optical=tuple(part.id for tile in date.tiles for part in tile),
            hidden_share=round(date.optical.hidden_share, 6),
            radar=tuple(each.id for each in date.radar.slices),
            gap_hours=round(date.radar.gap_hours, 2),
            track=f"{date.radar.relative_orbit} {date.radar.direction}",
        )


def render_removal(
    product: Product, evidence: RemovalEvidence, figures: Figures, path_of: PathOf, rows: Sequence[Row]
) -> str:
    """The page."""
    return render_page(
        "cloud_removal.html.j2",
        product,
        illustrations=evidence.shown(path_of),
        ledger=rows,
        columns=COLUMNS,
        dates=evidence.dates,
        radar_engine=evidence.radar_engine,
        card=json.loads(path_of(evidence.card).read_text()),
        whole=headlines(figures.whole),
        regional=headlines(figures.regional),
        severity=_records(evidence.severity, path_of),
        shares=_records(evidence.shares, path_of),
        scores=_in_words(_records(evidence.scores, path_of)),
        gains=_in_words(_records(evidence.gains, path_of)),
        burn_scores={
            "restored image": _in_words(_records(evidence.burn_scores, path_of)),
            "true image": _in_words(_records(evidence.true_burn_scores, path_of)),
        },
    )


def _records(file: File | None, path_of: PathOf) -> list[dict[str, object]]:
    """The rows of a CSV file; an empty number is None."""
    if file is None:
        return []
    table = pd.read_csv(path_of(file), dtype={"class": str}, keep_default_na=False, na_values={"value": [""]})
    plain = table.astype(object).where(table.notna(), None)
    return [dict(zip(plain.columns, row, strict=True)) for row in plain.itertuples(index=False)]


def _in_words(records: list[dict[str, object]]) -> list[dict[str, object]]:
    names = {"method": METHODS, "baseline": METHODS, "where": WHERE}
    return [{name: names.get(name, {}).get(str(value), value) for name, value in record.items()} for record in records]
