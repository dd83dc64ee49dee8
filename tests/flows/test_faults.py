"""Kills and a bad archive in mid-run: the same command goes on where it was, and no zero becomes a pixel."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from prefect import flow

from containers.base.contract.step import StepError
from containers.gdal.contract.align import AlignResult
from flows.impervious_change import read_archive
from tasks import gdal, ledger
from tasks.intake import take_in
from tasks.local_runner import LocalRunner
from tasks.parameters import ImperviousChangeParams
from tasks.runner import use_runner
from tasks.scenes import find_scenes
from tasks.settings import get_settings
from tests.conftest import S3Server
from tests.demo_run import ROOT, Demo, artifacts, ledger_of, newest_folder
from tests.fault_proxy import Fault, fault_proxy
from tests.small_archive import SmallArchive
from tests.tasks.waiting import wait_until

pytestmark = pytest.mark.slow
STEP_LIMIT_S = 300.0


@contextmanager
def started(demo: Demo) -> Iterator["subprocess.Popen[bytes]"]:
    """The demo once more, in the background; its output is kept beside its state."""
    command = [sys.executable, "-m", "flows.cli", "demo", "--profile", "tiny"]
    with (demo.state / "again.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=demo.environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def forget(demo: Demo, step: str) -> Path:
    """Take one artifact's record out of the store; returns where it was."""
    record = newest_folder(demo, step).parent / "result.json"
    record.unlink()
    return record


def step_of(process: "subprocess.Popen[bytes]", module: str) -> psutil.Process:
    """The running process of a step, once it is there."""
    found: list[psutil.Process] = []

    def is_there() -> bool:
        assert process.poll() is None, "the run ended before its step began"
        for child in psutil.Process(process.pid).children(recursive=True):
            try:
                command = child.cmdline()
            except psutil.NoSuchProcess:
                continue
            if module in command and "guard.py" not in " ".join(command):
                found.append(child)
        return bool(found)

    wait_until(is_there, STEP_LIMIT_S, pause_s=0.1)
    return found[0]


def has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def latest_states(demo: Demo, count: int) -> list[str]:
    """What Prefect says of the latest flow runs, newest first."""
    port = json.loads((demo.state / "ports.json").read_text())["prefect"]
    query = {"sort": "START_TIME_DESC", "limit": count}
    answer = httpx.post(f"http://127.0.0.1:{port}/api/flow_runs/filter", json=query, trust_env=False, timeout=30)
    return [run["state_type"] for run in answer.raise_for_status().json()]


def test_killed_step_then_killed_flow_then_done(demo: Demo) -> None:
    before = artifacts(demo)
    lost = forget(demo, "gdal.composite")
    attempts = set(lost.parent.iterdir())

    with started(demo) as run:
        step_of(run, "containers.gdal.composite").kill()
        assert run.wait(STEP_LIMIT_S) != 0
    assert "gdal.composite was killed" in (demo.state / "again.log").read_text()
    assert set(lost.parent.iterdir()) == attempts, "a killed step leaves nothing"

    with started(demo) as run:
        step_of(run, "containers.gdal.composite")
        family = psutil.Process(run.pid).children(recursive=True)
        run.send_signal(signal.SIGKILL)
        run.wait()
        wait_until(lambda: all(has_ended(member) for member in family))
    assert not lost.exists()

    again = demo.clearground("demo", "--profile", "tiny")
    assert again.returncode == 0, again.stderr[-3000:]
    after = artifacts(demo)
    assert set(after) == set(before)
    assert {path for path in after if after[path] != before[path]} == {str(lost)}
    [made_again] = subjects_with(demo, status="done")
    assert made_again.startswith("composite ")
    assert latest_states(demo, 3) == ["COMPLETED", "CRASHED", "FAILED"]
    assert not list((demo.state / "scratch" / "jobs").iterdir())
    verified = demo.clearground("store", "verify")
    assert verified.returncode == 0, verified.stdout


def test_killed_s3_server_is_filled_again_and_the_run_goes_on(demo: Demo) -> None:
    before = artifacts(demo)
    lost = newest_folder(demo, "gdal.align").parent / "result.json"
    scene = json.loads(lost.read_text())["params"]["parts"][0]
    subject = f"align {scene['tile']} {scene['datetime'][:10]}"
    lost.unlink()
    attempts = set(lost.parent.iterdir())
    service = demo.state / "services" / "s3.json"
    with started(demo) as run:
        wait_until(lambda: any(path.is_dir() for path in set(lost.parent.iterdir()) - attempts), STEP_LIMIT_S)
        killed = json.loads(service.read_text())["pid"]
        psutil.Process(killed).kill()
        wait_until(lambda: subject in subjects_with(demo, code="storage_error"), STEP_LIMIT_S, pause_s=0.5)
        assert demo.clearground("eodata", "up", "--profile", "tiny").returncode == 0
        assert run.wait(STEP_LIMIT_S) == 0
    assert json.loads(service.read_text())["pid"] != killed
    after = artifacts(demo)
    assert set(after) == set(before)
    assert {path for path in after if after[path] != before[path]} == {str(lost)}
    assert subjects_with(demo, status="done") == {subject}, "what descends from it is the same, and reused"


def subjects_with(demo: Demo, **column: str) -> set[str]:
    """Subjects of the newest ledger's rows in which a column has this value."""
    rows = ledger_of(demo)
    [(name, value)] = column.items()
    return set(rows[rows[name] == value]["subject"])


@flow
def aligned(params: ImperviousChangeParams) -> list[list[AlignResult]]:
    """The flow as far as the aligned scenes."""
    inputs = take_in(params)
    return read_archive(params, inputs, find_scenes.submit(params, inputs).result().choices)


class TestBadLine:
    """A real align step behind a proxy that misbehaves; its own attempts take seconds, Prefect's retries none here."""

    @pytest.fixture
    def form(
        self, archive: SmallArchive, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
    ) -> ImperviousChangeParams:
        monkeypatch.setattr(gdal.align_scene, "retry_delay_seconds", 0.05)
        archive.add_scene("20180510", 3000)
        return archive.form(time__years=[2018])

    @staticmethod
    def read(form: ImperviousChangeParams, store: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> Any:
        monkeypatch.setenv("CLEARGROUND_STORE", str(store))
        monkeypatch.setenv("AWS_S3_ENDPOINT", host)
        get_settings.cache_clear()
        with use_runner(LocalRunner()):
            return aligned(form, return_state=True)

    @pytest.mark.parametrize(
        ("fault", "count", "codes"),
        [("slow_down", 10, ["throttled"]), ("internal_error", 10, ["storage_error"]), ("truncated", 3, [])],
    )
    def test_passing_faults_change_no_pixel(
        self,
        form: ImperviousChangeParams,
        s3_server: S3Server,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        fault: Fault,
        count: int,
        codes: list[str],
    ) -> None:
        """Two objects are tried five times each: ten faults fail one whole attempt of the step."""
        [[clean]] = self.read(form, tmp_path / "clean", monkeypatch, s3_server.host).result()
        with fault_proxy(s3_server.host) as proxy:
            proxy.plan.extend([fault] * count)
            state = self.read(form, tmp_path / "faulty", monkeypatch, proxy.host)
            assert not proxy.plan
        [[faulty]] = state.result()
        assert faulty.bands["red"].content_id == clean.bands["red"].content_id
        assert faulty.scl.content_id == clean.scl.content_id
        rows = ledger.rows(str(state.state_details.flow_run_id))
        assert [row.code for row in rows if row.status == "failed"] == codes
        assert [row.status for row in rows][-1] == "done"

    def test_keys_that_expire_on_the_way_end_the_run_at_once(
        self, form: ImperviousChangeParams, s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with fault_proxy(s3_server.host) as proxy:
            proxy.plan.extend(["forbidden"] * 10)
            state = self.read(form, tmp_path / "denied", monkeypatch, proxy.host)
            assert len(proxy.plan) == 8, "each of the two objects was asked for once"
        error = state.result(raise_on_failure=False)
        assert isinstance(error, StepError)
        assert (error.code, error.transient) == ("access_denied", False)
        assert "expiry date" in error.hint
        assert not list((tmp_path / "denied").glob("gdal.align/*/*"))
