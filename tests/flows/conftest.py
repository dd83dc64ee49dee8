"""One whole run of the tiny demo for every test that looks at its results."""

from collections.abc import Iterator

import pytest

from tests.demo_run import Demo


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
