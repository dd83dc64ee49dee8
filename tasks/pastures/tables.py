"""The figures of `pasture_types` as tables and in words: areas of types, and the year's calendar."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

import geopandas
import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from tasks.publishing.headlines import interval, is_estimated, number
from tasks.publishing.product import Publication
from tasks.publishing.table_files import Column, Schema, write_table_files

REGIONAL: Final = "regional_data"
CALENDAR: Final = "calendar.csv"
COLUMNS: Final = (
    Column("pasture_id", "VARCHAR NOT NULL", "Identifier of the pasture"),
    Column("pasture_name", "VARCHAR NOT NULL", "Name of the pasture"),
    Column("tile", "VARCHAR NOT NULL", "MGRS tile that it was cut from"),
    Column("year", "INTEGER NOT NULL", "Year of the map"),
    Column("type", "VARCHAR NOT NULL", "Vegetation type, as the survey names it or as the user groups it"),
    Column("value", "DOUBLE NOT NULL", "Estimated area; no estimate but the pixel count where interval_basis is none"),
    Column("lower", "DOUBLE", "Lower end of the 95 % interval; empty where interval_basis is none"),
    Column("upper", "DOUBLE", "Upper end of the 95 % interval; empty where interval_basis is none"),
    Column("standard_error", "DOUBLE", "Standard error of the estimate"),
    Column("unit", "VARCHAR NOT NULL", "Unit of value, lower, upper and standard_error"),
    Column("interval_basis", "VARCHAR NOT NULL", "What the interval rests on; none: there is no interval"),
    Column("pixel_count_ha", "DOUBLE NOT NULL", "Cells counted in the map times their area in hectares: no estimate"),
    Column("unknown_share", "DOUBLE NOT NULL", "Share of the pasture's cells that were not seen often enough"),
    Column("n_points", "INTEGER", "Reference points in the pasture"),
    Column("simulated", "BOOLEAN NOT NULL", "Whether the figures come from simulated scenes"),
)
SCHEMA: Final = Schema(COLUMNS, ("pasture_id", "year", "type"))
_SHOWN_TYPES: Final = 3


class PastureFile(NamedTuple):
    """Where the areas of one pasture and year are."""

    pasture_id: str
    name: str
    tile: str
    year: int
    estimates: Path


class PastureRow(NamedTuple):
    """One pasture and year in words."""

    pasture: str
    year: str
    types: str
    unknown: str


def read_areas_of(files: Iterable[PastureFile], pastures: Path, *, simulated: bool) -> geopandas.GeoDataFrame:
    """The figures in `COLUMNS` with each pasture's outline, in the order of pasture, year and area."""
    outlines = geopandas.read_parquet(pastures)[["pasture_id", "geometry"]]
    tables = []
    for file in files:
        table = pd.read_csv(
            file.estimates,
            dtype={"indicator": str, "unit": str, "interval_basis": str},
            keep_default_na=False,
            na_values={name: [""] for name in ("lower", "upper", "standard_error", "n_points")},
        )
        tables.append(
            table.rename(columns={"indicator": "type"}).assign(
                pasture_id=file.pasture_id, pasture_name=file.name, tile=file.tile, year=file.year, simulated=simulated
            )
        )
    figures = pd.concat(tables, ignore_index=True).astype({"n_points": "Int64"})
    ordered = figures.sort_values(["pasture_id", "year", "value"], ascending=[True, True, False])
    joined = outlines.merge(ordered, on="pasture_id", how="right", validate="one_to_many")
    table = joined[[*(column.name for column in COLUMNS), "geometry"]].reset_index(drop=True)
    return geopandas.GeoDataFrame(table, crs=outlines.crs)


def read_events(files: Iterable[Path]) -> pd.DataFrame:
    """The calendars of all pastures."""
    texts = dict.fromkeys(("pasture_id", "event", "basis", "doubt"), str)
    tables = [pd.read_csv(file, dtype=texts, keep_default_na=False, na_values=_EMPTY_DAYS) for file in files]
    return pd.concat(tables, ignore_index=True)


_EMPTY_DAYS: Final = {name: [""] for name in ("day", "lower", "upper")}


def write_pastures(figures: geopandas.GeoDataFrame, events: pd.DataFrame, folder: Path) -> None:
    """`regional_data` as .parquet (with geometry), .csv and .duckdb; `calendar.csv`."""
    write_table_files({REGIONAL: figures}, SCHEMA, folder, database=REGIONAL)
    events.to_csv(folder / CALENDAR, index=False)


def pasture_rows(figures: pd.DataFrame) -> list[PastureRow]:
    """A row per pasture and year, its largest types first."""
    rows = []
    for (_, year), part in figures.groupby(["pasture_id", "year"], sort=False):
        first = part.iloc[0]
        largest = part[part["value"] > 0].head(_SHOWN_TYPES)
        rows.append(
            PastureRow(
                pasture=str(first["pasture_name"]),
                year=str(year),
                types="; ".join(_in_words(row) for row in largest.itertuples()) or "nothing was seen",
                unknown=f"{first['unknown_share'] * 100:.1f} %",
            )
        )
    return rows


def print_pastures(publication: Publication, console: Console) -> None:
    """The table of a published product."""
    figures = geopandas.read_parquet(Path(publication.folder) / f"{REGIONAL}.parquet")
    note = " (simulated data)" if figures["simulated"].any() else ""
    caption = f"The {_SHOWN_TYPES} largest types in hectares, with 95 % intervals. A count is no estimate of an area."
    table = Table(title=f"{publication.name}{note}", caption=caption, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("pasture", overflow="fold")
    table.add_column("year", no_wrap=True)
    table.add_column("types", overflow="fold")
    table.add_column("unknown", justify="right", no_wrap=True)
    for row in pasture_rows(figures):
        # Rich reads square brackets as markup.
        table.add_row(row.pasture.replace("[", r"\["), row.year, row.types.replace("[", r"\["), row.unknown)
    console.print(table)


def _in_words(row: Any) -> str:
    if is_estimated(row):
        return f"{row.type} {number(row.value)} ha ({interval(row)})"
    return f"{row.type} {number(row.value)} ha counted"
