"""Use of a trained classifier: what it says, and what it refuses."""

import csv
import json
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from containers.base.contract.step import StepError
from containers.tensorflow.contract.types import PredictTypesParams, TrainTypesParams, TypesModel
from containers.tensorflow.predict_types import run
from containers.tensorflow.train_types import run as train
from containers.tensorflow.type_model import read_trained
from tests.containers.tensorflow.site_tables import NAMES, RECIPE, TYPES, site_columns, stored, write_sites


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def folder(root):
    """Where a small model lies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEARGROUND_STORE", str(root))
        out = root / "tensorflow.train_types" / "0" / "1"
        out.mkdir(parents=True)
        features = write_sites(root, site_columns())
        train(TrainTypesParams(features=features, folds=2, tuned=False, recipe=RECIPE, trust=0.5), out)
    return out


@pytest.fixture
def model(root, folder, monkeypatch):
    monkeypatch.setenv("CLEARGROUND_STORE", str(root))
    return TypesModel(model=stored(root, folder / "model.skops"), card=stored(root, folder / "card.json"))


def with_card(root, folder, model, **changes):
    path = folder / f"{'_'.join(changes)}.json"
    path.write_text(json.dumps(json.loads((folder / "card.json").read_text()) | changes))
    return model.model_copy(update={"card": stored(root, path)})


def test_unseen_sites_are_told_and_doubtful_ones_are_not_named(root, model, tmp_path) -> None:
    columns = site_columns(seed=7)
    result = run(PredictTypesParams(model=model, features=write_sites(root, columns)), tmp_path)
    with (tmp_path / result.predictions.href).open() as stream:
        rows = list(csv.DictReader(stream))
    named = [
        (row["predicted"], code) for row, code in zip(rows, columns["class_code"], strict=True) if row["predicted"]
    ]
    assert np.mean([said == true for said, true in named]) > 0.7
    for row in rows:
        shares = {name: float(row[f"p_{name}"]) for name in TYPES}
        assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
        assert float(row["confidence"]) == max(shares.values())
        assert (row["predicted"] == "") == (float(row["confidence"]) < 0.5)


def test_a_model_reads_as_it_was_written(model) -> None:
    trained = read_trained(model)
    values = np.column_stack([site_columns()[name] for name in NAMES])
    assert trained.classes == TYPES
    assert trained.trust == 0.5
    assert trained.probabilities(values).shape == (72, 3)


@pytest.mark.parametrize("allowed", [False, True])
def test_a_simulated_model_refuses_real_sites_unless_allowed(allowed, root, folder, model, tmp_path) -> None:
    simulated = with_card(root, folder, model, simulated=True)
    params = PredictTypesParams(
        model=simulated, features=write_sites(root, site_columns()), allow_simulated_model=allowed
    )
    if allowed:
        assert run(params, tmp_path).predictions.size
    else:
        with pytest.raises(StepError, match="simulated") as caught:
            run(params, tmp_path)
        assert caught.value.code == "bad_model"


def test_other_reflectance_other_recipes_and_missing_features_are_refused(root, model, tmp_path) -> None:
    columns = site_columns()
    fewer = {name: column for name, column in columns.items() if name != "ndmi 07-01"}
    for features, reason in (
        (write_sites(root, columns | {"source": ["esa"] * 72}), "reflectance of maja, these features are of esa"),
        (write_sites(root, columns, recipe="{}"), "another recipe"),
        (write_sites(root, fewer), "ndmi 07-01"),
        (write_sites(root, columns | {"evi 05-01": columns["ndvi 05-01"]}), "another recipe"),
    ):
        with pytest.raises(StepError, match=reason) as caught:
            run(PredictTypesParams(model=model, features=features), tmp_path)
        assert caught.value.code == "bad_model"


def test_models_of_other_versions_and_damaged_ones_are_refused(root, folder, model) -> None:
    old = with_card(root, folder, model, versions={"scikit-learn": "0.1"})
    (folder / "broken.skops").write_bytes(b"no model")
    (folder / "broken.json").write_text("{}")
    cases = (
        (old, "scikit-learn 0.1"),
        (model.model_copy(update={"model": stored(root, folder / "broken.skops")}), "cannot be read"),
        (model.model_copy(update={"card": stored(root, folder / "broken.json")}), "no card"),
    )
    for wrong, reason in cases:
        with pytest.raises(StepError, match=reason) as caught:
            read_trained(wrong)
        assert caught.value.code == "bad_model"


def test_a_file_with_foreign_code_is_not_loaded(root, folder, model) -> None:
    path = folder / "foreign.skops"
    skops.io.dump(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), path)
    with zipfile.ZipFile(path) as source:
        contents = {name: source.read(name) for name in source.namelist()}
    contents["schema.json"] = contents["schema.json"].replace(b"LogisticRegression", b"Evil")
    with zipfile.ZipFile(path, "w") as target:
        for name, content in contents.items():
            target.writestr(name, content)
    with pytest.raises(StepError, match="Evil") as caught:
        read_trained(model.model_copy(update={"model": stored(root, path)}))
    assert caught.value.code == "bad_model"
