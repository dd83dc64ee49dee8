"""`run_step(params) -> result`: from the store where it is known, else by a runner, always under its key."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

import prefect.runtime
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import FlowRun, State, TaskRun
from prefect.states import Completed

from containers.base.contract.step import StepError, StepParams, StepResult
from tasks import ledger, partials, side_files
from tasks.archive_limit import archive_slots
from tasks.code_id import Code
from tasks.disk import disk_errors
from tasks.docker_runner import DockerRunner, engine_answers
from tasks.job import Job, Runner, job_folder, read_peak_mb, read_result
from tasks.local_runner import LocalRunner
from tasks.machine import machine_share, parallel_steps
from tasks.orphans import announce_run, end_containers
from tasks.records import Record, record_of
from tasks.settings import Settings, get_settings
from tasks.step_log import StepLog
from tasks.store import Store, open_store
from tasks.task_runner import StepTaskRunner

__all__ = [
    "FLOW_OPTIONS",
    "SEARCH_TASK",
    "STEP_TASK",
    "choose_runner",
    "end_containers",
    "is_transient",
    "perform",
    "run_step",
    "use_runner",
]

R = TypeVar("R", bound=StepResult)
_replacements: list[Runner] = []


def is_transient(_task: object, _run: TaskRun, state: "State[Any]") -> bool:
    """Prefect's retry condition: only an error that passes by itself is worth another attempt."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, StepError) and error.transient


STEP_TASK: Final[dict[str, Any]] = {
    "cache_policy": NO_CACHE,  # the store is the cache: it also checks that the files are there
    "persist_result": True,
    "result_serializer": "json",
    "retries": 4,
    "retry_delay_seconds": [5, 15, 60, 180],
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": is_transient,
}
"""Options that every step's task shares: `@task(**STEP_TASK, task_run_name=…)`."""


SEARCH_TASK: Final[dict[str, Any]] = {
    "cache_policy": NO_CACHE,  # a schedule must see new scenes
    "retries": 4,
    "retry_delay_seconds": [5, 15, 45, 120],
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": is_transient,
}
"""Options that every task which asks a catalogue shares."""


def _close_ledger(_flow: Any, flow_run: FlowRun, _state: Any) -> None:
    ledger.close_ledger(str(flow_run.id))


FLOW_OPTIONS: Final[dict[str, Any]] = {
    "task_runner": StepTaskRunner(max_workers=parallel_steps(Settings())),
    "on_running": [announce_run],
    "on_failure": [_close_ledger],
    "on_crashed": [end_containers, _close_ledger],
    "on_cancellation": [end_containers, _close_ledger],
}
"""Options that every flow shares: `@flow(**FLOW_OPTIONS)`."""


class Done(NamedTuple, Generic[R]):
    """What a step has made."""

    result: R
    is_reused: bool


def run_step(params: StepParams) -> R:  # type: ignore[type-var]  # R is params.result, which a ClassVar cannot say
    """The step's result, its files in the store. Inside a task, a reused result shows as *Cached* in Prefect.

    Raises StepError with the code of what went wrong; the run's ledger has a row in any case.
    """
    done: Done[R] = perform(params, prefect.runtime.task_run.name or params.step)
    if done.is_reused and prefect.runtime.task_run.id:
        return cast(R, Completed(name="Cached", data=done.result))
    return done.result


def perform(params: StepParams, subject: str) -> Done[R]:
    """One step of several that a task does: like `run_step`, with a ledger row of its own named `subject`."""
    started = time.monotonic()
    try:
        with disk_errors():
            record, is_reused = _obtain(params)
    except StepError as error:
        with suppress(OSError):  # a full disk takes no row either
            ledger.add("failed", subject, code=error.code, reason=error.reason, hint=error.hint)
        raise
    result = cast(R, params.result.model_validate(record.result))
    ledger.add(
        "reused" if is_reused else "done",
        subject,
        hint=side_files.how_to_open(get_settings(), params, record.key),
        seconds=round(time.monotonic() - started, 3),
        peak_mb=None if is_reused else record.peak_mb,
        key=record.key,
    )
    for warning in result.warnings:
        ledger.add("warning", subject, code=warning.code, reason=warning.reason, hint=warning.hint)
    return Done(result, is_reused)


@contextmanager
def use_runner(runner: Runner) -> Iterator[Runner]:
    """Let every step of this process run by `runner`, in tests."""
    _replacements.append(runner)
    try:
        yield runner
    finally:
        _replacements.remove(runner)


@lru_cache(maxsize=4)
def choose_runner(settings: Settings) -> Runner:
    """The runner that the settings name, after it has looked for what it needs. Raises no_engine or missing_tool."""
    is_docker = settings.runner == "docker" or (settings.runner == "auto" and engine_answers())
    runner = DockerRunner(settings) if is_docker else LocalRunner()
    runner.doctor()
    return runner


class _Machinery(NamedTuple):
    settings: Settings
    runner: Runner
    store: Store


def _obtain(params: StepParams) -> tuple[Record, bool]:
    """The record, and whether it was there already."""
    settings = get_settings()
    runner = _replacements[-1] if _replacements else choose_runner(settings)
    machinery = _Machinery(settings, runner, open_store(settings))
    code = runner.code_of(type(params))
    key = machinery.store.key_of(params, code.id)
    if found := machinery.store.find(params.step, key):
        return found, True
    with machinery.store.lease(params.step, key, params.resources.timeout_s) as found:
        if found:
            return found, True
        # The machine first: who waits for it must not hold the archive's connections.
        with (
            machine_share(params.resources.memory_mb, parallel_steps(settings)),
            archive_slots(settings, params.resources),
        ):
            return _execute(params, key, code, machinery), False


def _execute(params: StepParams, key: str, code: Code, machinery: _Machinery) -> Record:
    """Run the step into a new attempt and commit it; what fails leaves nothing behind."""
    settings, runner, store = machinery
    flow_run: str | None = prefect.runtime.flow_run.id
    for file in params.input_files():
        if file.in_store:
            store.path_of(file)
    log, started = StepLog(params.step), time.monotonic()
    attempt = store.new_attempt(params.step, key)
    try:
        if side := side_files.new_folder(settings, params, key, attempt.name):
            log.line(side_files.how_to_open(settings, params, key))
        with job_folder(settings, params.step, flow_run) as folder:
            unfinished = partials.folder_of(settings, params, key)
            job = Job(params, attempt, store.local_root, folder, settings, log, flow_run, side, unfinished)
            result = read_result(job, runner.run(job))
        seconds, peak_mb = time.monotonic() - started, read_peak_mb(job)
        record = record_of(params, result, key=key, folder=attempt, code=code, seconds=seconds, peak_mb=peak_mb)
        committed = store.commit(record)
        partials.remove(unfinished)
        return committed
    except BaseException:
        store.discard(attempt)
        raise
    finally:
        log.close()
