"""Running a flow in the foreground, with this checkout's own server."""

import importlib
from collections.abc import Mapping
from typing import Any

import typer
from pydantic import BaseModel, ValidationError
from rich.console import Console
from rich.table import Table

from containers.base.contract.step import StepError
from tasks import services
from tasks.archive_limit import ensure_archive_limit
from tasks.intake import take_in
from tasks.orphans import mark_crashed_runs, sweep
from tasks.parameters.impervious_change import ImperviousChangeParams
from tasks.scenes import plan_scenes
from tasks.settings import get_settings

FLOWS = {"impervious_change": "ImperviousChangeParams"}


def flow_params(name: str, values: Mapping[str, object]) -> BaseModel:
    """The validated parameters of a flow. Raises StepError that lists every wrong field."""
    if name not in FLOWS:
        raise StepError("bad_parameters", f"there is no flow {name!r}", f"The flows are: {', '.join(sorted(FLOWS))}.")
    model: type[BaseModel] = getattr(importlib.import_module(f"tasks.parameters.{name}"), FLOWS[name])
    try:
        return model.model_validate(values)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'parameters'}: {problem['msg']}" for problem in error.errors()
        )
        raise StepError("bad_parameters", wrong, "Correct the named parameters and run again.") from error


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
    if name != "impervious_change":
        raise typer.BadParameter(f"{name} has no plan")
    params = ImperviousChangeParams.model_validate(flow_params(name, values))
    table = Table("", "this run", title=f"Plan of {params.name}")
    for row in plan_scenes(params, take_in(params)).table():
        table.add_row(*row)
    console.print(table)
