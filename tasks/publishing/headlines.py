"""The figures in words: one wording for the report, the Prefect UI and the terminal."""

import math
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

import geopandas
import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from tasks.publishing.product import Publication
from tasks.publishing.tables import REGIONAL, WHOLE, Figures

INDICATORS: Final = {"new_impervious": "newly impervious", "new_green": "newly green"}
NO_BASIS: Final = "none"


class Headline(NamedTuple):
    """One figure of one region, period and indicator, ready to print. Areas are in the unit that is given."""

    region_id: str
    region: str
    period: str
    indicator: str
    estimate: str
    interval: str
    pixel_count: str
    unknown: str


def headlines(frame: geopandas.GeoDataFrame) -> list[Headline]:
    """A headline per row of a table of figures."""
    return [
        Headline(
            region_id=row.nuts_id,
            region=row.region_name,
            period=row.period,
            indicator=INDICATORS.get(row.indicator, row.indicator.replace("_", " ")),
            estimate=f"{number(row.value)} {row.unit}" if is_estimated(row) else "not estimated",
            interval=interval(row),
            pixel_count=f"{number(row.pixel_count_ha)} ha",
            unknown=f"{row.unknown_share * 100:.1f} %",
        )
        for row in frame.itertuples()
    ]


def headline_rows(figures: Figures) -> list[dict[str, str]]:
    """Every headline, those of the whole area first."""
    return [row._asdict() for part in (figures.whole, figures.regional) for row in headlines(part)]


def number(value: float) -> str:
    """Three to four significant digits of an area: more would pretend."""
    decimals = 0 if abs(value) >= 100 else 1 if abs(value) >= 1 else 2
    return f"{value:,.{decimals}f}"


def is_estimated(row: Any) -> bool:
    """Whether a row's value is an estimate; without a basis it repeats the pixel count."""
    return row.interval_basis != NO_BASIS and math.isfinite(row.value)


def interval(row: Any) -> str:
    """Both ends of a row's interval, or why there are none."""
    if is_estimated(row) and math.isfinite(row.lower) and math.isfinite(row.upper):
        return f"{number(row.lower)} to {number(row.upper)}"
    if pd.isna(row.n_points) or row.n_points == 0:
        return "no interval: no reference sample"
    return f"no interval: only {row.n_points} reference points"


def print_table(publication: Publication, console: Console) -> None:
    """The figures of a published product: regions and periods, the whole area last."""
    regional, whole = (
        geopandas.read_parquet(Path(publication.folder) / f"{name}.parquet") for name in (REGIONAL, WHOLE)
    )
    note = " (simulated data)" if whole["simulated"].any() else ""
    console.print(table_for_terminal(Figures(regional, whole), f"{publication.name}{note}"))


def table_for_terminal(figures: Figures, title: str, max_rows: int = 60) -> Table:
    """Every region and period with both indicators; the whole area last."""
    table = Table(
        title=title,
        caption="Intervals: 95 %. A pixel count is no estimate of an area.",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("region, period", overflow="fold")
    table.add_column("indicator", no_wrap=True)
    for column in ("estimate", "interval", "pixel count", "unknown"):
        table.add_column(column, justify="right", no_wrap=column != "pixel count")
    regional = headlines(figures.regional)
    _add_rows(table, regional[:max_rows])
    if len(regional) > max_rows:
        table.add_row(f"… and {len(regional) - max_rows} more rows in regional_data.csv")
    table.add_section()
    _add_rows(table, headlines(figures.whole), style="bold")
    return table


def _add_rows(table: Table, rows: list[Headline], style: str = "") -> None:
    """Under the name of each region its periods, so that a terminal of 80 columns holds a row."""
    for name, of_region in groupby(rows, key=lambda row: row.region):
        table.add_row(name.replace("[", r"\["), style=style)  # Rich reads square brackets as markup
        for row in of_region:
            figures = (row.estimate, row.interval, row.pixel_count, row.unknown)
            table.add_row(f"  {row.period}", row.indicator, *figures, style=style)
