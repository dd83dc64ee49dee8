"""Training and judging of classifiers of vegetation types on small tables."""

import csv
import json

import keras
import numpy as np
import pytest

from containers.base.contract.step import StepError
from containers.tensorflow import type_classifiers, type_importance
from containers.tensorflow.contract.types import TrainTypesParams
from containers.tensorflow.train_types import run
from containers.tensorflow.type_classifiers import Asked, candidates
from containers.tensorflow.type_folds import folds_of, temperature_of, tempered
from containers.tensorflow.type_names import blocks_of
from containers.tensorflow.type_network import TemporalNetwork, network_probabilities, series_shape
from tests.containers.tensorflow.site_tables import NAMES, RECIPE, TYPES, site_columns, write_sites


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch):
    monkeypatch.setattr(type_classifiers, "_TREES", 25)
    monkeypatch.setattr(type_importance, "_REPEATS", 2)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("CLEARGROUND_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


def trained(store, tmp_path, columns=None, name="out", **more):
    given = {"folds": 3, "tuned": False, "recipe": RECIPE} | more
    out = tmp_path / name
    out.mkdir()
    features = write_sites(store, site_columns() if columns is None else columns)
    return run(TrainTypesParams(features=features, **given), out), out


def rows_of(path):
    with path.open() as stream:
        return list(csv.DictReader(stream))


def test_a_training_is_told_whole_and_twice_the_same(store, tmp_path) -> None:
    result, out = trained(store, tmp_path, tuned=True, min_sites=5)
    again, _ = trained(store, tmp_path, name="again", tuned=True, min_sites=5)
    assert result == again
    card = json.loads((out / "card.json").read_text())
    assert (card["classes"], card["names"], card["source"]) == (list(TYPES), list(NAMES), "maja")
    assert card["domain"]["sites"] == dict.fromkeys(TYPES, 24)
    metrics = {(row["name"], row["class"]): row for row in rows_of(out / "metrics.csv")}
    ours = metrics["overall_accuracy", ""]
    assert float(ours["lower"]) <= float(ours["value"]) <= float(ours["upper"])
    assert float(ours["value"]) > 0.7
    assert float(metrics["majority_overall_accuracy", ""]["value"]) == pytest.approx(1 / 3, abs=0.1)
    assert float(metrics["coverage_0.2", ""]["value"]) == 1
    assert float(metrics["support", "NAR"]["value"]) == 24
    gain = float(metrics["gain_macro_f1", ""]["value"])
    difference = float(metrics["macro_f1", ""]["value"]) - float(metrics["plain_macro_f1", ""]["value"])
    assert gain == pytest.approx(difference, abs=1e-5)
    predictions = rows_of(out / "predictions.csv")
    right = np.mean([row["class"] == row["predicted"] for row in predictions])
    assert right == pytest.approx(float(ours["value"]), abs=1e-5)
    assert len({(row["group"], row["fold"]) for row in predictions}) == len({row["group"] for row in predictions})
    assert sum(int(row["sites"]) for row in rows_of(out / "confusion.csv")) == 72
    assert {"set curves", "curves ndvi", "curves ndmi"} == {row["feature"] for row in rows_of(out / "importance.csv")}
    assert [float(row["groups"]) for row in rows_of(out / "learning.csv")] == sorted(
        float(row["groups"]) for row in rows_of(out / "learning.csv")
    )


@pytest.mark.parametrize("classifier", ["random_forest", "gradient_boosting"])
def test_other_classifiers_stand_behind_the_same_step(classifier, store, tmp_path) -> None:
    columns = site_columns(groups=6, sites=12)
    result, out = trained(store, tmp_path, columns, classifier=classifier)
    assert result.model.model.href == "model.skops"
    metrics = {row["name"]: float(row["value"]) for row in rows_of(out / "metrics.csv") if not row["class"]}
    assert metrics["overall_accuracy"] > 0.6


def test_a_temporal_network_learns_curves_and_is_read_as_it_was_written(tmp_path) -> None:
    columns = site_columns(groups=8, sites=12)
    values = np.column_stack([columns[name] for name in NAMES])
    types = np.unique(columns["class_code"], return_inverse=True)[1]
    network = TemporalNetwork(series_shape(NAMES), seed=1, epochs=25).fit(values[:72], types[:72])
    found = network.predict_proba(values[72:])
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found.argmax(axis=1) == types[72:]).mean() > 0.6
    network.model_.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_allclose(network_probabilities(again, values[72:]), found, rtol=1e-5)


def test_no_group_is_on_both_sides_and_every_site_is_judged_once() -> None:
    rng = np.random.default_rng(0)
    types, groups = rng.integers(0, 3, 80), rng.integers(0, 9, 80)
    judged = np.zeros(80, int)
    for train, test in folds_of(types, groups, 4, seed=1):
        assert not set(groups[train]) & set(groups[test])
        judged[test] += 1
    assert (judged == 1).all()


def test_groups_hold_back_what_a_random_split_would_leak(store, tmp_path) -> None:
    """Features that know the pasture only: types follow the pastures, and unseen pastures cannot be told."""
    columns = site_columns(groups=9, sites=8, noise=0.1)
    number = np.array([int(group[1:]) for group in columns["group"]])
    columns["class_code"] = np.array(TYPES)[number % 3]
    rng = np.random.default_rng(5)
    marks = rng.normal(size=(9, len(NAMES)))
    for column, name in enumerate(NAMES):
        columns[name] = (marks[number, column] + 0.01 * rng.normal(size=72)).astype(np.float32)
    _, out = trained(store, tmp_path, columns)
    metrics = {row["name"]: float(row["value"]) for row in rows_of(out / "metrics.csv") if not row["class"]}
    assert metrics["overall_accuracy"] < 0.7


def test_temperature_makes_boasting_honest_and_keeps_the_order() -> None:
    rng = np.random.default_rng(0)
    types = rng.integers(0, 2, 400)
    said = np.where(rng.random(400) < 0.7, types, 1 - types)
    boast = np.where(np.eye(2)[said] > 0, 0.99, 0.01)
    temperature = temperature_of(boast, types)
    honest = tempered(boast, temperature)
    assert honest.max(axis=1).mean() == pytest.approx((said == types).mean(), abs=0.03)
    assert (honest.argmax(axis=1) == said).all()


def test_grouped_codes_and_left_out_types_are_counted(store, tmp_path) -> None:
    columns = site_columns(groups=6, sites=12)
    codes = np.array(columns["class_code"], dtype=object)
    codes[:3] = ["", "NA", "HUM"]
    columns["class_code"] = codes.astype(str)
    result, out = trained(store, tmp_path, columns, grouping={"NAR": "SUB"})
    assert json.loads((out / "card.json").read_text())["classes"] == ["ALP", "SUB"]
    assert result.left_out == {"no type": 2, "HUM: fewer than 10 sites": 1}


def lonely(columns):
    columns["class_code"] = np.where(np.array(columns["group"]) == "P00", "LAND", columns["class_code"])
    return columns


def test_a_type_of_one_group_cannot_be_judged(store, tmp_path) -> None:
    columns = lonely(site_columns(groups=6, sites=12))
    result, _ = trained(store, tmp_path, columns)
    assert result.left_out == {"LAND: in one group only": 12}


def few_groups(columns):
    return columns, {"folds": 9}, "bad_sample", "8 groups cannot be dealt to 9 folds"


def one_type(columns):
    return columns | {"class_code": ["SUB"] * 72}, {}, "bad_sample", "fewer than two types"


def gaps(columns):
    column = columns["ndvi 06-01"].copy()
    column[3] = np.nan
    return columns | {"ndvi 06-01": column}, {}, "bad_sample", "gaps in ndvi 06-01"


def mixed(columns):
    return columns | {"source": ["maja"] * 36 + ["esa"] * 36}, {}, "bad_sample", "esa, maja"


def unknown_code(columns):
    return columns, {"grouping": {"XXX": "SUB"}}, "bad_config", "XXX"


def other_recipe(columns):
    return columns, {"recipe": "{}"}, "bad_config", "recipe"


def without_plain(columns):
    return {name: column for name, column in columns.items() if not name.startswith("plain")}, {}, "bad_sample", "plain"


def no_table(columns):
    return {"site_id": ["a"]}, {}, "bad_sample", "no table"


@pytest.mark.parametrize(
    "case", [few_groups, one_type, gaps, mixed, unknown_code, other_recipe, without_plain, no_table]
)
def test_refusals_name_the_values(case, store, tmp_path) -> None:
    columns, more, code, reason = case(site_columns())
    with pytest.raises(StepError, match=reason) as caught:
        trained(store, tmp_path, columns, **more)
    assert caught.value.code == code
    assert not list((tmp_path / "out").glob("model*"))


def test_a_network_needs_curves() -> None:
    with pytest.raises(StepError, match="no curve") as caught:
        candidates("temporal_network", Asked(("season peak",), 0), tuned=False)
    assert caught.value.code == "bad_config"


def test_blocks_of_features() -> None:
    names = ("ndvi 05-01", "ndvi 06-01", "red 05-01", "red median 1", "season peak", "height_m")
    blocks = {name: columns.tolist() for name, columns in blocks_of(names).items()}
    assert blocks == {
        "set curves": [0, 1], "curves ndvi": [0, 1], "set bands": [2], "bands red": [2], "set medians": [3],
        "medians red": [3], "set season": [4], "season peak": [4], "set terrain": [5], "height_m": [5],
    }  # fmt: skip
