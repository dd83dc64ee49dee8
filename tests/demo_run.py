"""The demo as a user would start it, with a state folder of its own."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
RUN_LIMIT_S = 1500


@dataclass(frozen=True)
class Demo:
    """A checkout state of its own, in which the demo has run."""

    state: Path
    output: str
    runner: str = "local"
    command: tuple[str, ...] = ("demo", "--profile", "tiny")
    """The command line that made it: the same again goes on where a killed one was."""
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PREFECT_"))}
        own = {"CLEARGROUND_STATE": str(self.state), "CLEARGROUND_RUNNER": self.runner, "COLUMNS": "200"}
        return {**kept, **own, **self.variables}

    @property
    def product(self) -> Path:
        return self.state / "products" / "impervious-change-tiny"

    @property
    def log(self) -> str:
        """What the run in the background has said so far."""
        return (self.state / "again.log").read_text()

    def clearground(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line; its output is captured."""
        return subprocess.run(
            [sys.executable, "-m", "flows.cli", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=RUN_LIMIT_S,
        )  # fmt: skip

    @contextmanager
    def started(self) -> Iterator["subprocess.Popen[bytes]"]:
        """The same command once more, in the background."""
        command = [sys.executable, "-m", "flows.cli", *self.command]
        with (self.state / "again.log").open("wb") as log:
            run = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield run
        finally:
            run.kill()
            run.wait()

    def run_again(self) -> None:
        """The same command once more, which must succeed."""
        again = self.clearground(*self.command)
        assert again.returncode == 0, again.stdout[-3000:] + again.stderr[-3000:]


class Lost(NamedTuple):
    """An artifact whose record has been taken away."""

    record: Path
    params: dict[str, Any]

    @property
    def attempts(self) -> set[Path]:
        """What lies below its key; a step that runs has added to it."""
        return set(self.record.parent.iterdir())

    @property
    def aligned_scene(self) -> str:
        """The task run that makes it, where it is an aligned scene."""
        scene = self.params["parts"][0]
        return f"align {scene['tile']} {scene['datetime'][:10]}"


@contextmanager
def forgotten(demo: Demo, step: str) -> Iterator[Lost]:
    """A step's newest artifact without its record, as if never finished.

    Where nothing has made it again, the record comes back: no failed test leaves its demo to the next one in pieces.
    """
    record = newest_folder(demo, step).parent / "result.json"
    text, times = record.read_text(), (record.stat().st_atime, record.stat().st_mtime)
    record.unlink()
    try:
        yield Lost(record, json.loads(text)["params"])
    finally:
        if not record.exists():
            record.write_text(text)
            os.utime(record, times)


def ledger_of(demo: Demo) -> pd.DataFrame:
    """The rows of the newest run, also of one that still runs."""
    run = max((demo.state / "store" / "runs").iterdir(), key=lambda path: path.stat().st_ctime)
    rows = [json.loads(path.read_text()) for path in sorted(run.glob("rows/*.json"))]
    return pd.DataFrame(rows, columns=["at", "status", "subject", "code", "reason", "hint", "seconds", "key"])


def artifacts(demo: Demo) -> dict[str, float]:
    """Record to its time of writing."""
    return {str(path): path.stat().st_mtime for path in (demo.state / "store").glob("*/*/result.json")}


def newest_folder(demo: Demo, step: str) -> Path:
    """The files of the step's newest artifact."""
    record = max((demo.state / "store" / step).glob("*/result.json"), key=lambda path: path.stat().st_mtime)
    attempt: str = json.loads(record.read_text())["attempt"]
    return record.parent / attempt


def remade(demo: Demo, before: dict[str, float]) -> set[Path]:
    """The records that were written anew since `artifacts` told of them; none may be new or missing."""
    after = artifacts(demo)
    assert set(after) == set(before)
    return {Path(path) for path in after if after[path] != before[path]}


def product_sums(demo: Demo) -> dict[str, str]:
    """Checksums of every map and of the table per region."""
    paths = [*(demo.product / "rasters").glob("*.tif"), demo.product / "regional_data.csv"]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def subjects_with(demo: Demo, **column: str) -> set[str]:
    """Subjects of the newest ledger's rows in which a column has this value."""
    rows = ledger_of(demo)
    [(name, value)] = column.items()
    return set(rows[rows[name] == value]["subject"])


def latest_runs(demo: Demo, count: int, kind: str = "flow") -> list[dict[str, Any]]:
    """Prefect's latest flow or task runs, newest first."""
    port = json.loads((demo.state / "ports.json").read_text())["prefect"]
    query = {"sort": "START_TIME_DESC" if kind == "flow" else "EXPECTED_START_TIME_DESC", "limit": count}
    answer = httpx.post(f"http://127.0.0.1:{port}/api/{kind}_runs/filter", json=query, trust_env=False, timeout=30)
    runs: list[dict[str, Any]] = answer.raise_for_status().json()
    return runs
