"""Kills and a bad archive in mid-run: the same command goes on where it was, and no zero becomes a pixel."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest
from prefect import flow

from containers.base.contract.step import StepError
from containers.gdal.contract.align import AlignResult
from flows.impervious_change import read_archive
from tasks import gdal, ledger
from tasks.impervious.intake import take_in
from tasks.impervious.scenes import find_scenes
from tasks.local_runner import LocalRunner
from tasks.parameters.impervious_change import ImperviousChangeParams
from tasks.runner import use_runner
from tasks.settings import get_settings
from tests.conftest import S3Server
from tests.demo_run import Demo, artifacts, forgotten, latest_runs, remade, subjects_with
from tests.fault_proxy import Fault, fault_proxy
from tests.small_archive import SmallArchive
from tests.tasks.waiting import wait_until

pytestmark = pytest.mark.slow
STEP_LIMIT_S = 300.0


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


def test_killed_step_then_killed_flow_then_done(demo: Demo) -> None:
    before = artifacts(demo)
    with forgotten(demo, "gdal.composite") as lost:
        attempts = lost.attempts

        with demo.started() as run:
            step_of(run, "containers.gdal.composite").kill()
            assert run.wait(STEP_LIMIT_S) != 0
        assert "gdal.composite was killed" in demo.log
        assert lost.attempts == attempts, "a killed step leaves nothing"

        with demo.started() as run:
            step_of(run, "containers.gdal.composite")
            family = psutil.Process(run.pid).children(recursive=True)
            run.send_signal(signal.SIGKILL)
            run.wait()
            wait_until(lambda: all(has_ended(member) for member in family))
        assert not lost.record.exists()

        demo.run_again()
    assert remade(demo, before) == {lost.record}
    [made_again] = subjects_with(demo, status="done")
    assert made_again.startswith("composite ")
    assert [run["state_type"] for run in latest_runs(demo, 3)] == ["COMPLETED", "CRASHED", "FAILED"]
    assert not list((demo.state / "scratch" / "jobs").iterdir())
    verified = demo.clearground("store", "verify")
    assert verified.returncode == 0, verified.stdout


def test_killed_s3_server_is_filled_again_and_the_run_goes_on(demo: Demo) -> None:
    before = artifacts(demo)
    service = demo.state / "services" / "s3.json"
    with forgotten(demo, "gdal.align") as lost:
        attempts = lost.attempts
        with demo.started() as run:
            wait_until(lambda: any(path.is_dir() for path in lost.attempts - attempts), STEP_LIMIT_S)
            killed = json.loads(service.read_text())["pid"]
            psutil.Process(killed).kill()
            wait_until(lambda: lost.aligned_scene in subjects_with(demo, code="storage_error"), STEP_LIMIT_S, 0.5)
            assert demo.clearground("eodata", "up", "--profile", "tiny").returncode == 0
            assert run.wait(STEP_LIMIT_S) == 0
    assert json.loads(service.read_text())["pid"] != killed
    assert remade(demo, before) == {lost.record}
    assert subjects_with(demo, status="done") == {lost.aligned_scene}, "what descends from it is the same, and reused"


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
