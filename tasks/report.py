"""One HTML page that stands alone: no script, no request, pictures inside."""

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import geopandas
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from containers.base.contract.legend import LandCover
from tasks.headlines import INDICATORS, headlines, number
from tasks.interval_chart import WIDTH, Chart, interval_chart
from tasks.ledger import Row
from tasks.product import Product
from tasks.tables import COLUMNS, Figures

TEMPLATES: Final = Path(__file__).parent / "templates"
EMBEDDED_BYTES: Final = 4_200_000
"""Bytes of pictures, as they stand in the page, beyond which a picture is only linked."""
_MAX_ROWS, _MAX_REGIONS_IN_CHART, _MAX_REFUSALS = 300, 12, 100


class Illustration(NamedTuple):
    """A picture of the product's folder."""

    section: str
    name: str
    caption: str
    path: Path


class Shown(NamedTuple):
    """A picture as the page holds it: inside (a data URI), or a link to the file beside it."""

    source: str
    caption: str
    embedded: bool


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
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    regional = findings.figures.regional
    return environment.get_template("impervious_change.html.j2").render(
        product=product,
        years=_span(product),
        whole=headlines(findings.figures.whole),
        regional=headlines(regional.head(_MAX_ROWS)),
        n_regional=len(regional),
        has_intervals=bool(findings.figures.whole["lower"].notna().any() or regional["lower"].notna().any()),
        charts=dict(_charts(regional)),
        chart_width=WIDTH,
        columns=COLUMNS,
        accuracy=_cells(findings.accuracy),
        checked=findings.checked,
        matrices=transition_matrices(findings.transitions),
        card=findings.card,
        card_facts=dict(_flattened({k: v for k, v in findings.card.items() if k not in {"scores", "split"}})),
        pictures=_by_section(findings.illustrations),
        ledger=Counter(row.status for row in findings.ledger),
        codes=Counter((row.status, row.code) for row in findings.ledger if row.code),
        refusals=[row for row in findings.ledger if row.code][:_MAX_REFUSALS],
        parameters=dict(_flattened(product.parameters)),
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


def embed(illustrations: Iterable[Illustration], budget: int = EMBEDDED_BYTES) -> Iterator[tuple[str, Shown]]:
    """Section and picture, in order; those that do not fit the budget are linked to `pictures/<name>.png`."""
    for illustration in illustrations:
        size = (illustration.path.stat().st_size + 2) // 3 * 4
        is_embedded = size <= budget
        if is_embedded:
            budget -= size
            source = data_uri(illustration.path)
        else:
            source = f"pictures/{illustration.name}.png"
        yield illustration.section, Shown(source, illustration.caption, is_embedded)


def data_uri(picture: Path) -> str:
    """A PNG file as text."""
    return f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}"


def _by_section(illustrations: Iterable[Illustration]) -> dict[str, list[Shown]]:
    sections: dict[str, list[Shown]] = {}
    for section, shown in embed(illustrations):
        sections.setdefault(section, []).append(shown)
    return sections


def _charts(regional: geopandas.GeoDataFrame) -> Iterator[tuple[str, Chart]]:
    """Per indicator, change first, the regions with the largest figure."""
    for name in sorted(regional["indicator"].unique(), reverse=True):
        part = regional[regional["indicator"] == name]
        largest = part[["value", "pixel_count_ha"]].max(axis=1).groupby(part["nuts_id"]).max()
        chosen = largest.sort_values(ascending=False).index[:_MAX_REGIONS_IN_CHART]
        yield INDICATORS.get(name, name.replace("_", " ")), interval_chart(part[part["nuts_id"].isin(chosen)])


def _span(product: Product) -> str:
    first, last = product.periods[0].start.year, product.periods[-1].end.year
    return str(first) if first == last else f"{first}–{last}"


def _cells(table: pd.DataFrame | None) -> dict[str, list[Any]] | None:
    if table is None:
        return None
    texts = table.map(lambda value: f"{value:.4g}" if isinstance(value, float) else str(value))
    return {"header": list(table.columns), "rows": texts.mask(table.isna(), "").to_numpy().tolist()}


def _flattened(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """`{"a": {"b": 1}}` as ("a.b", "1"); long values are cut."""
    for name, inner in value.items():
        if isinstance(inner, Mapping) and inner:
            yield from _flattened(inner, f"{prefix}{name}.")
        else:
            text = ", ".join(map(str, inner)) if isinstance(inner, list | tuple) else str(inner)
            yield f"{prefix}{name}", text if len(text) <= 400 else f"{text[:400]}…"
