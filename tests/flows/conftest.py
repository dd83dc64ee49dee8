"""One whole run of the tiny demo, as a user would start it, for every test that looks at its results."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN_LIMIT_S = 1500


@dataclass(frozen=True)
class Demo:
    """A checkout state of its own, in which the demo has run."""

    state: Path
    output: str

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PREFECT_"))}
        return {**kept, "CLEARGROUND_STATE": str(self.state), "CLEARGROUND_RUNNER": "local", "COLUMNS": "200"}

    @property
    def product(self) -> Path:
        return self.state / "products" / "impervious-change-tiny"

    def clearground(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line; its output is captured."""
        return subprocess.run(
            [sys.executable, "-m", "flows.cli", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=RUN_LIMIT_S,
        )  # fmt: skip


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
