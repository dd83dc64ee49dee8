"""Training on detectors of known skill, its measures against scikit-learn's, and tables that must be refused."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from containers.base.contract.step import StepError
from containers.gdal import train_mask
from containers.gdal.contract.mask import COMPONENTS
from containers.gdal.contract.mask_model import TrainMaskParams, TrainMaskResult
from containers.gdal.mask_forest import cloud_probability, read_model
from containers.gdal.pixel_table import read_pixels, write_pixels
from containers.gdal.train_mask import collapse, fit, split_by_date
from tests.containers.gdal.labelled_pixels import labelled_pixels

Train = Callable[..., tuple[TrainMaskResult, Path]]


@pytest.fixture
def train(raster_store: Any) -> Train:
    def call(table: pd.DataFrame, *, suffix: str = ".parquet", **options: Any) -> tuple[TrainMaskResult, Path]:
        source = raster_store.folder("user") / f"pixels{suffix}"
        table.to_csv(source, index=False) if suffix == ".csv" else table.to_parquet(source)
        out = raster_store.folder("gdal.train_mask")
        params = TrainMaskParams(table=raster_store.file(source), trees=20, **options)
        return train_mask.run(params, out), out

    return call


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def value(rows: list[dict[str, str]], **wanted: str) -> float:
    found = [row for row in rows if all(row[name] == text for name, text in wanted.items())]
    assert len(found) == 1, found
    return float(found[0]["value"])


def test_table_answers_as_the_forest_does() -> None:
    pixels = labelled_pixels()
    forest = fit(pixels, trees=500, seed=0, threads=2)
    every_cell = np.indices((2,) * 5).reshape(5, -1).T
    assert collapse(forest) == pytest.approx(forest.predict_proba(every_cell)[:, 1], abs=1e-8)


def test_measures_are_those_of_scikit_learn(train: Train) -> None:
    """On the scenes that the model says it was not trained on, pixel by pixel."""
    pixels = labelled_pixels()
    _, out = train(pixels)
    model, rows = read_model(out / "model.json"), rows_of(out)
    test = pixels[pixels["scene_id"].isin(model.split.test)]
    cloud = test["cloud"].to_numpy()
    probability = cloud_probability(test[list(COMPONENTS)].to_numpy().T[:, :, np.newaxis], model)[:, 0]
    scores = {"forest": probability, **{name: test[name].to_numpy() for name in COMPONENTS}}
    for name, score in scores.items():
        auc = value(rows, split="test", classifier=name, measure="auc")
        assert auc == pytest.approx(metrics.roc_auc_score(cloud, score), abs=1e-6)
        for cutoff in ("0.29", "0.5") if name == "forest" else ("0.5",):
            called = score > float(cutoff)
            expected = {
                "accuracy": metrics.accuracy_score(cloud, called),
                "precision": metrics.precision_score(cloud, called),
                "recall": metrics.recall_score(cloud, called),
                "f1": metrics.f1_score(cloud, called),
            }
            of = {"split": "test", "classifier": name, "cutoff": cutoff, "label": "all"}
            found = {measure: value(rows, **of, measure=measure) for measure in expected}
            assert found == pytest.approx(expected, abs=1e-6)
    assert model.metrics["f1"] == value(
        rows, split="test", classifier="forest", cutoff="0.29", label="all", measure="f1"
    )


def test_forest_is_better_than_each_component_and_snow_is_the_hardest(train: Train) -> None:
    _, out = train(labelled_pixels(scenes=24))
    rows = rows_of(out)
    of = {"split": "test", "cutoff": "0.5", "label": "all", "measure": "f1"}
    forest = value(rows, classifier="forest", **of)
    assert forest > max(value(rows, classifier=name, **of) for name in COMPONENTS) + 0.01
    alarms = {
        label: value(rows, split="test", classifier="tree2", cutoff="0.5", label=label, measure="called_cloud")
        for label in ("snow", "clear/water", "clear/bright")
    }
    assert alarms["snow"] > 2 * max(alarms["clear/water"], alarms["clear/bright"])


def test_intervals_hold_the_value_and_shrink_with_scenes(train: Train) -> None:
    widths = []
    for scenes in (10, 60):
        _, out = train(labelled_pixels(scenes=scenes))
        row = next(r for r in rows_of(out) if (r["split"], r["classifier"], r["measure"]) == ("test", "tree3", "f1"))
        low, middle, high = (float(row[name]) for name in ("lower", "value", "upper"))
        assert low < middle < high
        widths.append(high - low)
    assert widths[1] < 0.7 * widths[0]


def test_no_date_is_on_both_sides() -> None:
    """A twin of another processing, and a neighbour tile of the same overpass, go where their date goes."""
    pixels = labelled_pixels(scenes=10)
    pixels["acquired"] = pd.to_datetime(pixels["acquired"], utc=True, format="ISO8601")
    pixels["simulated"] = True
    twins = pixels.assign(scene_id=pixels["scene_id"] + "-twin", acquired=pixels["acquired"] + pd.Timedelta("9s"))
    split = split_by_date(pd.concat([pixels, twins], ignore_index=True), 0.3, seed=3)
    dates = [set(part["acquired"].dt.date) for part in split]
    assert dates[0].isdisjoint(dates[1])
    assert len(dates[1]) == 3
    assert split.test["scene_id"].nunique() == 6


def test_same_bytes_whatever_the_threads(train: Train) -> None:
    pixels = labelled_pixels()
    models = [train(pixels, execution={"threads": threads})[1] / "model.json" for threads in (1, 2)]
    assert models[0].read_bytes() == models[1].read_bytes()


def test_csv_and_parquet_are_the_same_table(train: Train, tmp_path: Path) -> None:
    """Also with a baseline such as 02.10, which a reader may take for a number, and with texts stored once."""
    pixels = labelled_pixels(scenes=2).assign(baseline="02.10", tile="33UUP")
    pixels.to_csv(tmp_path / "pixels.csv", index=False)
    write_pixels(pixels, tmp_path / "pixels.parquet")
    found = [read_pixels(tmp_path / f"pixels{suffix}") for suffix in (".csv", ".parquet")]
    for name in pixels:
        assert list(found[0][name]) == list(found[1][name])
    assert set(found[0]["baseline"]) == {"02.10"}
    _, out = train(labelled_pixels(), suffix=".csv")
    assert read_model(out / "model.json").training_domain.surfaces == ("clear/bright", "clear/water", "snow")


def test_components_that_nobody_knows_are_left_out_and_that_is_said(train: Train) -> None:
    """As for L2A, which has no cirrus band for the trees."""
    blind = dict.fromkeys(("tree1", "tree2", "tree3"), 255)
    result, out = train(labelled_pixels().assign(level="L2A", **blind))
    assert [warning.code for warning in result.warnings] == ["component_unknown"]
    model = read_model(out / "model.json")
    known = np.array([255, 255, 255, 1, 1], np.uint8).reshape(5, 1, 1)
    assert cloud_probability(known, model).item() == pytest.approx(model.probabilities[3], abs=1e-6)
    assert model.training_domain.level == "L2A"


def test_pixels_without_backgrounds_are_left_out_of_the_fit(train: Train) -> None:
    pixels = labelled_pixels()
    pixels.loc[pixels.index % 10 == 0, "percentile5"] = 255
    result, out = train(pixels)
    assert [warning.code for warning in result.warnings] == ["pixels_left_out"]
    model = read_model(out / "model.json")
    trained = pixels[pixels["scene_id"].isin(model.split.train)]
    assert sum(model.pixels) == (trained["percentile5"] != 255).sum()


def test_figures_are_pictures(train: Train) -> None:
    result, out = train(labelled_pixels())
    assert set(result.figures) == {"roc", "precision_recall"}
    for file in result.figures.values():
        assert (out / file.href).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda table: table.drop(columns=["tree2", "label"]), r"lacks the columns \['label', 'tree2'\]"),
        (lambda table: table.assign(tree1=7), "tree1 holds .7. in 4800 rows; it may hold 0, 1, 255"),
        (lambda table: table.assign(cloud=255), "cloud holds .255."),
        (lambda table: table.assign(tile=None), "empty cells in .'tile'."),
        (lambda table: table.assign(cloud=1), "scenes show cloud only"),
        (lambda table: table[table["scene_id"] < "scene-03"], "3 dates; 5 are the least"),
        (lambda table: table.iloc[:0], "has no row"),
        (lambda table: table.assign(level=["L1C", "L2A"] * (len(table) // 2)), "level differs"),
        (lambda table: table.assign(acquired="yesterday"), "acquired is not a time"),
        (lambda table: table.assign(simulated="perhaps"), "simulated holds"),
        (lambda table: table.assign(**dict.fromkeys(COMPONENTS, 255)), "have all components"),
    ],
)
def test_unfit_tables_are_refused(change: Callable[[pd.DataFrame], pd.DataFrame], reason: str, train: Train) -> None:
    with pytest.raises(StepError, match=reason) as caught:
        train(change(labelled_pixels()))
    assert caught.value.code == "bad_labels"
    assert caught.value.hint


def test_a_file_that_is_no_table_is_refused(raster_store: Any) -> None:
    path = raster_store.folder("user") / "pixels.parquet"
    path.write_bytes(b"PAR1 not really")
    with pytest.raises(StepError, match="no table") as caught:
        train_mask.run(TrainMaskParams(table=raster_store.file(path)), path.parent)
    assert caught.value.code == "bad_labels"
