"""Tables that people and programs read: GeoParquet, CSV, DuckDB, SQLite, with the meaning of every column."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import geopandas
import pandas as pd


class Column(NamedTuple):
    """One column, with its SQL type and what it means."""

    name: str
    sql_type: str
    description: str


class Schema(NamedTuple):
    """What every table of a product holds."""

    columns: Sequence[Column]
    key: Sequence[str]


def write_table_files(
    tables: Mapping[str, geopandas.GeoDataFrame], schema: Schema, folder: Path, *, database: str, sqlite: bool = False
) -> None:
    """Each table as .parquet (with geometry) and .csv, all of them in `<database>.duckdb`, on request in .sqlite."""
    for name, frame in tables.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False, compression="zstd")
        frame.drop(columns="geometry").to_csv(folder / f"{name}.csv", index=False)
    plain = {name: pd.DataFrame(frame.drop(columns="geometry")) for name, frame in tables.items()}
    with duckdb.connect(str(folder / f"{database}.duckdb")) as connection:
        for name, table in plain.items():
            _fill_duckdb(connection, name, table, schema)
    if sqlite:
        with closing(sqlite3.connect(folder / f"{database}.sqlite")) as connection, connection:
            for name, table in plain.items():
                _fill_sqlite(connection, name, table, schema)


def _definition(table: str, schema: Schema) -> str:
    columns = ", ".join(f"{column.name} {column.sql_type}" for column in schema.columns)
    return f"CREATE TABLE {table} ({columns}, PRIMARY KEY ({', '.join(schema.key)}))"


def _fill_duckdb(database: Any, name: str, table: pd.DataFrame, schema: Schema) -> None:
    database.execute(_definition(name, schema))
    for column in schema.columns:
        # A comment takes no parameter; these are constants of the code.
        comment = column.description.replace("'", "''")
        database.execute(f"COMMENT ON COLUMN {name}.{column.name} IS '{comment}'")
    database.register("rows", table)
    database.execute(f"INSERT INTO {name} SELECT * FROM rows")  # noqa: S608 - the name is a constant of the code
    database.unregister("rows")


def _fill_sqlite(database: sqlite3.Connection, name: str, table: pd.DataFrame, schema: Schema) -> None:
    database.execute(_definition(name, schema))
    places = ", ".join("?" * len(schema.columns))
    rows = table.astype(object).where(table.notna(), None).itertuples(index=False, name=None)
    database.executemany(f"INSERT INTO {name} VALUES ({places})", rows)  # noqa: S608 - likewise
