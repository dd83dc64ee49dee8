"""One whole run of the tiny demo for every test that looks at its results; an archive by hand for bad input."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.archive_limit import ensure_archive_limit
from tasks.settings import get_settings
from tests.containers.conftest import docker_engine, image_ids
from tests.demo_run import Demo

__all__ = ["demo", "docker_engine", "image_ids"]
from tests.small_archive import SmallArchive


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The tiny demo by local processes: simulated archive, S3 on loopback, Prefect server, flow, product."""
    waiting = Demo(tmp_path_factory.mktemp("demo") / "state", "")
    finished = waiting.clearground("demo", "--profile", "tiny")
    try:
        assert finished.returncode == 0, finished.stdout[-4000:] + finished.stderr[-6000:]
        yield Demo(waiting.state, finished.stdout)
    finally:
        waiting.clearground("down")


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefect_server: None) -> Iterator[SmallArchive]:
    """An archive of nothing yet, an empty store, and the limit that steps which read the archive ask for."""
    for name, value in {"STORE": tmp_path / "store", "SCRATCH": tmp_path / "scratch"}.items():
        monkeypatch.setenv(f"CLEARGROUND_{name}", str(value))
    get_settings.cache_clear()
    ensure_archive_limit(get_settings())
    yield SmallArchive(tmp_path)
    get_settings.cache_clear()
