"""Steps in containers: locked down, bounded, and gone afterwards. Needs an engine and the image `gdal`."""

import io
import os
import signal
import tarfile
import time
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from docker.errors import APIError

from containers.base.contract.step import StepError
from tasks import images, ledger
from tasks.docker_runner import DockerRunner, remove
from tasks.orphans import sweep
from tasks.runner import run_step, use_runner
from tasks.settings import Settings, get_settings
from tests.conftest import ROOT
from tests.tasks.checkout.containers.fake.contract import (
    CopyParams,
    CopyResult,
    HastyCopyParams,
    LoggingCopyParams,
    NetworkCopyParams,
)
from tests.tasks.conftest import Machine
from tests.tasks.waiting import wait_until

if TYPE_CHECKING:
    from docker import DockerClient

pytestmark = pytest.mark.container
TAG = f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def fake_image(engine: "DockerClient") -> Iterator[str]:
    """The gdal image with the fake step added."""
    base = images.find(engine, Settings(), "gdal")
    source = ROOT / "tests" / "tasks" / "checkout" / "containers" / "fake"
    dockerfile = f"FROM {base.id}\nCOPY fake /opt/clearground/containers/fake\n".encode()
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        tar.add(source, "fake", filter=lambda member: None if "__pycache__" in member.name else member)
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(dockerfile)
        tar.addfile(entry, io.BytesIO(dockerfile))
    context.seek(0)
    name = f"clearground/fake:{TAG}"
    engine.images.build(fileobj=context, custom_context=True, tag=name, rm=True)
    yield name
    engine.images.remove(name, force=True)


@pytest.fixture
def docked(machine: Machine, fake_image: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """The machine, with its steps in containers."""
    monkeypatch.setenv("CLEARGROUND_IMAGE_TAG", TAG)
    get_settings.cache_clear()
    with use_runner(DockerRunner(get_settings())):
        yield machine


def code_of(params: CopyParams) -> str:
    with pytest.raises(StepError) as caught:
        run_step(params)
    return caught.value.code


def containers_of_ours(engine: "DockerClient") -> list[str]:
    found = engine.containers.list(all=True, filters={"label": "clearground.step=fake.copy"}, ignore_removed=True)
    return [container.id for container in found]


def test_chain_of_steps_and_reuse(docked: Machine, engine: "DockerClient") -> None:
    first: CopyResult = run_step(CopyParams(text="one "))
    params = CopyParams(source=first.written, text="two")
    second: CopyResult = run_step(params)
    assert docked.store.path_of(second.written).read_text() == "one two"
    again: CopyResult = run_step(params)
    assert again == second
    assert containers_of_ours(engine) == []


def test_every_container_tells_its_owner(docked: Machine, engine: "DockerClient", fake_image: str) -> None:
    """Also the one that only shows the image's code: a kill at that moment must not leave it for ever."""
    since = time.time()
    run_step(CopyParams())
    ours = {"event": "create", "image": str(engine.images.get(fake_image).id)}
    events = list(engine.events(since=since, until=time.time(), filters=ours, decode=True))
    assert [event["Actor"]["Attributes"]["clearground.step"] for event in events] == ["sources", "fake.copy"]
    assert all("clearground.owner" in event["Actor"]["Attributes"] for event in events)


def removal_answered(status: int) -> SimpleNamespace:
    """A container whose removal the engine answers with this status."""

    def refuse(**_: bool) -> None:
        raise APIError("planned", response=SimpleNamespace(status_code=status))

    return SimpleNamespace(remove=refuse)


def test_removal_by_somebody_else_is_as_good() -> None:
    remove(removal_answered(409))
    with pytest.raises(APIError):
        remove(removal_answered(500))


def test_what_a_step_can_reach(docked: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "do-not-tell")
    result: CopyResult = run_step(CopyParams(behaviour="look_around"))
    assert "do-not-tell" not in "".join(result.seen.values())
    assert result.seen["CLEARGROUND_STORE"] == "/store"
    assert result.seen["uid"] == str(65532 if os.geteuid() == 0 else os.geteuid())
    assert result.seen["interfaces"] == "lo"
    assert result.seen["writable"] == "attempt scratch"
    assert result.seen["capabilities"] == "0000000000000000"


def test_keys_come_in_a_private_file(docked: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "do-not-tell")
    get_settings.cache_clear()
    result: CopyResult = run_step(NetworkCopyParams(behaviour="look_around"))
    assert "do-not-tell" not in "".join(result.seen.values())
    assert result.seen["credentials"] == "0o400 2 keys"
    assert result.seen["interfaces"] != "lo"


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [("refuse", "corrupt_file"), ("crash", "crashed"), ("swell", "out_of_memory"), ("fill_disk", "disk_full")],
)
def test_failure_has_its_code_and_leaves_nothing(
    docked: Machine, engine: "DockerClient", behaviour: str, code: str
) -> None:
    assert code_of(CopyParams.model_validate({"behaviour": behaviour})) == code
    assert containers_of_ours(engine) == []
    assert not list(docked.store.local_root.glob("fake.copy/*/*"))


def test_too_slow(docked: Machine, engine: "DockerClient") -> None:
    assert code_of(HastyCopyParams(behaviour="sleep")) == "timed_out"
    assert containers_of_ours(engine) == []


def test_log_stays_on_the_host(docked: Machine) -> None:
    run_step(LoggingCopyParams(behaviour="keep_log"))
    (log,) = (docked.folder / "scratch" / "side").glob("fake.copy/*/*/log.txt")
    assert log.read_text() == "epoch 1"
    assert ledger.rows()[0].hint == f"Log: cat {log.parents[1]}/*/log.txt"


def test_peak_memory_is_that_of_the_step(docked: Machine) -> None:
    run_step(CopyParams(behaviour="take_memory"))
    (row,) = ledger.rows()
    assert row.peak_mb is not None
    assert 100 < row.peak_mb < 250


def test_absent_image(docked: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARGROUND_IMAGE_TAG", "never-built")
    get_settings.cache_clear()
    with use_runner(DockerRunner(get_settings())), pytest.raises(StepError, match=r"no_image.*make images"):
        run_step(CopyParams())


def test_code_id_is_that_of_the_image(docked: Machine) -> None:
    runner = DockerRunner(get_settings())
    before = runner.code_of(CopyParams)
    source = docked.checkout / "containers" / "fake" / "copy.py"
    source.write_text("raise SystemExit\n")
    assert runner.code_of(CopyParams) == before


DRIVER = """
from containers.fake.contract import CopyParams
from tasks.docker_runner import DockerRunner, remove
from tasks.runner import run_step, use_runner
from tasks.settings import get_settings
with use_runner(DockerRunner(get_settings())):
    run_step(CopyParams(behaviour="sleep"))
"""


def test_container_of_a_killed_worker_is_swept(docked: Machine, engine: "DockerClient") -> None:
    with docked.process(DRIVER) as worker:
        wait_until(lambda: bool(containers_of_ours(engine)))
        sweep(get_settings())
        assert len(containers_of_ours(engine)) == 1
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        removed = sweep(get_settings())
    assert containers_of_ours(engine) == []
    assert [item.split()[0] for item in removed] == ["container", "folder"]
    assert not list((docked.folder / "scratch" / "jobs").iterdir())


def test_killed_container_ends_with_a_code_and_is_made_again(docked: Machine, engine: "DockerClient") -> None:
    with docked.process(DRIVER) as worker:
        wait_until(lambda: bool(containers_of_ours(engine)))
        container = engine.containers.get(containers_of_ours(engine)[0])
        wait_until(lambda: container.reload() or container.status == "running")
        container.kill("SIGKILL")
        assert worker.wait(30) == 1
    (row,) = [row for run in docked.store.shelf.entries("runs") for row in [docked.store.shelf.read(run.path)] if row]
    assert '"code":"out_of_memory"' in row.text
    assert containers_of_ours(engine) == []
    assert not list(docked.store.local_root.glob("fake.copy/*/*"))
    assert sweep(get_settings()) == []
    result: CopyResult = run_step(CopyParams(text="made again"))
    assert docked.store.path_of(result.written).read_text() == "made again"
