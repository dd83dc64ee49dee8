"""What a whole run over pastures leaves behind: product, truth, reuse, a new pasture, THEIA's products."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pystac
import pytest
import rasterio
import yaml

from tests.demo_run import ROOT, Demo, artifacts, ledger_of, newest_folder, remade
from tests.flows.conftest import exported

PROFILE = "pastures_tiny"
COMMAND = ("demo", "--flow", "pasture_types", "--profile", PROFILE)
PARAMETERS = ROOT / "deployments" / "parameters" / f"pasture_types.{PROFILE}.yaml"
PASTURES, DATES = 6, 14
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class PastureDemo(Demo):
    @property
    def product(self) -> Path:
        return self.state / "products" / "pasture-types-tiny"

    @property
    def truth(self) -> Path:
        return newest_folder(self, "eodata.simulate") / "truth"

    def maps(self) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        """Pasture, mapped types and true ones; empty outside the pasture."""
        names = {0: "other", **yaml.safe_load(PARAMETERS.read_text())["truth"]["names"]}
        classes = ["", *json.loads((self.product / "model" / "card.json").read_text())["classes"]]
        with rasterio.open(self.truth / "types_31TGK.tif") as true:
            for path in sorted((self.product / "rasters").glob("types-*.tif")):
                with rasterio.open(path) as mapped:
                    window = true.window(*mapped.bounds).round_offsets().round_lengths()
                    codes, known = mapped.read(1), true.read(1, window=window)
                types = np.array([*classes, *[""] * (256 - len(classes))])[codes]
                grows = np.array([names.get(code, "other") for code in range(256)])[known]
                yield path.stem.split("-")[1].upper(), types, np.where(codes == 0, "", grows)

    def run_with(self, folder: Path, **changes: Any) -> None:
        """The demonstration's job with other parameters, which must succeed."""
        params = folder / "params.yaml"
        params.write_text(yaml.safe_dump({**yaml.safe_load(PARAMETERS.read_text()), **changes}))
        finished = self.clearground("run", "pasture_types", str(params))
        assert finished.returncode == 0, finished.stdout[-3000:] + finished.stderr[-6000:]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PastureDemo]:
    waiting = PastureDemo(tmp_path_factory.mktemp("pastures") / "state", "", command=COMMAND)
    finished = waiting.clearground(*COMMAND)
    try:
        assert finished.returncode == 0, finished.stdout[-4000:] + finished.stderr[-6000:]
        done = PastureDemo(waiting.state, finished.stdout, command=COMMAND)
        yield PastureDemo(done.state, done.output, command=COMMAND, variables=exported(done))
    finally:
        waiting.clearground("down")


class TestProduct:
    def test_ends_with_a_table_and_places(self, demo: PastureDemo) -> None:
        for word in ("Simulated Alder pasture", "2022", " ha (", "Report", "Map", "Prefect UI"):
            assert word in demo.output

    def test_every_pasture_has_a_map_and_a_sheet(self, demo: PastureDemo) -> None:
        sheets = sorted((demo.product / "sheets").glob("*.html"))
        assert [path.stem for path in sheets] == [f"p{number:02}-2022" for number in range(1, PASTURES + 1)]
        assert all("SIMULATED DATA" in path.read_text() for path in sheets)
        report = (demo.product / "report.html").read_text()
        assert all(f"sheets/{path.name}" in report for path in sheets)

    def test_everything_is_catalogued_where_it_lies(self, demo: PastureDemo) -> None:
        catalogue = pystac.Catalog.from_file(str(demo.product / "stac" / "catalog.json"))
        items = {item.id.removeprefix("pasture-types-tiny-"): item for item in catalogue.get_items(recursive=True)}
        assert set(items) == {path.stem for path in (demo.product / "rasters").glob("*.tif")}
        for name, item in items.items():
            with rasterio.open(demo.product / "rasters" / f"{name}.tif") as raster:
                assert item.properties["proj:shape"] == list(raster.shape)
                assert item.properties["proj:bbox"] == pytest.approx(list(raster.bounds))

    def test_what_is_wrong_in_the_survey_is_told(self, demo: PastureDemo) -> None:
        codes = Counter(pd.read_csv(demo.product / "survey" / "notices.csv")["code"])
        assert codes["duplicate"] > 0
        assert codes["contradictory"] >= 2

    def test_the_ledger_has_no_failure(self, demo: PastureDemo) -> None:
        assert set(ledger_of(demo)["status"]) <= {"done", "reused", "warning", "skipped"}


class TestTruth:
    def test_the_map_is_better_than_the_commonest_type(self, demo: PastureDemo) -> None:
        mapped, grows = (np.concatenate([each[part][each[2] != ""] for each in demo.maps()]) for part in (1, 2))
        _, counts = np.unique(grows, return_counts=True)
        assert (mapped == grows).mean() > counts.max() / counts.sum() + 0.1

    def test_intervals_of_areas_hold_the_truth(self, demo: PastureDemo) -> None:
        figures = pd.read_csv(demo.product / "regional_data.csv")
        grows = {pasture: types for pasture, _, types in demo.maps()}
        named = figures[figures["type"] != "other types"]
        true = np.array([(grows[row.pasture_id] == row.type).sum() / 100 for row in named.itertuples()])
        assert (named["interval_basis"] == "stratified_sample").all()
        assert ((named["lower"] <= true) & (true <= named["upper"])).mean() > 0.85

    def test_the_calendar_holds_the_true_days(self, demo: PastureDemo) -> None:
        told = pd.read_csv(demo.product / "calendar.csv").dropna(subset=["lower", "upper"])
        true = pd.read_csv(demo.truth / "pasture_calendar.csv").melt(
            id_vars=["pasture_id", "year"], value_vars=["snow_free", "greening", "peak", "drying"], var_name="event"
        )
        both = told.merge(true, on=["pasture_id", "year", "event"])
        assert len(both) >= 2 * PASTURES
        assert both["value"].between(both["lower"], both["upper"]).mean() >= 0.8
        snow_free = both[both["event"] == "snow_free"]
        assert (snow_free["day"] - snow_free["value"]).abs().median() <= 8


class TestAgain:
    def test_the_same_again_computes_nothing(self, demo: PastureDemo) -> None:
        before = artifacts(demo)
        demo.run_again()
        assert remade(demo, before) == set()

    def test_a_new_pasture_computes_only_itself(self, demo: PastureDemo, tmp_path: Path) -> None:
        archive = demo.truth.parent
        known = geopandas.read_file(archive / "pastures.gpkg").to_crs(32631)
        added = known.iloc[[0]].assign(pasture_id="NEW", name="New pasture", geometry=known.iloc[[0]].buffer(-150))
        added.to_file(tmp_path / "added.geojson")
        paths = [*yaml.safe_load(PARAMETERS.read_text())["pastures"]["paths"], str(tmp_path / "added.geojson")]
        before = artifacts(demo)
        demo.run_with(tmp_path, pastures={"paths": paths, "name_field": "name"})
        steps = Counter(Path(path).parts[-3] for path in set(artifacts(demo)) - set(before))
        assert DATES - 3 <= steps["gdal.cut"] <= DATES, "a date that shows nothing of it makes none"
        assert steps["gdal.pasture_features"] == steps["tensorflow.map_types"] == steps["gdal.calendar"] == 1
        for shared in ("gdal.survey", "gdal.site_spectra", "gdal.site_dataset", "tensorflow.train_types"):
            assert steps[shared] == 0


class TestTheia:
    def test_zips_of_theia_are_mapped_like_products_of_the_archive(self, demo: PastureDemo, tmp_path: Path) -> None:
        """Three dates are too few for curves: medians of two halves of the season must do."""
        place = "$CLEARGROUND_ARCHIVE"
        demo.run_with(
            tmp_path,
            name="pasture-types-theia",
            reflectance={"source": "maja", "maja_folder": f"{place}/theia", "snow_folder": f"{place}/theia_snow"},
            features={"sets": ["medians"], "min_observations": 1, "periods": 2},
            truth={},
        )
        product = demo.state / "products" / "pasture-types-theia"
        card = json.loads((product / "model" / "card.json").read_text())
        assert (card["source"], card["simulated"]) == ("maja", True)
        slices = pd.read_csv(product / "survey" / "slices.csv")
        assert set(slices["source"]) == {"maja"}
        assert len(slices) == 3
        assert set(pd.read_csv(product / "regional_data.csv")["interval_basis"]) == {"none"}
