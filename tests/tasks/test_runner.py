"""Steps run once per key, whatever happens to them."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from containers.base.contract.step import Execution, StepError
from tasks import ledger
from tasks.runner import run_step
from tasks.settings import get_settings
from tests.conftest import S3Server
from tests.tasks.checkout.containers.fake.contract import CopyParams, CopyResult, HastyCopyParams, NetworkCopyParams
from tests.tasks.conftest import Machine, point_settings
from tests.tasks.waiting import wait_until


def copied(machine: Machine, params: CopyParams) -> str:
    result: CopyResult = run_step(params)
    return machine.store.path_of(result.written).read_text()


def code_of(params: CopyParams) -> str:
    with pytest.raises(StepError) as caught:
        run_step(params)
    return caught.value.code


def test_second_run_reuses_the_first(machine: Machine) -> None:
    params = machine.copy_params(text="hello")
    assert copied(machine, params) == "hello"
    assert copied(machine, params.model_copy(update={"execution": Execution(threads=7)})) == "hello"
    assert machine.n_executions == 1
    assert [row.status for row in ledger.rows()] == ["done", "reused"]


def test_peak_memory_is_kept_and_told_of_what_was_done(machine: Machine) -> None:
    params = machine.copy_params(behaviour="take_memory")
    run_step(params)
    run_step(params)
    done, reused = ledger.rows()
    record = machine.store.find("fake.copy", done.key)
    assert record is not None
    assert record.peak_mb is not None
    assert 100 < record.peak_mb < 250
    assert (done.peak_mb, reused.peak_mb) == (record.peak_mb, None)
    assert "peak" not in str(record.result)


def test_only_named_files_are_kept(machine: Machine) -> None:
    result: CopyResult = run_step(machine.copy_params(text="hello"))
    attempt = machine.store.path_of(result.written).parent
    assert [path.name for path in attempt.iterdir()] == ["copy.txt"]
    assert not os.access(attempt / "copy.txt", os.W_OK) or os.geteuid() == 0


def test_output_of_one_is_input_of_the_next(machine: Machine) -> None:
    first: CopyResult = run_step(machine.copy_params(text="one "))
    assert copied(machine, machine.copy_params(source=first.written, text="two")) == "one two"


def test_lost_or_shortened_output_is_made_again(machine: Machine) -> None:
    params = machine.copy_params(text="hello")
    first: CopyResult = run_step(params)
    path = machine.store.path_of(first.written)
    path.unlink()
    second: CopyResult = run_step(params)
    machine.store.path_of(second.written).chmod(0o644)
    machine.store.path_of(second.written).write_text("hell")
    assert copied(machine, params) == "hello"
    assert machine.n_executions == 3


def test_store_in_a_bucket_serves_two_machines(
    machine: Machine, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"s3://{s3_server.bucket}/store"
    point_settings(monkeypatch, machine.folder / "here", place)
    first: CopyResult = run_step(machine.copy_params(text="one "))
    point_settings(monkeypatch, machine.folder / "there", place)
    assert copied(machine, machine.copy_params(source=first.written, text="two")) == "one two"
    assert copied(machine, machine.copy_params(text="one ")) == "one "
    assert machine.n_executions == 2


def test_edit_of_code_recomputes_but_not_of_a_comment(machine: Machine) -> None:
    source = machine.checkout / "containers" / "fake" / "copy.py"
    params = machine.copy_params(text="hello")
    run_step(params)
    source.write_text(source.read_text().replace("The content of the output.", "What is written.") + "\n# a comment\n")
    run_step(params)
    assert machine.n_executions == 1
    source.write_text(source.read_text().replace("return source + text", "return source + text.upper()"))
    assert copied(machine, params) == "HELLO"


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ("refuse", "corrupt_file"),
        ("be_throttled", "throttled"),
        ("crash", "crashed"),
        ("lie", "crashed"),
        ("fill_disk", "disk_full"),
        ("swell", "out_of_memory"),
    ],
)
def test_failure_has_its_code_and_leaves_nothing(machine: Machine, behaviour: str, code: str) -> None:
    assert code_of(machine.copy_params(behaviour=behaviour)) == code
    assert [row.code for row in ledger.rows()] == [code]
    assert not list(machine.store.local_root.glob("fake.copy/*/*"))
    assert not list((machine.folder / "scratch" / "jobs").iterdir())


def test_crash_shows_the_end_of_the_log(machine: Machine) -> None:
    with pytest.raises(StepError, match="a defect, told in the last line"):
        run_step(machine.copy_params(behaviour="crash"))


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_wrong_parameters_are_named(machine: Machine) -> None:
    params = machine.copy_params().model_copy(update={"text": 7})
    with pytest.raises(StepError, match=r"bad_parameters.*(?s:.)*text"):
        run_step(params)


def test_too_slow(machine: Machine) -> None:
    started = time.monotonic()
    assert code_of(machine.copy_params(HastyCopyParams, behaviour="sleep")) == "timed_out"
    assert time.monotonic() - started < 10


def test_log_is_bounded(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="clearground")
    run_step(machine.copy_params(behaviour="chatter"))
    lines = [record.getMessage() for record in caplog.records if record.name == "clearground"]
    assert lines[:2] == ["line 0", "line 1"]
    assert len(lines) == 501
    assert "more than 500 lines" in lines[-1]


def test_step_sees_no_secrets(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "do-not-tell")
    monkeypatch.setenv("SOME_TOKEN", "do-not-tell")
    result: CopyResult = run_step(machine.copy_params(behaviour="look_around"))
    assert "do-not-tell" not in "".join(result.seen.values())
    assert not {"AWS_SECRET_ACCESS_KEY", "AWS_S3_ENDPOINT", "SOME_TOKEN"} & set(result.seen)


def test_network_step_gets_a_file_of_keys(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "do-not-tell")
    monkeypatch.setenv("AWS_S3_ENDPOINT", "archive:9000")
    get_settings.cache_clear()
    result: CopyResult = run_step(machine.copy_params(NetworkCopyParams, behaviour="look_around"))
    assert "do-not-tell" not in "".join(result.seen.values())
    assert result.seen["AWS_S3_ENDPOINT"] == "archive:9000"
    assert result.seen["AWS_SHARED_CREDENTIALS_FILE"] == result.seen["CPL_AWS_CREDENTIALS_FILE"]
    assert not Path(result.seen["AWS_SHARED_CREDENTIALS_FILE"]).exists()


DRIVER = """
import sys
from pathlib import Path
from containers.fake.contract import CopyParams
from tasks.local_runner import LocalRunner
from tasks.runner import run_step, use_runner
with use_runner(LocalRunner(Path(sys.argv[1]))):
    run_step(CopyParams.model_validate_json(sys.argv[2]))
"""


def wait_for(path: Path) -> str:
    wait_until(lambda: path.exists() and bool(path.read_text()))
    return path.read_text()


def has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_kill_leaves_nothing_running_and_nothing_half_done(machine: Machine) -> None:
    params = machine.copy_params(behaviour="spawn")
    with machine.process(DRIVER, params.model_dump_json()) as process:
        grandchild = psutil.Process(int(wait_for(machine.store.local_root / "grandchild.pid")))
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_until(lambda: has_ended(grandchild))
    assert not list(machine.store.local_root.glob("fake.copy/*/result.json"))


def test_lease_of_the_dead_is_taken_over_at_once(machine: Machine) -> None:
    slow = machine.copy_params(behaviour="sleep", text="hello")
    with machine.process(DRIVER, slow.model_dump_json()) as process:
        wait_for(machine.trace)
        lease = next(machine.store.local_root.glob("fake.copy/*/lease.json"))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert lease.exists()
    started = time.monotonic()
    with machine.store.lease("fake.copy", lease.parent.name, limit_s=5) as found:
        assert found is None
    assert time.monotonic() - started < 2


def test_second_starter_waits_for_the_first(machine: Machine) -> None:
    params = machine.copy_params(behaviour="chatter", text="hello")
    with machine.process(DRIVER, params.model_dump_json()) as process:
        wait_for(machine.trace)
        assert copied(machine, params) == "hello"
        assert process.wait(30) == 0
    assert machine.n_executions == 1
