"""The regional figures of a vegetation-productivity product, as tables and in words."""

from pathlib import Path
from typing import Final, NamedTuple

import geopandas
import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from containers.base.contract.step import StepError
from containers.gdal.contract.productivity import METRICS
from tasks.publishing.product import Publication
from tasks.publishing.table_files import Column, Schema, write_table_files
from tasks.vegetation.product import UNITS

REGIONAL: Final = "regional_data"
COLUMNS: Final = (
    Column("nuts_id", "VARCHAR NOT NULL", "Identifier of the region, such as a NUTS code"),
    Column("region_name", "VARCHAR NOT NULL", "Name of the region"),
    Column("year", "INTEGER NOT NULL", "Year of the season: the one that its peak lies in"),
    Column("indicator", "VARCHAR NOT NULL", "Metric of the season; `docs/productivity.md` defines each"),
    Column("value", "DOUBLE", "Mean over the region's cells with a season, weighted by area; empty: there is none"),
    Column("lower", "DOUBLE", "Lower end of an interval of the mean; empty where interval_basis is none"),
    Column("upper", "DOUBLE", "Upper end of an interval of the mean; empty where interval_basis is none"),
    Column("interval_basis", "VARCHAR NOT NULL", "What the interval rests on; none: there is no interval"),
    Column("deviation", "DOUBLE", "Standard deviation between the region's cells: its variety, no interval"),
    Column("unit", "VARCHAR NOT NULL", "Unit of value and deviation; days count from 1 January, which is day 1"),
    Column("area_ha", "DOUBLE NOT NULL", "Area of the region on the grid, in hectares"),
    Column("unknown_share", "DOUBLE NOT NULL", "Share of that area without a season: unseen, water, bare or evergreen"),
    Column("quality", "DOUBLE", "Mean quality class of its cells, 1 worst to 10 best"),
    Column("simulated", "BOOLEAN NOT NULL", "Whether the figures come from simulated scenes"),
)
SCHEMA: Final = Schema(COLUMNS, ("nuts_id", "year", "indicator"))
SHOWN: Final = ("integral", "peak", "start_day", "end_day")


class RegionFields(NamedTuple):
    """Where a regions file has its names."""

    region_id: str
    region_name: str


def read_seasons(seasons: Path, regions: Path, fields: RegionFields, *, simulated: bool) -> geopandas.GeoDataFrame:
    """The figures in `COLUMNS` with each region's outline, in the order of region, year and metric.

    Raises `bad_regions` where the outlines' file names a region twice.
    """
    figures = pd.read_parquet(seasons).rename(columns={"region_id": "nuts_id", "metric": "indicator", "mean": "value"})
    outlines = geopandas.read_file(regions)[[fields.region_id, "geometry"]].rename(
        columns={fields.region_id: "nuts_id"}
    )
    outlines["nuts_id"] = outlines["nuts_id"].astype(str)
    if twice := sorted(outlines.loc[outlines["nuts_id"].duplicated(), "nuts_id"].unique()):
        raise StepError("bad_regions", f"{regions.name} names regions twice: {twice[:10]}.", "Dissolve them first.")
    figures = figures[figures["indicator"] != "quality"].assign(
        lower=float("nan"), upper=float("nan"), interval_basis="none", simulated=simulated,
        unknown_share=1 - figures["valid_share"], unit=figures["indicator"].map(UNITS).fillna("index"),
    )  # fmt: skip
    figures["order"] = figures["indicator"].map({name: index for index, name in enumerate(METRICS)})
    joined = outlines.merge(figures, on="nuts_id", how="inner").sort_values(["nuts_id", "year", "order"])
    table = joined[[*(column.name for column in COLUMNS), "geometry"]].reset_index(drop=True)
    return geopandas.GeoDataFrame(table, crs=outlines.crs)


def write_seasons(figures: geopandas.GeoDataFrame, folder: Path) -> None:
    """`regional_data` as .parquet (with geometry), .csv and .duckdb."""
    write_table_files({REGIONAL: figures}, SCHEMA, folder, database=REGIONAL)


class SeasonRow(NamedTuple):
    """One region and year in words."""

    region_id: str
    region: str
    year: str
    figures: tuple[str, ...]
    """In the order of `SHOWN`."""
    unknown: str
    quality: str


def season_rows(figures: pd.DataFrame) -> list[SeasonRow]:
    """A row per region and year."""
    rows = []
    for (region_id, year), part in figures.groupby(["nuts_id", "year"], sort=False):
        by_name = part.set_index("indicator")
        first = part.iloc[0]
        rows.append(
            SeasonRow(
                region_id=str(region_id),
                region=str(first["region_name"]),
                year=str(year),
                figures=tuple(_figure(by_name, name) for name in SHOWN),
                unknown=f"{first['unknown_share'] * 100:.1f} %",
                quality="–" if pd.isna(first["quality"]) else f"{first['quality']:.1f}",
            )
        )
    return rows


def print_seasons(publication: Publication, console: Console) -> None:
    """The table of a published product."""
    figures = geopandas.read_parquet(Path(publication.folder) / f"{REGIONAL}.parquet")
    console.print(table_for_terminal(figures, publication.name))


def table_for_terminal(figures: pd.DataFrame, title: str, max_rows: int = 60) -> Table:
    """Every region and year."""
    note = " (simulated data)" if figures["simulated"].any() else ""
    caption = "Means over cells with a season. Start and end are days of the year. Unknown: land without a season."
    table = Table(title=f"{title}{note}", caption=caption, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("region", overflow="fold")
    table.add_column("year", no_wrap=True)
    for name in (*(name.removesuffix("_day") for name in SHOWN), "unknown", "quality"):
        table.add_column(name, justify="right", no_wrap=True)
    rows = season_rows(figures)
    for row in rows[:max_rows]:
        # Rich reads square brackets as markup.
        table.add_row(row.region.replace("[", r"\["), row.year, *row.figures, row.unknown, row.quality)
    if len(rows) > max_rows:
        table.add_row(f"… and {len(rows) - max_rows} more rows in regional_data.csv")
    return table


def _figure(by_name: pd.DataFrame, name: str) -> str:
    value = by_name["value"].get(name)
    if value is None or pd.isna(value):
        return "–"
    return f"{value:.0f}" if name.endswith("_day") else f"{value:.1f}" if name == "integral" else f"{value:.2f}"
