"""The demo as a user would start it, with a state folder of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
RUN_LIMIT_S = 1500


@dataclass(frozen=True)
class Demo:
    """A checkout state of its own, in which the demo has run."""

    state: Path
    output: str
    runner: str = "local"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PREFECT_"))}
        return {**kept, "CLEARGROUND_STATE": str(self.state), "CLEARGROUND_RUNNER": self.runner, "COLUMNS": "200"}

    @property
    def product(self) -> Path:
        return self.state / "products" / "impervious-change-tiny"

    def clearground(self, *arguments: str, variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command line; its output is captured."""
        return subprocess.run(
            [sys.executable, "-m", "flows.cli", *arguments],
            cwd=ROOT, env=self.environment | (variables or {}), capture_output=True, text=True, timeout=RUN_LIMIT_S,
        )  # fmt: skip


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
