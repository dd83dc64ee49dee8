"""Only what has a dead owner on this machine is swept."""

import signal
from types import SimpleNamespace

import psutil

from tasks.job import Execution, note_execution
from tasks.orphans import end_containers, sweep
from tasks.owner import Owner, this_process
from tasks.settings import get_settings
from tests.tasks.conftest import Machine
from tests.tasks.waiting import wait_until

LIVING = this_process()
RECYCLED = LIVING.model_copy(update={"started": LIVING.started - 1_000})
BEFORE_BOOT = LIVING.model_copy(update={"boot": "an earlier boot"})
ELSEWHERE = Owner(host="another-machine", boot="b", pid=1, started=0.0)


def test_owner_is_told_by_more_than_its_number() -> None:
    assert [owner.is_dead for owner in (LIVING, RECYCLED, BEFORE_BOOT, ELSEWHERE)] == [False, True, True, False]


def test_folders_of_the_dead_are_removed(machine: Machine) -> None:
    jobs = machine.folder / "scratch" / "jobs"
    for name, owner in {"living": LIVING, "dead": RECYCLED, "rebooted": BEFORE_BOOT, "elsewhere": ELSEWHERE}.items():
        (jobs / name / "scratch").mkdir(parents=True)
        note_execution(jobs / name, Execution(owner=owner, flow_run=None, step="fake.copy"))
    (jobs / "just made").mkdir()
    removed = sweep(get_settings())
    assert sorted(removed) == ["folder dead of fake.copy", "folder rebooted of fake.copy"]
    assert {folder.name for folder in jobs.iterdir()} == {"living", "elsewhere", "just made"}


DRIVER = """
import sys
from pathlib import Path
from containers.fake.contract import CopyParams
from tasks import runner
from tasks.local_runner import LocalRunner
runner.prefect.runtime.flow_run.id = sys.argv[2]
with runner.use_runner(LocalRunner(Path(sys.argv[1]))):
    runner.run_step(CopyParams(behaviour="spawn"))
"""


def test_cancelled_run_ends_its_local_steps(machine: Machine) -> None:
    note = machine.store.local_root / "grandchild.pid"
    with machine.process(DRIVER, "run-1") as worker:
        wait_until(lambda: note.exists() and bool(note.read_text()))
        grandchild = psutil.Process(int(note.read_text()))
        end_containers(None, SimpleNamespace(id="run-2"), None)
        assert grandchild.is_running()
        end_containers(None, SimpleNamespace(id="run-1"), None)
        wait_until(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE)
        assert worker.wait(10) == 1
        assert worker.returncode != -signal.SIGKILL
