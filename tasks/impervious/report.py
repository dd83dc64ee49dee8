"""What the page of an impervious-change product says."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import geopandas
import pandas as pd

from containers.base.contract.legend import LandCover
from tasks.ledger import Row
from tasks.publishing.headlines import INDICATORS, headlines, number
from tasks.publishing.interval_chart import WIDTH, Chart, interval_chart
from tasks.publishing.product import Product
from tasks.publishing.report_page import Illustration, flattened, render_page
from tasks.publishing.tables import COLUMNS, Figures

_MAX_ROWS, _MAX_REGIONS_IN_CHART = 300, 12


class Matrix(NamedTuple):
    """Hectares by class before (rows) and after (columns)."""

    before: str
    after: str
    classes: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


class Findings(NamedTuple):
    """What the page says beside the product's own facts."""

    figures: Figures
    accuracy: pd.DataFrame | None
    transitions: pd.DataFrame
    card: Mapping[str, Any]
    illustrations: Sequence[Illustration]
    ledger: Sequence[Row]
    checked: Mapping[str, str]
    """Period to what its map was checked against."""


def render_report(product: Product, findings: Findings) -> str:
    """The page as text. Everything that comes from data is escaped."""
    regional = findings.figures.regional
    return render_page(
        "impervious_change.html.j2",
        product,
        illustrations=findings.illustrations,
        ledger=findings.ledger,
        columns=COLUMNS,
        whole=headlines(findings.figures.whole),
        regional=headlines(regional.head(_MAX_ROWS)),
        n_regional=len(regional),
        has_intervals=bool(findings.figures.whole["lower"].notna().any() or regional["lower"].notna().any()),
        charts=dict(_charts(regional)),
        chart_width=WIDTH,
        accuracy=_cells(findings.accuracy),
        checked=findings.checked,
        matrices=transition_matrices(findings.transitions),
        card=findings.card,
        card_facts=dict(flattened({k: v for k, v in findings.card.items() if k not in {"scores", "split"}})),
    )


def transition_matrices(transitions: pd.DataFrame) -> list[Matrix]:
    """A matrix per pair of periods, every class in both directions, unknown last."""
    order = [*(code for code in LandCover if code), LandCover.UNKNOWN]
    names = tuple(code.name.lower() for code in order)
    matrices = []
    for (before, after), part in transitions.groupby(["from_period", "to_period"], sort=False):
        areas = dict(zip(zip(part["from_class"], part["to_class"], strict=True), part["area_ha"], strict=True))
        rows = tuple((of.name.lower(), tuple(number(areas.get((of, target), 0.0)) for target in order)) for of in order)
        matrices.append(Matrix(str(before), str(after), names, rows))
    return matrices


def _charts(regional: geopandas.GeoDataFrame) -> Iterator[tuple[str, Chart]]:
    """Per indicator, change first, the regions with the largest figure."""
    for name in sorted(regional["indicator"].unique(), reverse=True):
        part = regional[regional["indicator"] == name]
        largest = part[["value", "pixel_count_ha"]].max(axis=1).groupby(part["nuts_id"]).max()
        chosen = largest.sort_values(ascending=False).index[:_MAX_REGIONS_IN_CHART]
        yield INDICATORS.get(name, name.replace("_", " ")), interval_chart(part[part["nuts_id"].isin(chosen)])


def _cells(table: pd.DataFrame | None) -> dict[str, list[Any]] | None:
    if table is None:
        return None
    texts = table.map(lambda value: f"{value:.4g}" if isinstance(value, float) else str(value))
    return {"header": list(table.columns), "rows": texts.mask(table.isna(), "").to_numpy().tolist()}
