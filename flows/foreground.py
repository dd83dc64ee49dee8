"""Running a flow in the foreground, with this checkout's own server."""

import importlib
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from rich.console import Console
from rich.table import Table

from containers.base.contract.step import StepError
from tasks import services
from tasks.archive_limit import ensure_archive_limit
from tasks.catalogue.plan import Plan
from tasks.cloud_removal.plan import plan_removal
from tasks.impervious.intake import take_in
from tasks.impervious.scenes import plan_scenes
from tasks.masks.training_plan import plan_training
from tasks.orphans import mark_crashed_runs, sweep
from tasks.pastures.intake import take_in_pastures
from tasks.pastures.plan import plan_pastures
from tasks.settings import get_settings
from tasks.vegetation.intake import take_in_series
from tasks.vegetation.plan import plan_series

Form = TypeVar("Form", bound=BaseModel)
FLOWS: Final = {
    "cloud_mask_model": "CloudMaskModelParams",
    "cloud_removal": "CloudRemovalParams",
    "impervious_change": "ImperviousChangeParams",
    "pasture_types": "PastureTypesParams",
    "vegetation_productivity": "VegetationProductivityParams",
}
"""Flow to its form in the module of its name below `tasks.parameters`."""
_VARIABLE: Final = re.compile(r"\$(CLEARGROUND_(?:PROVIDER|CATALOGUE|ARCHIVE))\b")
"""What a parameter file may name of the environment: places, and no secret."""
_PLANS: Final[dict[str, Callable[[Any], Plan]]] = {
    "cloud_mask_model": plan_training,
    "cloud_removal": plan_removal,
    "impervious_change": lambda params: plan_scenes(params, take_in(params)),
    "pasture_types": lambda params: plan_pastures(params, take_in_pastures(params)),
    "vegetation_productivity": lambda params: plan_series(params, take_in_series(params)),
}


def form_of(name: str) -> type[BaseModel]:
    """The parameters' model of a flow. Raises `bad_parameters` where there is no such flow."""
    if name not in FLOWS:
        raise StepError("bad_parameters", f"there is no flow {name!r}", f"The flows are: {', '.join(sorted(FLOWS))}.")
    form: type[BaseModel] = getattr(importlib.import_module(f"tasks.parameters.{name}"), FLOWS[name])
    return form


def flow_params(name: str, values: Mapping[str, object]) -> BaseModel:
    """The validated parameters of a flow. Raises `bad_parameters` that lists every wrong field."""
    return validated(form_of(name), values)


def validated(form: type[Form], values: Mapping[str, object]) -> Form:
    """The values as that model. Raises `bad_parameters` that lists every wrong field."""
    try:
        return form.model_validate(values)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'parameters'}: {problem['msg']}" for problem in error.errors()
        )
        raise StepError("bad_parameters", wrong, "Correct the named parameters and run again.") from error


def read_parameters(path: Path) -> dict[str, object]:
    """The flow's parameters from a YAML or JSON file (JSON is YAML).

    `$CLEARGROUND_PROVIDER`, `_CATALOGUE` and `_ARCHIVE` in a text are those variables, which the local EODATA sets.


    Raises `bad_parameters` where it is no mapping, or names a variable that is not set.
    """
    document = yaml.safe_load(path.read_text())
    if not isinstance(document, dict):
        raise StepError("bad_parameters", f"{path} holds no mapping.", "Write parameter names with their values.")
    return {name: _with_variables(value) for name, value in document.items()}


def _with_variables(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_variables(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_variables(inner) for inner in value]
    return _VARIABLE.sub(_variable, value) if isinstance(value, str) else value


def _variable(match: re.Match[str]) -> str:
    if match[1] in os.environ:
        return os.environ[match[1]]
    raise StepError(
        "bad_parameters",
        f"the parameters name the variable {match[1]}, which is not set.",
        "Run `make eodata-up` and `. .clearground/eodata.env` for the local EODATA, or set it.",
    )


def run_flow(name: str, values: Mapping[str, object], console: Console) -> Any:
    """Run the flow here and now; what it returns. A failed run ends with its coded error."""
    params = flow_params(name, values)
    server = services.prefect_server()
    services.start(server)
    console.print(f"Prefect UI: {server.ready_url.removesuffix('/api/health')}")
    settings = get_settings()
    mark_crashed_runs(settings)
    sweep(settings)
    ensure_archive_limit(settings)
    flow = getattr(importlib.import_module(f"flows.{name}"), name)
    return flow(params)


def plan_flow(name: str, values: Mapping[str, object], console: Console) -> None:
    """Search and select only, then say what a run would read, store and take."""
    params: Any = flow_params(name, values)
    if name not in _PLANS:
        raise StepError("bad_parameters", f"{name} has no plan.", f"Flows with a plan: {', '.join(_PLANS)}.")
    table = Table("", "this run", title=f"Plan of {params.name}")
    for row in _PLANS[name](params).table():
        table.add_row(*row)
    console.print(table)
