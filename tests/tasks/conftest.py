"""A machine of its own for every test: checkout with a fake step, store, scratch, settings."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from containers.base.contract.files import File, output_file
from tasks.local_runner import LocalRunner
from tasks.runner import use_runner
from tasks.settings import Settings, get_settings
from tasks.store import Store, open_store
from tests.conftest import ROOT, S3Server
from tests.tasks.checkout.containers.fake.contract import CopyParams


@dataclass(frozen=True)
class Machine:
    """Where the test's things are."""

    checkout: Path
    folder: Path

    @property
    def settings(self) -> Settings:
        return get_settings()

    @property
    def store(self) -> Store:
        return open_store(get_settings())

    @property
    def trace(self) -> Path:
        return self.folder / "trace"

    @property
    def n_executions(self) -> int:
        return len(self.trace.read_text().splitlines()) if self.trace.exists() else 0

    @contextmanager
    def process(self, script: str, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
        """Another process on this machine, which the test may kill and which ends with it."""
        environment = {**os.environ, "PYTHONPATH": f"{self.checkout}:{ROOT}"}
        command = [sys.executable, "-c", script, str(self.checkout), *arguments]
        process = subprocess.Popen(command, cwd=self.folder, env=environment)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def copy_params(self, cls: type[CopyParams] = CopyParams, **values: object) -> CopyParams:
        return cls.model_validate({"trace": str(self.trace), **values})


def make_checkout(folder: Path) -> Path:
    """A checkout with the real `containers/base` and a fake image."""
    shutil.copytree(ROOT / "tests" / "tasks" / "checkout", folder)
    (folder / "containers" / "base").symlink_to(ROOT / "containers" / "base")
    return folder


def point_settings(monkeypatch: pytest.MonkeyPatch, folder: Path, store: str) -> None:
    for name, value in {"STORE": store, "SCRATCH": str(folder / "scratch"), "RUNNER": "local"}.items():
        monkeypatch.setenv(f"CLEARGROUND_{name}", value)
    get_settings.cache_clear()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Folder store, local runner, fake checkout."""
    checkout = make_checkout(tmp_path / "checkout")
    point_settings(monkeypatch, tmp_path, str(tmp_path / "store"))
    with use_runner(LocalRunner(checkout)):
        yield Machine(checkout, tmp_path)
    get_settings.cache_clear()


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty store, once in a folder and once in a bucket."""
    place = str(tmp_path / "store")
    if request.param == "bucket":
        server: S3Server = request.getfixturevalue("s3_server")
        place = f"s3://{server.bucket}/store"
    point_settings(monkeypatch, tmp_path, place)
    yield open_store(get_settings())
    get_settings.cache_clear()


@pytest.fixture
def written(store: Store) -> Callable[..., File]:
    """Writes a file into an attempt folder, and describes it as a step would."""

    def write(folder: Path, name: str = "a.tif", content: str = "pixels") -> File:
        (folder / name).write_text(content)
        return output_file(folder / name)

    return write
