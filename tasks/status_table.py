"""The job table of earlier batch systems (Name, Result, Task_id) taken into a scene ledger."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tasks.scene_ledger import SceneRecord, SceneStatus, acquisition_of, bad_ledger

_COLUMNS: Final = ("Name", "Result")
_STATUS: Final[dict[str, SceneStatus | None]] = {
    "completed": "done",
    "succeeded": "done",
    "failed": "failed",
    "out of area": "out_of_area",
    "cancelled": "failed",
    "cancel_requested": "failed",
    "ready": None,
    "pending": None,
    "running": None,
}
"""Result to status; None for tasks that had not ended, which leave nothing to know."""


def read_statuses(path: Path) -> Iterator[SceneRecord]:
    """The records of a CSV table, row by row; times are the file's. Raises `bad_ledger`, naming the row."""
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    with path.open(newline="", encoding="utf-8-sig") as stream:
        table = csv.DictReader(stream)
        if missing := [name for name in _COLUMNS if name not in (table.fieldnames or ())]:
            raise bad_ledger(
                f"{path.name} lacks the columns {missing}; it has {table.fieldnames}",
                "Export the table as CSV with Name, Result and Task_id.",
            )
        for row in table:
            result = (row["Result"] or "").strip().lower()
            if result not in _STATUS:
                raise bad_ledger(
                    f"{path.name}, line {table.line_num}: Result is {row['Result']!r}",
                    f"Known are {', '.join(_STATUS)}.",
                )
            acquisition_of(row["Name"])
            if status := _STATUS[result]:
                yield SceneRecord(scene_id=row["Name"], status=status, code=f"imported:{result}", at=at)
