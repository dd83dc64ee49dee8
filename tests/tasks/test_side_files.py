"""A log that a step leaves for people can be opened afterwards, whatever became of the step."""

import os
import signal
import subprocess
import time

import pytest

from containers.base.contract.step import StepError
from tasks import ledger
from tasks.orphans import sweep
from tasks.runner import run_step
from tasks.side_files import remove_old
from tests.tasks.checkout.containers.fake.contract import CopyParams, LoggingCopyParams
from tests.tasks.conftest import Machine
from tests.tasks.waiting import wait_until

DAY_S = 86_400


def logging_params(machine: Machine, behaviour: str = "keep_log") -> CopyParams:
    return machine.copy_params(LoggingCopyParams, behaviour=behaviour)


def logs(machine: Machine) -> list[str]:
    return [path.read_text() for path in (machine.folder / "scratch" / "side").glob("fake.copy/*/*/log.txt")]


def test_the_run_says_how_to_open_the_log(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="clearground")
    for _ in range(2):
        run_step(logging_params(machine))
    done, reused = ledger.rows()
    assert (done.status, reused.status) == ("done", "reused")
    assert done.hint == reused.hint == caplog.messages[0]
    command = done.hint.removeprefix("Log: ")
    shown = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert shown.stdout == "epoch 1"


def test_each_attempt_has_its_own_log_and_a_failed_ones_stays(machine: Machine) -> None:
    params = logging_params(machine, "keep_log_and_crash")
    for _ in range(2):
        with pytest.raises(StepError, match="crashed"):
            run_step(params)
    assert logs(machine) == ["epoch 1", "epoch 1"]
    assert not list(machine.store.local_root.glob("fake.copy/*/*"))


DRIVER = """
import sys
from pathlib import Path
from containers.fake.contract import LoggingCopyParams
from tasks.local_runner import LocalRunner
from tasks.runner import run_step, use_runner
with use_runner(LocalRunner(Path(sys.argv[1]))):
    run_step(LoggingCopyParams(behaviour="keep_log_and_sleep"))
"""


def test_a_killed_ones_stays_when_its_remains_are_swept(machine: Machine) -> None:
    with machine.process(DRIVER) as worker:
        wait_until(lambda: logs(machine) == ["epoch 1"])
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        assert [item.split()[0] for item in sweep(machine.settings)] == ["folder"]
    assert logs(machine) == ["epoch 1"]


def test_a_step_that_declares_none_has_no_folder(machine: Machine) -> None:
    with pytest.raises(StepError, match="CLEARGROUND_SIDE"):
        run_step(machine.copy_params(behaviour="keep_log"))
    run_step(machine.copy_params())
    assert ledger.rows()[-1].hint == ""
    assert not (machine.folder / "scratch" / "side").exists()


def test_gc_removes_old_ones(machine: Machine) -> None:
    run_step(logging_params(machine))
    going = machine.store.gc(keep_days=0, dry_run=True).steps["side"]
    assert (going.artifacts, going.files, going.bytes) == (1, 1, len("epoch 1"))
    assert "side" not in machine.store.gc(keep_days=1).steps
    assert logs(machine) == ["epoch 1"]
    assert machine.store.gc(keep_days=0).steps["side"] == going
    assert logs(machine) == []
    assert not list((machine.folder / "scratch" / "side").glob("*/*"))


def test_gc_goes_by_the_newest_file(machine: Machine) -> None:
    run_step(logging_params(machine))
    (folder,) = (machine.folder / "scratch" / "side").glob("fake.copy/*/*")
    (folder / "early.txt").write_text("early")
    for path in (folder / "early.txt", folder, folder.parent):
        os.utime(path, (0, time.time() - 9 * DAY_S))
    root, shelf = machine.settings.scratch / "side", machine.store.shelf
    assert remove_old(root, shelf, keep_days=8, dry_run=False).artifacts == 0
    os.utime(folder / "log.txt", (0, time.time() - 9 * DAY_S))
    assert remove_old(root, shelf, keep_days=8, dry_run=False).artifacts == 1


def test_gc_spares_a_key_that_is_being_made(machine: Machine) -> None:
    run_step(logging_params(machine))
    key = ledger.rows()[0].key
    with machine.store.lease("fake.copy", "other", limit_s=1):
        assert (
            remove_old(machine.settings.scratch / "side", machine.store.shelf, keep_days=0, dry_run=True).artifacts == 1
        )
    with machine.store.lease("fake.copy", key, limit_s=1):
        assert (
            remove_old(machine.settings.scratch / "side", machine.store.shelf, keep_days=0, dry_run=True).artifacts == 0
        )
