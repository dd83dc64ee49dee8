"""The regional figures of an impervious-change product as tables."""

from pathlib import Path
from typing import Final, NamedTuple

import geopandas
import pandas as pd
import shapely

from containers.base.contract.grid import Grid
from tasks.publishing.table_files import Column, Schema, write_table_files

WHOLE_AREA: Final = "ALL"
"""Region id that the zonal step gives to the whole grid."""
REGIONAL, WHOLE = "regional_data", "whole_area"


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
    tables = {REGIONAL: figures.regional, WHOLE: figures.whole}
    write_table_files(tables, Schema(COLUMNS, KEY), folder, database=REGIONAL, sqlite=sqlite)


def _whole_area(grid: Grid) -> geopandas.GeoDataFrame:
    columns = {"region_id": [WHOLE_AREA], "region_name": ["Whole area"], "inside_share": [1.0]}
    return geopandas.GeoDataFrame(columns, geometry=[shapely.box(*grid.bounds)], crs=grid.epsg)
