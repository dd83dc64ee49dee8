"""Steps inside a Prefect run: cached states, retries, limits, artifacts, crashed runs."""

import signal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import State, StateType
from prefect.client.schemas.sorting import LogSort
from prefect.settings import PREFECT_API_URL

from containers.base.contract.step import StepError
from tasks import ledger, step_log
from tasks.archive_limit import ensure_archive_limit
from tasks.failures import UNREADABLE, usable
from tasks.orphans import mark_crashed_runs, sweep
from tasks.runner import FLOW_OPTIONS, STEP_TASK, run_step
from tasks.settings import get_settings
from tests.tasks.checkout.containers.fake.contract import CopyParams, CopyResult, NetworkCopyParams
from tests.tasks.conftest import Machine
from tests.tasks.waiting import wait_until

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the seconds that lie between retries."""
    monkeypatch.setattr(copy_file, "retry_delay_seconds", 0.05)
    monkeypatch.setattr(copy_file, "retries", 2)


@task(**STEP_TASK, task_run_name="copy {params.text}")
def copy_file(params: CopyParams) -> CopyResult:
    return run_step(params)


@flow(**FLOW_OPTIONS)
def copy_all(texts: list[str]) -> list[str]:
    futures = [copy_file.submit(CopyParams(text=text)) for text in texts]
    names = [future.state.name for future in futures if not future.wait()]
    results = [future.result() for future in futures]
    assert all(isinstance(result, CopyResult) for result in results)
    ledger.close_ledger()
    return names


@flow
def copy_one(params: CopyParams) -> Any:
    return copy_file.submit(params).result()


def failed_with(state: "State[Any]") -> StepError:
    error = state.result(raise_on_failure=False)
    assert isinstance(error, StepError)
    return error


def test_second_run_is_cached(machine: Machine) -> None:
    assert copy_all(["a", "b"]) == ["Completed", "Completed"]
    state = copy_all(["a", "b", "c"], return_state=True)
    assert state.result() == ["Cached", "Cached", "Completed"]
    run = state.state_details.flow_run_id
    assert sorted((row.subject, row.status) for row in ledger.rows(str(run))) == [
        ("copy a", "reused"),
        ("copy b", "reused"),
        ("copy c", "done"),
    ]
    table = machine.store.shelf.read(f"runs/{run}/ledger.csv")
    assert table is not None
    assert table.text.splitlines()[0] == "at,status,subject,code,reason,hint,seconds,peak_mb,key"
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run])))
    assert [artifact.key for artifact in found if artifact.type == "table"] == ["ledger"]


def test_transient_failure_is_retried_and_a_permanent_one_is_not(machine: Machine) -> None:
    busy = machine.copy_params(behaviour="be_throttled")
    assert failed_with(copy_one(busy, return_state=True)).code == "throttled"
    assert machine.n_executions == 3
    broken = machine.copy_params(behaviour="refuse")
    assert failed_with(copy_one(broken, return_state=True)).code == "corrupt_file"
    assert machine.n_executions == 4


def test_progress_is_an_artifact(machine: Machine) -> None:
    state = copy_one(machine.copy_params(behaviour="chatter"), return_state=True)
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[state.state_details.flow_run_id]))
        )
    assert [(artifact.type, artifact.data) for artifact in found] == [("progress", 50.0)]


def test_long_steps_tell_their_progress_in_the_log(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_log, "_TELL_S", 0.0)
    state = copy_one(machine.copy_params(behaviour="chatter"), return_state=True)
    of_run = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[state.state_details.flow_run_id]))
    with get_client(sync_client=True) as client:
        wait_until(
            lambda: (
                "50 %: half way"
                in {line.message for line in client.read_logs(of_run, limit=200, sort=LogSort.TIMESTAMP_DESC)}
            )
        )


def test_unusable_input_is_a_row_and_others_fail(machine: Machine) -> None:
    @flow
    def choose() -> list[bool]:
        broken = copy_file.submit(machine.copy_params(behaviour="refuse", text="b"))
        good = copy_file.submit(machine.copy_params(text="g"))
        return [usable(future, without=UNREADABLE) is None for future in (broken, good)]

    state = choose(return_state=True)
    assert state.result() == [True, False]
    rows = ledger.rows(str(state.state_details.flow_run_id))
    assert ("failed", "copy b", "corrupt_file") in {(row.status, row.subject, row.code) for row in rows}

    @flow
    def fail() -> None:
        usable(copy_file.submit(machine.copy_params(behaviour="crash")), without=UNREADABLE)

    assert failed_with(fail(return_state=True)).code == "crashed"


def test_archive_limit_must_exist(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARGROUND_ARCHIVE_LIMIT_NAME", "test-archive")
    get_settings.cache_clear()
    params = machine.copy_params(NetworkCopyParams, text="x")
    error = failed_with(copy_one(params, return_state=True))
    assert (error.code, "test-archive" in error.reason) == ("bad_parameters", True)
    ensure_archive_limit(get_settings())
    ensure_archive_limit(get_settings())
    assert copy_one(params, return_state=True).is_completed()


def test_step_wants_more_connections_than_there_are(machine: Machine) -> None:
    class Greedy(NetworkCopyParams):
        resources = NetworkCopyParams.resources.model_copy(update={"connections": 99})

    @flow
    def ask() -> Any:
        return run_step(Greedy())

    error = failed_with(ask(return_state=True))
    assert "99 connections" in error.reason


DRIVER = """
import sys
from pathlib import Path
from prefect import flow
from containers.fake.contract import CopyParams
from tasks.local_runner import LocalRunner
from tasks.runner import FLOW_OPTIONS, STEP_TASK, run_step, use_runner
from prefect import task

@task(**STEP_TASK)
def copy_file(params: CopyParams):
    return run_step(params)

@flow(**FLOW_OPTIONS)
def doomed():
    copy_file.submit(CopyParams(behaviour="sleep")).result()

with use_runner(LocalRunner(Path(sys.argv[1]))):
    doomed()
"""


def test_run_of_a_killed_process_is_marked_crashed(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", PREFECT_API_URL.value())
    notes = machine.folder / "scratch" / "runs"
    with machine.process(DRIVER) as process:
        wait_until(lambda: any((machine.folder / "scratch" / "jobs").glob("*/scratch")))
        assert mark_crashed_runs(get_settings()) == []
        process.send_signal(signal.SIGKILL)
        process.wait()
    run = UUID(next(notes.iterdir()).stem)
    removed = sweep(get_settings())
    assert [item.split(" ")[0] for item in removed] == ["folder", "flow"]
    with get_client(sync_client=True) as client:
        assert client.read_flow_run(run).state_type == StateType.CRASHED
    assert not list(notes.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_running_steps_end_with_the_flow(machine: Machine, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setenv("PREFECT_API_URL", PREFECT_API_URL.value())
    jobs = machine.folder / "scratch" / "jobs"
    with machine.process(DRIVER) as process:
        # The step's own process: before it runs, Prefect may still be busy with submitting the task.
        wait_until(lambda: any('"process":{' in path.read_text() for path in jobs.glob("*/execution.json")))
        process.send_signal(number)
        assert process.wait(15) != 0
    assert not list(jobs.iterdir())
    assert not list(machine.store.local_root.glob("fake.copy/*/*"))


def test_result_survives_its_way_through_prefect(machine: Machine) -> None:
    result = copy_one(machine.copy_params(text="kept"))
    assert isinstance(result, CopyResult)
    assert Path(machine.store.path_of(result.written)).read_text() == "kept"
