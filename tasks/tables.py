"""The regional figures as tables that people and programs read: GeoParquet, CSV, DuckDB, SQLite."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb
import geopandas
import pandas as pd
import shapely

from containers.base.contract.grid import Grid

WHOLE_AREA: Final = "ALL"
"""Region id that the zonal step gives to the whole grid."""
REGIONAL, WHOLE = "regional_data", "whole_area"


class Column(NamedTuple):
    """One column, with its SQL type and what it means."""

    name: str
    sql_type: str
    description: str


COLUMNS: Final = (
    Column("nuts_id", "VARCHAR NOT NULL", "Identifier of the region, such as a NUTS code"),
    Column("region_name", "VARCHAR NOT NULL", "Name of the region"),
    Column("year", "INTEGER NOT NULL", "Year of the period, or the year in which it ends"),
    Column("period", "VARCHAR NOT NULL", "Label of the later period of the comparison"),
    Column("indicator", "VARCHAR NOT NULL", "new_impervious or new_green: land of that class that was not before"),
    Column("value", "DOUBLE NOT NULL", "Estimated area; no estimate but the pixel count where interval_basis is none"),
    Column("lower", "DOUBLE", "Lower end of the 95 % interval; empty where interval_basis is none"),
    Column("upper", "DOUBLE", "Upper end of the 95 % interval; empty where interval_basis is none"),
    Column("standard_error", "DOUBLE", "Standard error of the estimate"),
    Column("unit", "VARCHAR NOT NULL", "Unit of value, lower, upper and standard_error"),
    Column("interval_basis", "VARCHAR NOT NULL", "What the interval rests on; none: there is no interval"),
    Column("pixel_count_ha", "DOUBLE NOT NULL", "Cells counted in the map times their area in hectares: no estimate"),
    Column("unknown_share", "DOUBLE NOT NULL", "Share of the region's cells without data in either period"),
    Column("n_points", "INTEGER", "Reference points in the region"),
    Column("n_change_points", "INTEGER", "Reference points in the region that show the change"),
    Column("inside_share", "DOUBLE NOT NULL", "Share of the region's area that lies on the analysis grid"),
    Column("simulated", "BOOLEAN NOT NULL", "Whether the figures come from simulated scenes"),
)
KEY: Final = ("nuts_id", "period", "indicator")
_ASCENDING: Final = (True, True, False)
"""New impervious land first: it is what people look for."""
_INTEGERS: Final = ("n_points", "n_change_points")


class Figures(NamedTuple):
    """The figures of every region and of the whole area, in `COLUMNS`, with the regions' geometry."""

    regional: geopandas.GeoDataFrame
    whole: geopandas.GeoDataFrame


def read_figures(estimates: Path, regions: Path, grid: Grid, *, simulated: bool) -> Figures:
    """Join the estimates with the names and outlines of their regions. Rows are in the order of `KEY`.

    Raises ValueError where an estimate names a region that the file lacks, or where one is given twice.
    """
    texts = dict.fromkeys(("region_id", "period", "indicator", "unit", "interval_basis"), str)
    numbers = [column.name for column in COLUMNS if column.sql_type.startswith(("DOUBLE", "INTEGER"))]
    # Only numbers may be empty: a region may be called NA, and "none" is a basis.
    figures = pd.read_csv(estimates, dtype=texts, keep_default_na=False, na_values={name: [""] for name in numbers})
    outlines = geopandas.read_file(regions)[["region_id", "region_name", "inside_share", "geometry"]]
    joined = pd.concat([outlines, _whole_area(grid)], ignore_index=True).merge(
        figures, on="region_id", how="right", validate="one_to_many", suffixes=("", "_of_estimate")
    )
    if absent := sorted(joined.loc[joined["region_name"].isna(), "region_id"].unique()):
        raise ValueError(f"estimates name regions that {regions.name} lacks: {absent}")
    table = joined.assign(nuts_id=joined["region_id"], year=joined["period"].str[:4].astype(int), simulated=simulated)
    table = table.astype(dict.fromkeys(_INTEGERS, "Int64"))
    table = table[[*(column.name for column in COLUMNS), "geometry"]].sort_values(
        list(KEY), ascending=list(_ASCENDING), ignore_index=True
    )
    if table.duplicated(list(KEY)).any():
        raise ValueError(f"{estimates.name} gives a region, period and indicator twice")
    is_whole = table["nuts_id"] == WHOLE_AREA
    regional, whole = (
        geopandas.GeoDataFrame(part.reset_index(drop=True), crs=grid.epsg)
        for part in (table[~is_whole], table[is_whole])
    )
    return Figures(regional, whole)


def write_tables(figures: Figures, folder: Path, *, sqlite: bool = False) -> None:
    """`regional_data` as .parquet (with geometry), .csv and .duckdb, on request .sqlite; `whole_area` beside it."""
    for name, frame in ((REGIONAL, figures.regional), (WHOLE, figures.whole)):
        frame.to_parquet(folder / f"{name}.parquet", index=False, compression="zstd")
        frame.drop(columns="geometry").to_csv(folder / f"{name}.csv", index=False)
    tables = {REGIONAL: figures.regional, WHOLE: figures.whole}
    plain = {name: pd.DataFrame(frame.drop(columns="geometry")) for name, frame in tables.items()}
    with duckdb.connect(str(folder / f"{REGIONAL}.duckdb")) as database:
        for name, table in plain.items():
            _fill_duckdb(database, name, table)
    if sqlite:
        with closing(sqlite3.connect(folder / f"{REGIONAL}.sqlite")) as database, database:
            for name, table in plain.items():
                _fill_sqlite(database, name, table)


def _whole_area(grid: Grid) -> geopandas.GeoDataFrame:
    columns = {"region_id": [WHOLE_AREA], "region_name": ["Whole area"], "inside_share": [1.0]}
    return geopandas.GeoDataFrame(columns, geometry=[shapely.box(*grid.bounds)], crs=grid.epsg)


def _definition(table: str) -> str:
    columns = ", ".join(f"{column.name} {column.sql_type}" for column in COLUMNS)
    return f"CREATE TABLE {table} ({columns}, PRIMARY KEY ({', '.join(KEY)}))"


def _fill_duckdb(database: Any, name: str, table: pd.DataFrame) -> None:
    database.execute(_definition(name))
    for column in COLUMNS:
        # A comment takes no parameter; these are constants of this module.
        comment = column.description.replace("'", "''")
        database.execute(f"COMMENT ON COLUMN {name}.{column.name} IS '{comment}'")
    database.register("rows", table)
    database.execute(f"INSERT INTO {name} SELECT * FROM rows")  # noqa: S608 - the name is a constant of this module
    database.unregister("rows")


def _fill_sqlite(database: sqlite3.Connection, name: str, table: pd.DataFrame) -> None:
    database.execute(_definition(name))
    places = ", ".join("?" * len(COLUMNS))
    rows = table.astype(object).where(table.notna(), None).itertuples(index=False, name=None)
    database.executemany(f"INSERT INTO {name} VALUES ({places})", rows)  # noqa: S608 - likewise
