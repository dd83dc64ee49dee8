"""The flow from a finished table to a published model, and forms that must be refused."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from containers.base.contract.step import StepError
from containers.base.storage import client
from containers.eodata.contract.simulate import ArchiveResult
from containers.eodata.load import load
from containers.gdal.contract.mask_forest import MaskModel
from flows.cloud_mask_model import cloud_mask_model
from flows.foreground import read_parameters
from tasks.eodata import archive_params
from tasks.masks.training_plan import plan_training
from tasks.parameters.cloud_mask_model import CloudMaskModelParams
from tasks.runner import run_step
from tasks.settings import get_settings
from tasks.store import open_store
from tests.conftest import S3Server
from tests.containers.gdal.labelled_pixels import labelled_pixels
from tests.demo_run import ROOT
from tests.small_archive import SmallArchive

SCENES = {"tiles": ["33UUP"], "first": "2018-01-01", "last": "2018-12-31"}


@pytest.fixture
def form(archive: SmallArchive, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A form with a finished table, over an empty store."""
    monkeypatch.setenv("CLEARGROUND_RUNNER", "local")
    table = archive.folder / "pixels.csv"
    labelled_pixels().to_csv(table, index=False)

    def make(**fields: Any) -> CloudMaskModelParams:
        facts = {"name": "mask-model", "labels": {"table": str(table)}, "output": str(archive.folder / "products")}
        return CloudMaskModelParams.model_validate({**facts, "training": {"trees": 20}, **fields})

    return make


def test_a_table_becomes_a_published_model(form: Any) -> None:
    publication = cloud_mask_model(form())
    folder = Path(publication.folder)
    assert {path.name for path in folder.rglob("*") if path.is_file()} == {
        "model.json", "metrics.csv", "pixels.csv", "roc.png", "precision_recall.png", "summary.md", "publication.json",
    }  # fmt: skip
    model = json.loads((folder / "model.json").read_text())
    summary = (folder / "summary.md").read_text()
    assert f"| forest | 0.29 | {model['metrics']['accuracy']:.3f} |" in summary
    assert "SIMULATED DATA" in summary
    assert "| clear/water |" in summary
    assert {line.split(" | ")[0] for line in summary.splitlines() if " alone |" in line} == {
        f"| {name} alone" for name in model["features"]
    }
    assert not cloud_mask_model(form()).is_new


def test_another_cutoff_is_another_model(form: Any) -> None:
    first = cloud_mask_model(form())
    second = cloud_mask_model(form(training={"trees": 20, "cutoff": 0.5}))
    assert (second.is_new, first.content_id != second.content_id) == (True, True)
    assert json.loads(Path(second.model).read_text())["cutoff"] == 0.5


def test_an_unfit_table_ends_with_its_sentence(form: Any, archive: SmallArchive) -> None:
    path = archive.folder / "few.csv"
    labelled_pixels(scenes=3).to_csv(path, index=False)
    with pytest.raises(StepError, match="3 dates") as caught:
        cloud_mask_model(form(labels={"table": str(path)}))
    assert caught.value.code == "bad_labels"


def test_label_rasters_without_a_scene_are_refused(form: Any, archive: SmallArchive) -> None:
    folder = archive.folder / "labels"
    folder.mkdir()
    with pytest.raises(StepError, match="no label raster") as caught:
        cloud_mask_model(form(labels={"folder": str(folder)}, scenes=SCENES))
    assert caught.value.code == "bad_labels"


def test_a_plan_for_a_table_reads_nothing(form: Any) -> None:
    plan = plan_training(form())
    assert (plan.scenes, plan.bytes_to_read, plan.minutes["train"] > 0) == (0, 0, True)


@pytest.mark.slow
def test_a_simulated_archive_becomes_a_model_that_refuses_real_scenes(
    archive: SmallArchive, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Search, observe, mask, tabulate, train, publish: with the true scene classes as labels."""
    monkeypatch.setenv("CLEARGROUND_RUNNER", "local")
    get_settings.cache_clear()
    simulated: ArchiveResult = run_step(archive_params("vegetation_tiny"))
    folder = open_store(get_settings()).path_of(simulated.simulation).parent
    load(folder, client())
    for name, value in {"PROVIDER": "items", "CATALOGUE": folder / "items.json", "ARCHIVE": folder}.items():
        monkeypatch.setenv(f"CLEARGROUND_{name}", str(value))
    example = read_parameters(ROOT / "deployments" / "parameters" / "cloud_mask_model.demo.yaml")
    params = CloudMaskModelParams.model_validate({**example, "output": str(archive.folder / "products")})
    assert plan_training(params).acquisitions >= 20
    publication = cloud_mask_model(params)
    model = MaskModel.model_validate_json(Path(publication.model).read_text())
    assert model.training_domain.simulated
    assert {"clear/vegetation", "clear/not vegetated"} <= set(model.training_domain.surfaces)
    assert set(model.split.train).isdisjoint(model.split.test)
    assert model.metrics["auc"] > 0.8
    metrics = pd.read_csv(Path(publication.folder) / "metrics.csv")
    is_f1 = (metrics["measure"] == "f1") & (metrics["split"] == "test")
    best = metrics[is_f1].groupby("classifier")["value"].max()
    assert best["forest"] >= best.drop("forest").max() - 0.02
    assert not cloud_mask_model(params).is_new


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": {}}, "not both"),
        ({"labels": {"table": "a.csv", "folder": "b"}}, "not both"),
        ({"labels": {"folder": "b"}}, "give scenes"),
        ({"labels": {"folder": "b"}, "scenes": {**SCENES, "tiles": []}}, "scenes.aoi or scenes.tiles"),
        ({"labels": {"folder": "b"}, "scenes": {**SCENES, "tiles": ["33"]}}, "no MGRS tiles"),
        ({"labels": {"folder": "b"}, "scenes": {**SCENES, "first": "2019-01-01"}}, "is not before"),
        ({"name": "../x"}, "names a folder"),
        ({"background_resolution_m": 100}, "multiple of resolution_m"),
    ],
)
def test_bad_forms_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CloudMaskModelParams.model_validate({"labels": {"table": "a.csv"}, **change})
