"""Deployments and example parameters are valid before anybody starts them."""

import pytest
import yaml

from containers.base.contract.step import StepError
from flows.foreground import FLOWS, flow_params, form_of, read_parameters
from tasks.parameters.impervious_change import ImperviousChangeParams
from tests.demo_run import ROOT

EXAMPLES = sorted((ROOT / "deployments" / "parameters").glob("*.yaml"))
DEPLOYMENTS = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
FORMS = {flow: form_of(flow) for flow in FLOWS}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_valid(path, monkeypatch):
    for name, value in {"PROVIDER": "items", "CATALOGUE": "items.json", "ARCHIVE": "archive"}.items():
        monkeypatch.setenv(f"CLEARGROUND_{name}", value)
    flow = path.stem.split(".")[0]
    params = flow_params(flow, read_parameters(path))
    assert params.name.startswith(flow.replace("_", "-"))


def test_a_file_of_parameters_cannot_ask_for_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("CLEARGROUND_STORE_SECRET", "planted")
    (tmp_path / "params.yaml").write_text("name: $CLEARGROUND_STORE_SECRET\n")
    assert read_parameters(tmp_path / "params.yaml") == {"name": "$CLEARGROUND_STORE_SECRET"}


def test_a_place_that_is_not_set_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("CLEARGROUND_ARCHIVE", raising=False)
    (tmp_path / "params.yaml").write_text("regions: {path: $CLEARGROUND_ARCHIVE/regions.gpkg}\n")
    with pytest.raises(StepError, match="CLEARGROUND_ARCHIVE"):
        read_parameters(tmp_path / "params.yaml")


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda each: f"{each['entrypoint']}-{each['name']}")
def test_deployed_parameters_are_valid(deployment):
    flow = deployment["entrypoint"].rsplit(".", 1)[-1]
    assert flow_params(flow, deployment["parameters"]["params"]).name
    assert deployment["work_pool"]["name"] in {"clearground-process", "clearground-docker"}
    assert all(not schedule["active"] for schedule in deployment["schedules"])


def test_every_flow_is_deployed_and_has_an_example():
    assert {each["entrypoint"].rsplit(".", 1)[-1] for each in DEPLOYMENTS} == set(FLOWS)
    assert {path.stem.split(".")[0] for path in EXAMPLES} == set(FLOWS)


@pytest.mark.parametrize("flow", FLOWS)
def test_every_field_of_the_form_is_described(flow):
    undescribed = [
        f"{name}.{field}"
        for name, model in FORMS[flow].model_json_schema()["$defs"].items()
        for field, facts in model.get("properties", {}).items()
        if "description" not in facts and "$ref" not in facts
    ]
    assert undescribed == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "../x"}, "names a folder"),
        ({"labels": {}}, "model_href"),
        ({"time": {"years": []}}, "at least 1"),
        ({"bands": ["purple"]}, "bands"),
        ({"reference": {"sample": "a.csv"}}, "sample and strata"),
        ({"resolution_m": -1}, "greater than 0"),
        ({"unheard_of": 1}, "Extra inputs"),
    ],
)
def test_bad_forms_are_refused(change, message):
    good = DEPLOYMENTS[0]["parameters"]["params"]
    with pytest.raises(ValueError, match=message):
        ImperviousChangeParams.model_validate({**good, **change})
