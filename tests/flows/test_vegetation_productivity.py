"""What a whole run over a year of simulated L1C leaves behind: product, truth, reuse, and what a new scene costs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import geopandas
import h5py
import numpy as np
import pandas as pd
import pystac
import pytest
import rasterio
from numpy.typing import NDArray
from PIL import Image

from containers.base.contract.legend import Sky
from containers.gdal.contract.productivity import METRICS
from tests.demo_run import Demo, artifacts, ledger_of, newest_folder

COMMAND = ("demo", "--flow", "vegetation_productivity", "--profile", "vegetation_tiny")
NODATA = -9999
SCL_TO_SKY = np.array([0, 1, 1, 4, 1, 1, 1, 1, 2, 2, 3, 5], dtype=np.uint8)
"""True scene classes as sky classes."""


@dataclass(frozen=True)
class VegetationDemo(Demo):
    @property
    def product(self) -> Path:
        return self.state / "products" / "vegetation-productivity-tiny"

    @property
    def truth(self) -> Path:
        return newest_folder(self, "eodata.simulate") / "truth"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VegetationDemo]:
    waiting = VegetationDemo(tmp_path_factory.mktemp("vegetation") / "state", "", command=COMMAND)
    finished = waiting.clearground(*COMMAND)
    try:
        assert finished.returncode == 0, finished.stdout[-4000:] + finished.stderr[-6000:]
        yield VegetationDemo(waiting.state, finished.stdout, command=COMMAND)
    finally:
        waiting.clearground("down")


def season(demo: VegetationDemo) -> dict[str, NDArray[np.float32]]:
    with rasterio.open(demo.product / "rasters" / "season-2020.tif") as source:
        return dict(zip(source.descriptions, source.read(), strict=True))


def true_season(demo: VegetationDemo) -> dict[str, NDArray[np.float32]]:
    """On the product's grid: the series is of L1C, so the truth is what an L1C sensor would see without clouds."""
    with (
        rasterio.open(demo.product / "rasters" / "season-2020.tif") as product,
        rasterio.open(demo.truth / "phenology" / "2020_toa.tif") as source,
    ):
        window = source.window(*product.bounds).round_offsets().round_lengths()
        values = source.read(window=window, boundless=True, fill_value=NODATA)
        return dict(zip(source.descriptions, values, strict=True))


@pytest.mark.slow
class TestProduct:
    def test_ends_with_a_table_and_places(self, demo: VegetationDemo) -> None:
        for word in ("Simulated", "integral", "quality", "Report", "Map", "Prefect UI"):
            assert word in demo.output

    def test_tables_agree(self, demo: VegetationDemo) -> None:
        frame = geopandas.read_parquet(demo.product / "regional_data.parquet")
        with duckdb.connect(str(demo.product / "regional_data.duckdb"), read_only=True) as database:
            rows = database.execute("SELECT count(*), min(value) FROM regional_data").fetchone()
        assert rows is not None
        assert rows[0] == len(frame) == 4 * (len(METRICS) - 1)
        assert set(frame["indicator"]) == set(METRICS) - {"quality"}
        assert frame["unknown_share"].between(0, 1).all()
        assert frame["simulated"].all()
        assert frame.geometry.notna().all()

    def test_rasters_are_catalogued(self, demo: VegetationDemo) -> None:
        catalogue = pystac.Catalog.from_file(str(demo.product / "stac" / "catalog.json"))
        items = list(catalogue.get_items(recursive=True))
        assert {item.id.removeprefix("vegetation-productivity-tiny-") for item in items} == {
            "season-2020", "observations",
        }  # fmt: skip
        season_item = next(item for item in items if "season" in item.id)
        bands = season_item.assets["data"].extra_fields["raster:bands"]
        assert [band["name"] for band in bands] == list(METRICS)
        assert bands[0]["data_type"] == "float32"
        assert bands[0]["unit"] == "index·d"
        assert len([link for link in season_item.links if link.rel == "derived_from"]) >= 24

    def test_filled_cube_opens_with_stock_h5py(self, demo: VegetationDemo) -> None:
        with h5py.File(demo.product / "cubes" / "filled-000.h5") as cube:
            values, quality, uncertainty = (cube[name][:] for name in ("values", "quality", "uncertainty"))
            days = cube["days"][:]
        assert values.shape == quality.shape == uncertainty.shape
        assert len(days) == len(values) == 37
        assert (np.diff(days) == 10).all()
        known = quality != 0
        assert (np.abs(values[known]) < 10_000).all()
        assert (uncertainty[known] > 0).all()

    def test_pictures(self, demo: VegetationDemo) -> None:
        with Image.open(demo.product / "pictures" / "series.gif") as animation:
            assert animation.n_frames > 30
        page = (demo.product / "report.html").read_text()
        assert "SIMULATED DATA" in page
        assert "<script" not in page
        assert "In the middle" in page

    def test_a_place_outside_is_a_row(self, demo: VegetationDemo) -> None:
        rows = ledger_of(demo)
        assert rows["reason"].str.contains("Far <away>", regex=False).any()
        assert "Far <away>" not in (demo.product / "report.html").read_text().replace("&lt;", "")

    def test_every_scene_is_accounted_for(self, demo: VegetationDemo) -> None:
        scenes = pd.read_csv(demo.product / "scenes.csv")
        shares = scenes.filter(like="_share").sum(axis=1)
        assert len(scenes) == 24
        assert np.allclose(shares, 1, atol=1e-3)
        rows = ledger_of(demo)
        assert (rows["code"] == "superseded").sum() == 1  # the duplicate

    def test_the_archive_is_read_once(self, demo: VegetationDemo) -> None:
        """Each object of the archive is a source of one artifact only."""
        sources = [
            href
            for path in (demo.state / "store" / "gdal.observe").glob("*/result.json")
            for href in json.loads(path.read_text())["sources"]
        ]
        assert len(sources) == len(set(sources)) > 24 * 13 - 1


@pytest.mark.slow
class TestTruth:
    def test_seasons(self, demo: VegetationDemo) -> None:
        """Broad bars on a year of 24 dates; docs/productivity.md has the figures of larger archives."""
        found, true = season(demo), true_season(demo)
        seen = (found["quality"] > NODATA) & (true["start_day"] > NODATA)
        both = seen & (found["start_day"] > NODATA)
        assert both.sum() / seen.sum() > 0.75
        for name in ("start_day", "peak_day", "end_day"):
            assert np.median(np.abs(found[name] - true[name])[both]) < 30, name
        relative = np.abs(found["integral"] / true["integral"] - 1)[both]
        assert np.median(relative) < 0.2

    def test_masks_find_the_clouds(self, demo: VegetationDemo) -> None:
        """Cloud against clear over all scenes; thin edges and cirrus are as hard as in docs/cloud_mask.md."""
        hit = missed = alarm = 0
        for path in (demo.state / "store" / "gdal.mask").glob("*/result.json"):
            result: dict[str, Any] = json.loads(path.read_text())["result"]
            with rasterio.open(demo.state / "store" / result["mask"]["href"].removeprefix("store:")) as source:
                mask = source.read(1)
            with rasterio.open(demo.truth / "scenes" / f"{result['scene_id']}.tif") as source:
                true = SCL_TO_SKY[source.read(1, out_shape=mask.shape)]
            seen = (true != Sky.NODATA) & (mask != Sky.NODATA)
            cloudy, called = np.isin(true, (2, 3)) & seen, np.isin(mask, (2, 3)) & seen
            hit, missed = hit + int((cloudy & called).sum()), missed + int((cloudy & ~called).sum())
            alarm += int((called & ~cloudy).sum())
        assert 2 * hit / (2 * hit + missed + alarm) > 0.75


@pytest.mark.slow
class TestAgain:
    def test_the_same_again_computes_nothing(self, demo: VegetationDemo) -> None:
        before = artifacts(demo)
        demo.run_again()
        assert artifacts(demo) == before
        assert set(ledger_of(demo)["status"]) <= {"reused", "skipped", "warning"}

    def test_a_new_scene_costs_itself_and_what_it_touches(self, demo: VegetationDemo, tmp_path: Path) -> None:
        """Taken out of the catalogue and put back, the last scene is all that is read again."""
        items = newest_folder(demo, "eodata.simulate") / "items.json"
        whole = json.loads(items.read_text())
        days = sorted({item["properties"]["datetime"] for item in whole["features"]})
        fewer = {**whole, "features": [it for it in whole["features"] if it["properties"]["datetime"] != days[-1]]}
        (tmp_path / "items.json").write_text(json.dumps(fewer))
        params = tmp_path / "params.yaml"
        text = (Path("deployments/parameters") / "vegetation_productivity.vegetation_tiny.yaml").read_text()
        params.write_text(text.replace("$CLEARGROUND_CATALOGUE", str(tmp_path / "items.json")))
        lines = (demo.state / "eodata.env").read_text().splitlines()
        variables = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        alone = VegetationDemo(
            demo.state, "", command=("run", "vegetation_productivity", str(params)), variables=variables
        )
        before = artifacts(demo)
        alone.run_again()
        (tmp_path / "items.json").write_text(json.dumps(whole))
        fewer_made = set(artifacts(demo)) - set(before)
        assert not [path for path in fewer_made if "gdal.observe" in path]
        alone.run_again()
        assert set(artifacts(demo)) == set(before) | fewer_made
