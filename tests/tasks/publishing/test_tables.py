"""The tables hold what the estimates say, in every format, whatever a region is called."""

import sqlite3
from pathlib import Path

import duckdb
import geopandas
import pandas as pd
import pytest

from tasks.publishing.tables import COLUMNS, KEY, Figures, read_figures, write_tables
from tests.tasks.made_product import (
    ESTIMATE_COLUMNS,
    GRID,
    HOSTILE,
    REGIONS,
    Shelf,
    estimate_rows,
    regions_file,
    rows_of_csv,
    table,
)


def figures_of(tmp_path: Path, rows: list[tuple[object, ...]]) -> Figures:
    shelf = Shelf(tmp_path / "store")
    estimates = shelf.put("estimates.csv", table(ESTIMATE_COLUMNS, rows))
    return read_figures(shelf.path_of(estimates), shelf.path_of(regions_file(shelf)), GRID, simulated=True)


@pytest.fixture
def made_figures(tmp_path: Path) -> Figures:
    return figures_of(tmp_path, estimate_rows())


def test_whole_area_is_apart_so_that_regions_can_be_summed(made_figures: Figures) -> None:
    assert set(made_figures.regional["nuts_id"]) == set(REGIONS)
    assert set(made_figures.whole["nuts_id"]) == {"ALL"}
    assert (len(made_figures.regional), len(made_figures.whole)) == (8, 4)
    assert made_figures.whole.geometry.iloc[0].bounds == tuple(GRID.bounds)


def test_rows_are_joined_with_their_region(made_figures: Figures) -> None:
    row = made_figures.regional.set_index(list(KEY)).loc[("NA", "2020", "new_impervious")]
    assert row["region_name"] == HOSTILE
    assert (row["year"], row["value"], row["lower"], row["upper"]) == (2020, 17.0, 15.0, 20.0)
    assert (row["pixel_count_ha"], row["unknown_share"], row["n_points"]) == (34.0, 0.125, 120)
    assert (row["inside_share"], row["simulated"]) == (0.5, True)


def test_new_impervious_comes_first(made_figures: Figures) -> None:
    first = made_figures.regional.iloc[:3]
    assert first["indicator"].tolist() == ["new_impervious", "new_green", "new_impervious"]
    assert first["period"].tolist() == ["2019", "2019", "2020"]


def test_without_a_sample_intervals_are_empty(tmp_path: Path) -> None:
    regional = figures_of(tmp_path, estimate_rows(sampled=False)).regional
    assert regional[["lower", "upper", "standard_error"]].isna().all(axis=None)
    assert set(regional["interval_basis"]) == {"none"}


@pytest.mark.parametrize("label", ["2019-05", "2019-DJF"])
def test_year_of_months_and_seasons(tmp_path: Path, label: str) -> None:
    rows = [(region, label, *rest) for region, _, *rest in estimate_rows()[:1]]
    assert figures_of(tmp_path, rows).regional["year"].tolist() == [2019]


def test_every_format_holds_the_same_rows(made_figures: Figures, tmp_path: Path) -> None:
    write_tables(made_figures, tmp_path, sqlite=True)
    names = [column.name for column in COLUMNS]
    expected = pd.DataFrame(made_figures.regional.drop(columns="geometry"))

    parquet = geopandas.read_parquet(tmp_path / "regional_data.parquet")
    assert parquet.crs.to_epsg() == 3035
    assert parquet.geometry.geom_equals(made_figures.regional.geometry).all()
    pd.testing.assert_frame_equal(pd.DataFrame(parquet[names]), expected, check_dtype=False)

    with duckdb.connect(str(tmp_path / "regional_data.duckdb"), read_only=True) as database:
        from_duckdb = database.execute("SELECT * FROM regional_data ORDER BY rowid").fetchall()
        whole = database.execute("SELECT count(*) FROM whole_area").fetchone()
    with sqlite3.connect(tmp_path / "regional_data.sqlite") as database:
        from_sqlite = database.execute("SELECT * FROM regional_data ORDER BY rowid").fetchall()
    assert whole == (4,)
    assert from_duckdb == from_sqlite == list(expected.itertuples(index=False, name=None))

    csv_rows = rows_of_csv(tmp_path / "regional_data.csv")
    assert list(csv_rows[0]) == names
    assert [row["region_name"] for row in csv_rows] == expected["region_name"].tolist()
    assert [float(row["upper"]) for row in csv_rows] == expected["upper"].tolist()


def test_missing_intervals_are_null(tmp_path: Path) -> None:
    write_tables(figures_of(tmp_path, estimate_rows(sampled=False)), tmp_path, sqlite=True)
    query = "SELECT count(*) FROM regional_data WHERE lower IS NULL AND upper IS NULL AND interval_basis = 'none'"
    with duckdb.connect(str(tmp_path / "regional_data.duckdb"), read_only=True) as database:
        assert database.execute(query).fetchone() == (8,)
    with sqlite3.connect(tmp_path / "regional_data.sqlite") as database:
        assert database.execute(query).fetchone() == (8,)


def test_sqlite_only_on_request(made_figures: Figures, tmp_path: Path) -> None:
    write_tables(made_figures, tmp_path)
    assert not (tmp_path / "regional_data.sqlite").exists()


def test_database_refuses_a_figure_twice(made_figures: Figures, tmp_path: Path) -> None:
    write_tables(made_figures, tmp_path)
    with duckdb.connect(str(tmp_path / "regional_data.duckdb")) as database, pytest.raises(duckdb.ConstraintException):
        database.execute("INSERT INTO regional_data SELECT * FROM regional_data LIMIT 1")


def test_every_column_is_described_in_the_database(made_figures: Figures, tmp_path: Path) -> None:
    write_tables(made_figures, tmp_path)
    with duckdb.connect(str(tmp_path / "regional_data.duckdb"), read_only=True) as database:
        comments = database.execute(
            "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index",
            ["regional_data"],
        ).fetchall()
    assert comments == [(column.name, column.description) for column in COLUMNS]


def test_unknown_region_is_refused(tmp_path: Path) -> None:
    rows = [("XX", *estimate_rows()[0][1:])]
    with pytest.raises(ValueError, match=r"lacks: \['XX'\]"):
        figures_of(tmp_path, rows)


def test_repeated_estimate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="twice"):
        figures_of(tmp_path, [*estimate_rows(), estimate_rows()[0]])
