"""What dead processes have left behind: containers, folders in scratch, flow runs that say Running for ever.

Only what has a dead owner on this machine is touched.
"""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import docker
from docker.errors import DockerException
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import ObjectNotFound
from prefect.states import Crashed
from pydantic import ValidationError

from tasks.docker_runner import LABEL, engine_answers, remove
from tasks.job import Execution
from tasks.owner import Owner, is_running, this_process
from tasks.settings import Settings, get_settings
from tasks.store import open_store

if TYPE_CHECKING:
    from docker.models.containers import Container

_UNFINISHED: Final = {StateType.RUNNING, StateType.PENDING, StateType.CANCELLING}
_DAY_S: Final = 86_400.0
_MESSAGE: Final = "The process that ran it has ended without a word; found at the next start on the same machine."


def sweep(settings: Settings) -> list[str]:
    """Remove containers, processes and scratch folders whose owner is dead, and mark its flow runs Crashed.

    Returns what was found. Also removes local copies of an S3 store's files that nobody used for days.
    """
    if settings.store_is_bucket:
        open_store(settings).shelf.forget_copies(settings.staged_days * _DAY_S)
    crashed = (f"flow run {name}" for name in mark_crashed_runs(settings))
    return [*_sweep_containers(), *_sweep_jobs(settings), *crashed]


def _sweep_containers() -> Iterator[str]:
    for container in _containers():
        with suppress(ValidationError):
            if Owner.model_validate_json(container.labels.get(f"{LABEL}.owner", "")).is_dead:
                yield _remove(container)


def _sweep_jobs(settings: Settings) -> Iterator[str]:
    for folder, execution in _executions(settings):
        if execution.owner.is_dead:
            _end_process(execution)
            shutil.rmtree(folder, ignore_errors=True)
            yield f"folder {folder.name} of {execution.step}"


def end_containers(_flow: Any, flow_run: FlowRun, _state: Any) -> None:
    """A hook for cancelled and crashed flows: ends the containers and processes that the run has left working."""
    for container in _containers():
        if container.labels.get(f"{LABEL}.flow_run") == str(flow_run.id):
            _remove(container)
    for _, execution in _executions(get_settings()):
        if execution.flow_run == str(flow_run.id) and execution.owner.is_local:
            _end_process(execution)


def _containers() -> "list[Container]":
    if not engine_answers():
        return []
    with suppress(DockerException):
        return docker.from_env().containers.list(all=True, filters={"label": f"{LABEL}=step"}, ignore_removed=True)
    return []


def _remove(container: "Container") -> str:
    remove(container)
    return f"container {container.name} of {container.labels.get(f'{LABEL}.step')}"


def _executions(settings: Settings) -> Iterator[tuple[Path, Execution]]:
    for note in (settings.scratch / "jobs").glob("*/execution.json"):
        with suppress(FileNotFoundError, ValidationError):  # removed, or being written, by its owner
            yield note.parent, Execution.model_validate_json(note.read_text())


def _end_process(execution: Execution) -> None:
    """Tell the guard of a local step to end its group."""
    process = execution.process
    if process and process.is_local and is_running(process.pid, process.started):
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)


def announce_run(_flow: Any, flow_run: FlowRun, _state: Any) -> None:
    """A hook for starting flows: notes that this process runs it, for `mark_crashed_runs` to read should it die."""
    note = _run_notes(get_settings()) / f"{flow_run.id}.json"
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(this_process().model_dump_json())


def mark_crashed_runs(settings: Settings) -> list[str]:
    """Mark runs Crashed that a killed process of this machine has left unfinished; returns their names."""
    names: list[str] = []
    for note in _run_notes(settings).glob("*.json"):
        try:
            is_dead = Owner.model_validate_json(note.read_text()).is_dead
        except (FileNotFoundError, ValidationError):
            continue
        if is_dead:
            with get_client(sync_client=True) as client:
                names += _crash(client, UUID(note.stem))
            note.unlink(missing_ok=True)
    return names


def _run_notes(settings: Settings) -> Path:
    return settings.scratch / "runs"


def _crash(client: SyncPrefectClient, flow_run_id: UUID) -> Iterator[str]:
    try:
        flow_run = client.read_flow_run(flow_run_id)
    except ObjectNotFound:
        return
    if flow_run.state_type not in _UNFINISHED:
        return
    only_this = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id]))
    for task_run in client.read_task_runs(flow_run_filter=only_this):
        if task_run.state_type in _UNFINISHED:
            client.set_task_run_state(task_run.id, Crashed(message=_MESSAGE), force=True)
    client.set_flow_run_state(flow_run_id, Crashed(message=_MESSAGE), force=True)
    yield flow_run.name
