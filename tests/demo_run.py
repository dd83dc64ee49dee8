"""The demo as a user would start it, with a state folder of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
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
