"""Figures of regions: joined with their outlines, in words, and harmless whatever a region is called."""

from io import StringIO
from pathlib import Path

import duckdb
import geopandas
import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from shapely import box

from containers.base.contract.step import StepError
from containers.gdal.contract.productivity import METRICS
from tasks.vegetation.tables import COLUMNS, RegionFields, read_seasons, season_rows, table_for_terminal, write_seasons

HOSTILE = "[red]x[/] <script>alert(1)</script>'; DROP TABLE regional_data; --"
FIELDS = RegionFields("NUTS_ID", "NAME")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    rows = [
        {"region_id": region, "region_name": name, "year": year, "metric": metric, "mean": value, "deviation": 1.0,
         "area_ha": 100.0, "valid_share": 0.75, "quality": 7.25}
        for region, name in (("NA", HOSTILE), ("AT11", "Burgenland Süd"))
        for year in (2020, 2019)
        for metric, value in zip(METRICS, np.linspace(0.1, 120.25, len(METRICS)), strict=True)
    ]  # fmt: skip
    rows.append({**rows[0], "region_id": "ZZ", "region_name": "Unseen", "mean": None, "quality": None})
    pd.DataFrame(rows).to_parquet(tmp_path / "seasons.parquet")
    outlines = geopandas.GeoDataFrame(
        {"NUTS_ID": ["AT11", "NA", "ZZ", "XX"]}, geometry=[box(i, 0, i + 1, 1) for i in range(4)], crs=3035
    )
    outlines.to_file(tmp_path / "regions.gpkg")
    return tmp_path / "seasons.parquet", tmp_path / "regions.gpkg"


def test_figures_have_outlines_units_and_an_order(files: tuple[Path, Path]) -> None:
    table = read_seasons(*files, FIELDS, simulated=True)
    assert list(table.columns) == [*(column.name for column in COLUMNS), "geometry"]
    first = table.iloc[0]
    assert (first["nuts_id"], first["year"], first["indicator"], first["unit"]) == ("AT11", 2019, "integral", "index·d")
    assert first["unknown_share"] == pytest.approx(0.25)
    assert first["geometry"].equals(box(0, 0, 1, 1))
    assert "quality" not in set(table["indicator"])
    assert set(table["interval_basis"]) == {"none"}


def test_a_region_called_na_and_hostile_names_are_texts(files: tuple[Path, Path], tmp_path: Path) -> None:
    table = read_seasons(*files, FIELDS, simulated=False)
    write_seasons(table, tmp_path)
    with duckdb.connect(str(tmp_path / "regional_data.duckdb"), read_only=True) as database:
        names = database.execute("SELECT DISTINCT region_name FROM regional_data WHERE nuts_id = 'NA'").fetchall()
    assert names == [(HOSTILE,)]
    out = StringIO()
    Console(file=out, width=200).print(table_for_terminal(table, "made"))
    assert "[red]x[/]" in out.getvalue()


def test_what_was_never_seen_has_no_figure(files: tuple[Path, Path]) -> None:
    rows = {(row.region, row.year): row for row in season_rows(read_seasons(*files, FIELDS, simulated=False))}
    unseen = rows["Unseen", "2020"]
    assert unseen.figures[0] == "–"
    assert unseen.quality == "–"
    assert rows["Burgenland Süd", "2019"].quality == "7.2"


def test_a_region_given_twice_is_refused(files: tuple[Path, Path]) -> None:
    outlines = geopandas.read_file(files[1])
    pd.concat([outlines, outlines]).to_file(files[1])
    with pytest.raises(StepError, match="twice") as refused:
        read_seasons(*files, FIELDS, simulated=False)
    assert refused.value.code == "bad_regions"
