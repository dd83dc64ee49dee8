"""What a whole run from search to burned area leaves behind: choice, product, truth, reuse, stages."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas
import h5py
import numpy as np
import pandas as pd
import pystac
import pytest
import rasterio
import yaml

from containers.base.contract.legend import HIDING, REFLECTANCE_NODATA
from tests.demo_run import ROOT, Demo, artifacts, ledger_of, newest_folder, remade
from tests.flows.conftest import exported

PARAMETERS = ROOT / "deployments" / "parameters"
PROFILE = "cloud_removal_tiny"
COMMAND = ("demo", "--flow", "cloud_removal", "--profile", PROFILE)
FIRST, BEFORE, AFTER = "2020-05-29", "2020-06-03", "2020-07-05"


@dataclass(frozen=True)
class RemovalDemo(Demo):
    @property
    def product(self) -> Path:
        return self.state / "products" / "cloud-removal-tiny"

    @property
    def truth(self) -> Path:
        return newest_folder(self, "eodata.simulate") / "truth"

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.product / "documents" / name)

    def raster(self, name: str) -> np.ndarray:
        with rasterio.open(self.product / "rasters" / f"{name}.tif") as source:
            values: np.ndarray = source.read(1)
        return values


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemovalDemo]:
    waiting = RemovalDemo(tmp_path_factory.mktemp("removal") / "state", "", command=COMMAND)
    finished = waiting.clearground(*COMMAND)
    try:
        assert finished.returncode == 0, finished.stdout[-4000:] + finished.stderr[-6000:]
        yield RemovalDemo(waiting.state, finished.stdout, command=COMMAND)
    finally:
        waiting.clearground("down")


@pytest.mark.slow
class TestChoice:
    def test_every_scene_left_out_is_a_row_with_its_code(self, demo: RemovalDemo) -> None:
        rows = ledger_of(demo)
        codes = dict(zip(rows["subject"].str[:26], rows["code"], strict=True))
        assert codes["S1A_IW_GRDH_1SDV_20200530T"] == "missing_annotation"
        assert codes["S1A_IW_GRDH_1SDV_20200602T"] == "not_paired", "nearer in time, but of another track"
        assert codes["S2B_MSIL2A_20200529T101031"] in {"not_chosen", "too_hidden"}
        assert codes["S2B_MSIL2A_20200630T101031"] in {"not_chosen", "too_hidden"}

    def test_both_dates_have_one_track_and_the_second_both_slices(self, demo: RemovalDemo) -> None:
        report = (demo.product / "report.html").read_text()
        assert report.count("168 descending") == 2
        assert report.count("S1A_IW_GRDH_1SDV_20200705T") == 2


@pytest.mark.slow
class TestProduct:
    def test_ends_with_a_table_and_places(self, demo: RemovalDemo) -> None:
        for word in ("burned", "Whole area", "Report", "Map", "Prefect UI"):
            assert word in demo.output

    def test_what_was_seen_is_kept_and_what_was_hidden_is_predicted(self, demo: RemovalDemo) -> None:
        replaced, sky = demo.raster("replaced"), demo.raster("sky")
        assert (replaced[np.isin(sky, HIDING)] == 1).all()
        assert (replaced[sky == 1] == 0).all()
        for band in ("red", "swir22"):
            restored, simulated = demo.raster(f"restored-{band}"), demo.raster(f"simulated-{band}")
            assert (restored[replaced == 1] == simulated[replaced == 1]).all()
            assert (restored[replaced != 255] != REFLECTANCE_NODATA).all()

    def test_everything_is_catalogued(self, demo: RemovalDemo) -> None:
        catalogue = pystac.Catalog.from_file(str(demo.product / "stac" / "catalog.json"))
        names = {item.id.removeprefix("cloud-removal-tiny-") for item in catalogue.get_items(recursive=True)}
        assert {"restored-red", "simulated-red", "severity", "burned", "confidence", f"gamma0-vv-{BEFORE}"} <= names
        assert names == {path.stem for path in (demo.product / "rasters").glob("*.tif")}

    def test_perimeters_are_polygons_on_the_grid(self, demo: RemovalDemo) -> None:
        perimeters = geopandas.read_file(demo.product / "documents" / "perimeters.gpkg")
        assert perimeters.crs.to_epsg() == 32633
        assert perimeters["area_ha"].min() >= 0.5


@pytest.mark.slow
class TestTruth:
    def test_the_interval_holds_what_truly_burned(self, demo: RemovalDemo) -> None:
        whole = pd.read_csv(demo.product / "whole_area.csv").iloc[0]
        with rasterio.open(demo.truth / "fire.tif") as fire, rasterio.open(demo.product / "rasters/burned.tif") as grid:
            burned = fire.read(1, window=fire.window(*grid.bounds).round_offsets().round_lengths())
        true_ha = (burned == 1).sum() / 100
        assert whole["interval_basis"] == "stratified_sample"
        assert whole["lower"] <= true_ha <= whole["upper"]

    def test_at_least_half_of_the_scar_is_hidden(self, demo: RemovalDemo) -> None:
        assert demo.table("burn_scores.csv")["scar_hidden_share"].iloc[0] >= 0.5

    def test_the_true_image_tells_the_burn(self, demo: RemovalDemo) -> None:
        scores = demo.table("burn_scores_of_the_true_image.csv").set_index("where")
        assert scores.loc["hidden", "f1"] > 0.75

    def test_the_network_beats_the_copy_where_it_could_not_see(self, demo: RemovalDemo) -> None:
        """A training of seconds on a few dozen tiles; what a longer one gains is told in docs/cloud_removal.md."""
        hidden = demo.table("scores.csv").query("where == 'hidden'").set_index("method")
        assert hidden.loc["model", "mae"] < hidden.loc["t0_copy", "mae"]
        assert hidden.loc["model", "mae"] < hidden.loc["radar_only", "mae"]


@pytest.mark.slow
class TestAgain:
    def test_the_same_again_computes_nothing(self, demo: RemovalDemo) -> None:
        before = artifacts(demo)
        demo.run_again()
        assert remade(demo, before) == set()

    def test_a_stage_alone_says_where_its_files_are(self, demo: RemovalDemo, tmp_path: Path) -> None:
        variables = exported(demo)
        text = (PARAMETERS / f"cloud_removal.{PROFILE}.yaml").read_text()
        params = tmp_path / "params.yaml"
        params.write_text(yaml.safe_dump(yaml.safe_load(text)))
        staged = RemovalDemo(demo.state, "", variables=variables)
        for stage, expected in (
            ("pairs", "track 168 descending"),
            ("radar", "gamma0_vv.tif"),
            ("train", "kept.png"),
        ):
            finished = staged.clearground("run", "cloud_removal", str(params), "--until", stage)
            assert finished.returncode == 0, finished.stderr[-3000:]
            assert f"reached the stage {stage}" in finished.stdout
            assert expected in finished.stdout


@dataclass(frozen=True)
class ThreeDates(RemovalDemo):
    @property
    def product(self) -> Path:
        return self.state / "products" / "cloud-removal-three-dates"


@pytest.fixture(scope="module")
def three_dates(demo: RemovalDemo, tmp_path_factory: pytest.TempPathFactory) -> ThreeDates:
    """The shipped parameters with a training of two epochs, after the run of two dates, in its store."""
    values = yaml.safe_load((PARAMETERS / "cloud_removal.three_dates.yaml").read_text())
    values["learning"]["overrides"]["training"]["epochs"] = 2
    params = tmp_path_factory.mktemp("three_dates") / "params.yaml"
    params.write_text(yaml.safe_dump(values))
    waiting = ThreeDates(demo.state, "", variables=exported(demo))
    finished = waiting.clearground("run", "cloud_removal", str(params))
    assert finished.returncode == 0, finished.stdout[-3000:] + finished.stderr[-5000:]
    return waiting


@pytest.mark.slow
class TestThreeDates:
    def test_each_date_has_a_pass_of_its_own_on_one_track(self, three_dates: ThreeDates) -> None:
        report = (three_dates.product / "report.html").read_text()
        rows = re.findall(r'<tr><th scope="row">(2020-0[\d-]+)</th><td>S2.*?(S1[AB])_\w+_(\d{8})T.*?</tr>', report)
        assert rows == [(FIRST, "S1B", "20200524"), (BEFORE, "S1B", "20200605"), (AFTER, "S1A", "20200705")]
        assert report.count("168 descending") == 3

    def test_both_pairs_are_learnt_from_and_the_last_date_is_rebuilt(self, three_dates: ThreeDates) -> None:
        tiles = geopandas.read_file(three_dates.product / "documents" / "tiles.gpkg")
        learnt = tiles[tiles["part"] == "train"].groupby("pair").size()
        assert set(learnt.index) == {f"{FIRST}_{BEFORE}", f"{BEFORE}_{AFTER}"}
        with h5py.File(newest_folder(three_dates, "gdal.dataset") / "dataset.h5") as dataset:
            pairs = dataset["train/pairs"].asstr()[:]
        assert {name: (pairs == name).sum() for name in learnt.index} == learnt.to_dict()
        card = json.loads((three_dates.product / "model" / "card.json").read_text())
        assert card["tiles"]["train"] == learnt.sum()
        names = {path.stem for path in (three_dates.product / "rasters").glob("*.tif")}
        assert {f"gamma0-vv-{BEFORE}", f"gamma0-vv-{AFTER}"} <= names
        assert (three_dates.raster("restored-red")[three_dates.raster("replaced") != 255] != REFLECTANCE_NODATA).all()

    def test_what_the_two_dates_have_made_is_reused(self, three_dates: ThreeDates) -> None:
        rows = ledger_of(three_dates)
        radar = rows[rows["subject"].str.startswith("backscatter ") & rows["status"].isin(("done", "reused"))]
        assert dict(zip(radar["subject"], radar["status"], strict=True)) == {
            "backscatter S1B 2020-05-24": "done",
            "backscatter S1B 2020-06-05": "reused",
            "backscatter S1A 2020-07-05": "reused",
        }
