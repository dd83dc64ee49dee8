"""What one whole run leaves behind: products, ledger, truth, reuse."""

import re
from pathlib import Path

import duckdb
import geopandas
import numpy as np
import pandas as pd
import pystac
import pytest
import rasterio

from tests.demo_run import Demo, artifacts, newest_folder

YEARS = ("2018-MJ", "2019-MJ", "2020-MJ")


def ledger(demo: Demo) -> pd.DataFrame:
    """The rows of the newest run."""
    newest = max((demo.state / "store" / "runs").glob("*/ledger.csv"), key=lambda path: path.stat().st_mtime)
    return pd.read_csv(newest, keep_default_na=False)


@pytest.mark.slow
class TestProduct:
    def test_ends_with_a_table_and_places(self, demo: Demo) -> None:
        for word in ("Report", "Map", "Prefect UI", "estimate", "pixel", "unknown", "2019-MJ", "2020-MJ"):
            assert word in demo.output

    def test_table_has_every_region_and_change_period(self, demo: Demo) -> None:
        table = geopandas.read_parquet(demo.product / "regional_data.parquet")
        regions = geopandas.read_file(newest_folder(demo, "eodata.simulate") / "regions.gpkg")
        assert set(table["nuts_id"]) == set(regions["nuts_id"])
        assert set(table["indicator"]) >= {"new_impervious", "new_green"}
        assert len(table) == table.groupby(["nuts_id", "period", "indicator"]).ngroups
        assert (table["lower"] <= table["value"]).all()
        assert (table["value"] <= table["upper"]).all()
        assert set(table["interval_basis"]) == {"stratified_sample"}
        assert table["unknown_share"].between(0, 1).all()

    def test_duckdb_and_csv_agree(self, demo: Demo) -> None:
        with duckdb.connect(str(demo.product / "regional_data.duckdb"), read_only=True) as database:
            stored = database.execute("select nuts_id, period, indicator, value from regional_data").fetchdf()
        written = pd.read_csv(demo.product / "regional_data.csv")
        columns = ["nuts_id", "period", "indicator", "value"]
        pd.testing.assert_frame_equal(
            stored.sort_values(columns[:3]).reset_index(drop=True),
            written[columns].sort_values(columns[:3]).reset_index(drop=True),
            check_dtype=False,
        )

    def test_catalogue_names_its_sources(self, demo: Demo) -> None:
        catalogue = pystac.Catalog.from_file(str(demo.product / "stac" / "catalog.json"))
        items = list(catalogue.get_items(recursive=True))
        assert len(items) >= 3 * len(YEARS)
        for item in items:
            assert item.get_links("derived_from"), item.id
            for asset in item.get_assets(role="data").values():
                assert Path(str(asset.get_absolute_href())).is_file()

    def test_report_stands_alone_and_says_simulated(self, demo: Demo) -> None:
        page = (demo.product / "report.html").read_text()
        assert "imulated" in page
        assert not re.search(r"""(src|href)=["']https?://[^"']+\.(js|css|png)""", page)
        assert "<script" not in page

    def test_rasters_share_one_grid(self, demo: Demo) -> None:
        grids = set()
        for path in (demo.product / "rasters").glob("*.tif"):
            with rasterio.open(path) as raster:
                grids.add((raster.crs.to_epsg(), raster.shape, tuple(raster.transform)))
        assert len(grids) == 1
        assert next(iter(grids))[0] == 3035


@pytest.mark.slow
class TestTruth:
    def test_map_beats_the_wrong_labels(self, demo: Demo) -> None:
        """Against truth, in the labelled period and the others: better than always saying green."""
        truths = newest_folder(demo, "eodata.simulate") / "truth"
        for year, period in zip((2018, 2019, 2020), YEARS, strict=True):
            path = demo.product / "rasters" / f"land-cover-{period.lower()}.tif"
            mapped, truth = overlay(path, truths / f"{year}.tif")
            assert np.mean(mapped == truth) > max(np.mean(truth == code) for code in (1, 2, 3))

    def test_interval_covers_the_true_total(self, demo: Demo) -> None:
        table = pd.read_csv(demo.product / "whole_area.csv").set_index(["period", "indicator"])
        truth = pd.read_csv(newest_folder(demo, "eodata.simulate") / "truth" / "areas.csv", dtype={"period": str})
        for (period, indicator), row in table.iterrows():
            same = (truth["period"] == str(period)[:4]) & (truth["indicator"] == indicator)
            total = truth[same]["majority_area_ha"].sum()
            # Land outside the regions is in the map as well; four half-widths leave room for it and for chance.
            half = (row["upper"] - row["lower"]) / 2
            assert abs(row["value"] - total) < 4 * half, (period, indicator)


def overlay(mapped_path: Path, truth_path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Both rasters where they meet and both know the class."""
    with rasterio.open(mapped_path) as mapped, rasterio.open(truth_path) as truth:
        west, south, east, north = (
            max(mapped.bounds.left, truth.bounds.left), max(mapped.bounds.bottom, truth.bounds.bottom),
            min(mapped.bounds.right, truth.bounds.right), min(mapped.bounds.top, truth.bounds.top),
        )  # fmt: skip
        first, second = (
            raster.read(1, window=rasterio.windows.from_bounds(west, south, east, north, raster.transform).round())
            for raster in (mapped, truth)
        )
    known = (first != 0) & (second != 0)
    return first[known], second[known]


@pytest.mark.slow
class TestReuse:
    def test_second_run_computes_nothing(self, demo: Demo) -> None:
        before = artifacts(demo)
        demo.run_again()
        assert artifacts(demo) == before
        rows = ledger(demo)
        assert set(rows[rows["key"] != ""]["status"]) == {"reused"}
