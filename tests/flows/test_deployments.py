"""Deployments and example parameters are valid before anybody starts them."""

import string

import pytest
import yaml

from tasks.parameters.impervious_change import ImperviousChangeParams
from tests.demo_run import ROOT

EXAMPLES = sorted((ROOT / "deployments" / "parameters").glob("impervious_change.*.yaml"))
DEPLOYMENTS = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_valid(path):
    text = string.Template(path.read_text()).substitute(PROVIDER="items", CATALOGUE="items.json", ARCHIVE="archive")
    params = ImperviousChangeParams.model_validate(yaml.safe_load(text))
    assert len(params.time.years) >= 2
    assert params.name.startswith("impervious-change")


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda deployment: deployment["name"])
def test_deployed_parameters_are_valid(deployment):
    params = ImperviousChangeParams.model_validate(deployment["parameters"]["params"])
    assert params.labels.period in {f"{year}-05" for year in params.time.years}
    assert deployment["work_pool"]["name"] in {"clearground-process", "clearground-docker"}
    assert all(not schedule["active"] for schedule in deployment["schedules"])


def test_every_field_of_the_form_is_described():
    undescribed = [
        f"{name}.{field}"
        for name, model in ImperviousChangeParams.model_json_schema()["$defs"].items()
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
