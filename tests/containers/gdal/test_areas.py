"""Areas from a hand-made sample by hand, from a drawn sample against the truth, and every refusal."""

import csv
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.raster import write_cog
from containers.gdal.areas import run
from containers.gdal.contract.areas import AreasParams, SampleParams
from containers.gdal.gamma_interval import mid_p_interval
from containers.gdal.sample import run as draw_sample

COUNTS = """region_id,region_name,period,indicator,cells,unknown_cells,total_cells
XX,Xland,2019,new_impervious,40,10,500
YY,Yland,2019,new_impervious,10,0,100
XX,Xland,2019,impervious,100,5,500
XX,Xland,2019,brightness,77,0,500
ALL,all,2019,new_impervious,60,20,1020
"""
STRATA = """stratum,cells,area_ha,points
unknown,20,0.8,0
stable_green,940,37.6,40
new_impervious_2019,60,2.4,20
"""


def sample_text(*, with_map=True):
    """40 points mapped green, 2 of them missed sealing; 20 mapped sealed, 4 of them not. Half lie in XX, 3 in YY."""
    header = "point_id,x_m,y_m,stratum,inclusion_probability,region_id,2018,2019" + (",map_2018,map_2019" * with_map)
    lines = [header]
    for n in range(60):
        stable = n < 40
        stratum, probability = ("stable_green", 40 / 940) if stable else ("new_impervious_2019", 20 / 60)
        later = (1 if n < 2 else 2) if stable else (2 if n < 44 else 1)
        region = "XX;X1" if n % 2 == 0 else ("YY" if n in (1, 3, 45) else "")
        mapped = f",2,{2 if stable else 1}" if with_map else ""
        lines.append(f"{n + 1},0,0,{stratum},{probability},{region},2,{later}{mapped}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def areas_store(tmp_path, monkeypatch):
    store = tmp_path / "store"
    store.mkdir()
    monkeypatch.setenv("CLEARGROUND_STORE", str(store))
    return store


@pytest.fixture
def stored_text(areas_store):
    def store(name, text):
        (areas_store / name).write_text(text)
        return output_file(areas_store / name).model_copy(update={"href": f"store:{name}"})

    return store


@pytest.fixture
def estimated(stored_text, tmp_path):
    def estimate(*, counts=COUNTS, sample=None, strata=STRATA):
        params = AreasParams(
            counts=stored_text("counts.csv", counts),
            cell_area_ha=0.04,
            sample=stored_text("sample.csv", sample_text() if sample is None else sample),
            strata=stored_text("strata.csv", strata),
        )
        result = run(params, tmp_path)
        return result, by_key(tmp_path / "estimates.csv", "region_id", "indicator")

    return estimate


def by_key(path: Path, *columns):
    with path.open() as stream:
        return {tuple(row[column] for column in columns): row for row in csv.DictReader(stream)}


def test_without_a_sample_there_are_counts_and_no_interval(stored_text, tmp_path):
    result = run(AreasParams(counts=stored_text("counts.csv", COUNTS), cell_area_ha=0.04), tmp_path)
    row = by_key(tmp_path / result.estimates.href, "region_id", "indicator")["XX", "new_impervious"]
    assert row == {
        "region_id": "XX", "period": "2019", "indicator": "new_impervious", "value": "1.6", "lower": "", "upper": "",
        "standard_error": "", "unit": "ha", "interval_basis": "none", "pixel_count_ha": "1.6", "unknown_share": "0.02",
        "n_points": "0", "n_change_points": "0",
    }  # fmt: skip
    assert result.accuracy is None


def test_the_whole_area_by_hand(estimated):
    _, rows = estimated()
    row = rows["ALL", "new_impervious"]
    assert float(row["value"]) == pytest.approx(0.04 * (940 * 2 / 40 + 60 * 16 / 20), abs=1e-5)
    stable = 940**2 * (1 - 40 / 940) * 0.05 * 0.95 / 39
    change = 60**2 * (1 - 20 / 60) * 0.2 * 0.8 / 19
    error = 0.04 * (stable + change) ** 0.5
    assert float(row["standard_error"]) == pytest.approx(error, abs=1e-5)
    missed_low, missed_high = mid_p_interval(47.0, stable, 940 / 40 - 1, 0.95)
    wrong_low, wrong_high = mid_p_interval(12.0, change, 60 / 20 - 1, 0.95)
    above, below = np.hypot(missed_high - 47, 12 - wrong_low), np.hypot(47 - missed_low, wrong_high - 12)
    assert float(row["upper"]) == pytest.approx(float(row["value"]) + 0.04 * above, abs=1e-4)
    assert float(row["lower"]) == pytest.approx(float(row["value"]) - 0.04 * below, abs=1e-4)
    assert (row["n_points"], row["n_change_points"], row["pixel_count_ha"]) == ("60", "18", "2.4")


def test_a_region_is_its_mapped_cells_corrected_by_the_errors_inside(estimated):
    _, rows = estimated()
    row = rows["XX", "new_impervious"]
    # Even rows: one sealing missed among the 40 green points, two false among the 20 of mapped sealing.
    assert float(row["value"]) == pytest.approx(0.04 * (40 + 940 * 1 / 40 - 60 * 2 / 20), abs=1e-5)
    assert row["interval_basis"] == "stratified_sample"
    assert 0 <= float(row["lower"]) < float(row["value"]) < float(row["upper"])
    assert (row["n_points"], row["pixel_count_ha"]) == ("30", "1.6")


def test_few_points_or_no_known_indicator_keep_the_count_without_interval(estimated):
    _, rows = estimated()
    few = rows["YY", "new_impervious"]
    assert (few["value"], few["interval_basis"], few["n_points"], few["n_change_points"]) == ("0.4", "none", "3", "2")
    assert rows["XX", "brightness"]["interval_basis"] == "none"


def test_without_mapped_classes_areas_rest_on_the_points_and_it_is_said(estimated):
    result, rows = estimated(sample=sample_text(with_map=False))
    assert float(rows["XX", "new_impervious"]["value"]) == pytest.approx(0.04 * (940 * 1 / 40 + 60 * 8 / 20), abs=1e-5)
    assert result.accuracy is None
    assert [warning.code for warning in result.warnings] == ["no_mapped_classes"]


def test_accuracies_by_hand(estimated, tmp_path):
    result, _ = estimated()
    rows = by_key(tmp_path / result.accuracy.href, "period", "measure", "class")
    sealed, false, missed = 60 * 16 / 20, 60 * 4 / 20, 940 * 2 / 40
    for key, expected in {
        ("2018", "overall", "all"): 1.0,
        ("2019", "overall", "all"): 1 - (false + missed) / 1000,
        ("2019", "users", "new_impervious"): 0.8,
        ("2019", "producers", "new_impervious"): sealed / (sealed + missed),
        ("2019", "users", "green"): 0.95,
        ("2019", "producers", "green"): (940 - missed) / (940 - missed + false),
    }.items():
        assert float(rows[key]["value"]) == pytest.approx(expected, abs=1e-6)
        assert float(rows[key]["lower"]) <= float(rows[key]["value"]) <= float(rows[key]["upper"]) <= 1
    assert rows["2019", "users", "new_impervious"]["n_points"] == "20"
    assert rows["2019", "users", "other"]["value"] == ""
    assert ("2018", "users", "new_impervious") not in rows


def dropped(text, column):
    rows = [line.split(",") for line in text.splitlines()]
    position = rows[0].index(column)
    return "".join(",".join(row[:position] + row[position + 1 :]) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sample": sample_text().replace(",2,1,2,1", ",2,9,2,1")}, "column 2019 holds what is no class"),
        ({"sample": sample_text().replace(",2,1,2,1", ",2,,2,1")}, "row 45: ''"),
        ({"sample": "\n".join(sample_text().splitlines()[:42])}, "stratum new_impervious_2019 has 1 points"),
        ({"sample": "\n".join(sample_text().splitlines()[:41])}, "stratum new_impervious_2019 has 0 points"),
        ({"sample": dropped(sample_text(), "stratum")}, "has no column ['stratum']"),
        ({"sample": sample_text().splitlines()[0]}, "has no rows"),
        ({"strata": STRATA.replace("940", "930").replace("20,0.8", "30,0.8")}, "states the inclusion probability"),
        ({"strata": STRATA.replace("new_impervious_2019", "something")}, "strata that the strata table does not have"),
        ({"strata": STRATA.replace("60,2.4", "19,2.4")}, "20 points in 19 cells"),
        ({"counts": COUNTS.replace("20,1020", "20,1021")}, "hold 1020 cells (unknown included), the map 1021"),
        ({"counts": COUNTS.replace("new_impervious,60", "new_impervious,59")}, "holds 60 cells, the map 59"),
        ({"counts": COUNTS.replace("2019", "2021")}, "no class for the period 2021, only for ['2018', '2019']"),
        ({"counts": COUNTS.replace("2019", "2018")}, "new_impervious of 2018 needs the period before"),
    ],
    ids=[
        "unknown code", "blank class", "one point", "no point", "no stratum column", "empty", "wrong probability",
        "unknown stratum", "more points than cells", "another grid", "another map", "period missing", "first period",
    ],
)  # fmt: skip
def test_samples_that_would_give_wrong_areas_are_refused(change, words, estimated):
    with pytest.raises(StepError) as raised:
        estimated(**change)
    assert raised.value.code == "bad_sample"
    assert words in raised.value.reason
    assert "gdal.sample" in raised.value.hint


def test_a_drawn_sample_corrects_a_biased_map_per_region(areas_store, stored_text, tmp_path):
    grid = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=400, height=300)
    rng = np.random.default_rng(8)
    truth = np.full((2, *grid.shape), 2, "uint8")
    truth[1, 50:90, 20:380] = 1
    mapped = truth.copy()
    mapped[1, 50:70, 20:300] = np.where(rng.random((20, 280)) < 0.4, 2, 1)
    mapped[1, 95:97, :] = 1
    files = {
        name: output_file(write_cog(areas_store / f"{name}.tif", array, grid, nodata=0)).model_copy(
            update={"href": f"store:{name}.tif"}
        )
        for name, array in {"2018": mapped[0], "2019": mapped[1], "t2018": truth[0], "t2019": truth[1]}.items()
    }
    west, south, _, north = grid.bounds
    half = shapely.box(west, south, west + 4000, north)
    gpd.GeoDataFrame({"region_id": ["W"]}, geometry=[half], crs=3035).to_file(areas_store / "r.gpkg", driver="GPKG")
    regions = output_file(areas_store / "r.gpkg").model_copy(update={"href": "store:r.gpkg"})
    drawn = draw_sample(
        SampleParams(
            classes={"2018": files["2018"], "2019": files["2019"]},
            reference={"2018": files["t2018"], "2019": files["t2019"]},
            regions=regions,
            points=1500,
            seed=1,
        ),
        areas_store,
    )
    stored = {
        name: getattr(drawn, name).model_copy(update={"href": f"store:{name}.csv"}) for name in ("sample", "strata")
    }
    counted = {"ALL": mapped[1] == 1, "W": (mapped[1] == 1)[:, :200]}
    lines = [f"{n},{n},2019,new_impervious,{c.sum()},0,{c.size}" for n, c in counted.items()]
    counts = stored_text("counts.csv", COUNTS.splitlines()[0] + "\n" + "\n".join(lines) + "\n")
    run(AreasParams(counts=counts, cell_area_ha=grid.cell_area_ha, confidence=0.999, **stored), tmp_path)
    rows = by_key(tmp_path / "estimates.csv", "region_id")
    for (region,), row in rows.items():
        true_ha = (truth[1] == 1)[:, : 200 if region == "W" else 400].sum() * 0.04
        assert abs(float(row["pixel_count_ha"]) - true_ha) > 15
        assert float(row["lower"]) <= true_ha <= float(row["upper"])
        assert float(row["upper"]) - float(row["lower"]) < 0.5 * true_ha
