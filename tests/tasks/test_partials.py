"""What a killed attempt has done so far is found by the next one, and goes when the work is done."""

import signal

import pytest

from containers.base.contract.step import StepError
from tasks.runner import run_step
from tests.tasks.checkout.containers.fake.contract import LastingCopyParams
from tests.tasks.conftest import Machine
from tests.tasks.waiting import wait_until

DRIVER = """
import sys
from pathlib import Path
from containers.fake.contract import LastingCopyParams
from tasks.local_runner import LocalRunner
from tasks.runner import run_step, use_runner
with use_runner(LocalRunner(Path(sys.argv[1]))):
    run_step(LastingCopyParams(behaviour="go_on"))
"""


def unfinished(machine: Machine) -> list[str]:
    return [path.read_text() for path in (machine.folder / "scratch" / "partials").glob("fake.copy/*/lines.txt")]


def begin_and_kill(machine: Machine) -> None:
    with machine.process(DRIVER) as worker:
        wait_until(lambda: unfinished(machine) == ["a line\n"])
        worker.send_signal(signal.SIGKILL)
        worker.wait()


def test_the_next_attempt_goes_on(machine: Machine) -> None:
    begin_and_kill(machine)
    run_step(LastingCopyParams(behaviour="go_on"))
    assert unfinished(machine) == []
    assert not list((machine.folder / "scratch" / "partials").glob("fake.copy/*"))


def test_other_work_has_a_folder_of_its_own(machine: Machine) -> None:
    begin_and_kill(machine)
    run_step(LastingCopyParams(behaviour="write"))
    assert unfinished(machine) == ["a line\n"]


def test_a_step_that_keeps_nothing_has_no_folder(machine: Machine) -> None:
    with pytest.raises(StepError, match="CLEARGROUND_PARTIALS"):
        run_step(machine.copy_params(behaviour="go_on"))
    assert not (machine.folder / "scratch" / "partials").exists()


def test_gc_removes_abandoned_work(machine: Machine) -> None:
    begin_and_kill(machine)
    assert "partials" not in machine.store.gc(keep_days=1).steps
    assert machine.store.gc(keep_days=0).steps["partials"].files == 1
    assert unfinished(machine) == []
