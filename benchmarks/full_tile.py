"""A whole Sentinel-2 tile: memory and seconds of every step of the job, held against the bar of 2 GiB.

`python -m benchmarks.full_tile` simulates the archive of the profile `full` (5490 × 5490 cells, two years), runs the
job over it by the local runner, and exits with 1 where a step took more. What the store has already is not run again:
its figures are those of the run that made it. Memory is that of a step's largest process; seconds are those of steps
that share the machine.
"""

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from tasks import checkout
from tasks.ledger import Row, rows
from tasks.records import Record
from tasks.store import Store

PROFILE: Final = "full"
MOST_MB: Final = 2048
"""The memory that a step of the job may take."""
_OUTSIDE: Final = "eodata.simulate"
"""It makes the archive, and is no step of the job: told, not judged."""


class Spent(NamedTuple):
    """What the runs of one step took."""

    step: str
    runs: int
    seconds: float
    """Of all runs."""
    peak_mb: float
    """Of the largest; not a number, which passes no bar, where a run has not told it."""

    @property
    def passed(self) -> bool | None:
        return None if self.step == _OUTSIDE else self.peak_mb <= MOST_MB


def main() -> None:
    checkout.use_own_prefect()
    os.environ["CLEARGROUND_RUNNER"] = "local"
    console = Console()
    spent = spent_by_step(measure(console))
    print_spent(spent, console)
    document = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "most_mb": MOST_MB,
        "steps": [{**each._asdict(), "passed": each.passed} for each in spent],
    }
    path = checkout.STATE / "full_tile.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    console.print(f"Figures: {path}")
    sys.exit(1 if any(each.passed is False for each in spent) else 0)


def measure(console: Console) -> list[Record]:
    """Run the job; the records of all its steps, and of the archive's."""
    from benchmarks.job import run_job
    from tasks.eodata import archive_params

    job = run_job(archive_params(PROFILE), PROFILE, console)
    return list(records_of(job.store, [*rows(), *job.rows]))


def records_of(store: Store, told: Sequence[Row]) -> Iterator[Record]:
    """The record behind every key that a ledger tells, once."""
    for key in dict.fromkeys(row.key for row in told if row.key):
        for folder in store.local_root.glob(f"*/{key}"):
            if record := store.find(folder.parent.name, key):
                yield record


def spent_by_step(records: Sequence[Record]) -> list[Spent]:
    """In the order of the job."""
    by_step: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_step[record.step].append(record)
    return [Spent(step, len(runs), sum(run.seconds for run in runs), _largest(runs)) for step, runs in by_step.items()]


def _largest(runs: Sequence[Record]) -> float:
    known = [run.peak_mb for run in runs if run.peak_mb is not None]
    return max(known) if len(known) == len(runs) else float("nan")


def print_spent(spent: Sequence[Spent], console: Console) -> None:
    table = Table("step", "runs", "seconds", "peak MiB", "", title=f"A full tile: at most {MOST_MB} MiB a step")
    words = {True: "[green]pass[/]", False: "[bold red]FAIL[/]", None: ""}
    for each in spent:
        table.add_row(each.step, f"{each.runs}", f"{each.seconds:.0f}", f"{each.peak_mb:.0f}", words[each.passed])
    console.print(table)


if __name__ == "__main__":
    main()
