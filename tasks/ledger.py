"""What a run did, reused, skipped and failed at: one row each, never silence."""

import csv
import io
import os
import time
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

import prefect.runtime
from prefect.artifacts import create_table_artifact

from containers.base.contract.model import Contract
from tasks.settings import get_settings
from tasks.shelf import Shelf
from tasks.step_log import in_prefect_run
from tasks.store import open_store

if TYPE_CHECKING:
    from tasks.catalogue.answer import RawAnswer

Status = Literal["done", "reused", "skipped", "warning", "failed"]
_MOST_SHOWN: Final = 500
_RUN_OF_THIS_PROCESS: Final = f"process-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}"


class Row(Contract):
    """One thing that happened in a run."""

    at: datetime
    status: Status
    subject: str
    code: str = ""
    reason: str = ""
    hint: str = ""
    seconds: float = 0.0
    peak_mb: float | None = None
    key: str = ""


def run_id() -> str:
    """The flow run that rows belong to; outside one, a name for this process."""
    found: str | None = prefect.runtime.flow_run.id
    return found or _RUN_OF_THIS_PROCESS


def add(
    status: Status,
    subject: str,
    *,
    code: str = "",
    reason: str = "",
    hint: str = "",
    seconds: float = 0.0,
    peak_mb: float | None = None,
    key: str = "",
) -> None:
    """Write a row into the store, where it survives the process; safe from any thread, process or machine."""
    row = Row(
        at=datetime.now(UTC),
        status=status,
        subject=subject,
        code=code,
        reason=reason,
        hint=hint,
        seconds=seconds,
        peak_mb=peak_mb,
        key=key,
    )
    name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"
    _shelf().create(f"runs/{run_id()}/rows/{name}.json", row.model_dump_json())


def skip(subject: str, code: str, reason: str, hint: str) -> None:
    """Note that something was left out, and why."""
    add("skipped", subject, code=code, reason=reason, hint=hint)


def keep_answers(answers: Iterable["RawAnswer"]) -> None:
    """Keep what a catalogue has answered, as it came, beside the run's ledger."""
    for answer in answers:
        _shelf().overwrite(f"runs/{run_id()}/answers/{answer.name}", answer.content.decode())


def rows(run: str | None = None) -> list[Row]:
    """The rows of a run, in the order of time; by default of this run."""
    shelf = _shelf()
    documents = [shelf.read(entry.path) for entry in shelf.entries(f"runs/{run or run_id()}/rows")]
    return [Row.model_validate_json(document.text) for document in documents if document]


def close_ledger(run: str | None = None) -> list[Row]:
    """Publish a run's rows as `runs/<run>/ledger.csv` in the store and as a Prefect table; by default of this run."""
    run = run or run_id()
    found = rows(run)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(Row.model_fields))
    writer.writeheader()
    writer.writerows(row.model_dump(mode="json") for row in found)
    _shelf().overwrite(f"runs/{run}/ledger.csv", text.getvalue())
    if in_prefect_run():
        shown = sorted(found, key=lambda row: not row.code)[:_MOST_SHOWN]
        create_table_artifact(
            [row.model_dump(mode="json") for row in shown],
            key="ledger",
            description=f"What this run did, reused, skipped and failed at: {len(shown)} of {len(found)} rows",
        )
    return found


def _shelf() -> Shelf:
    return open_store(get_settings()).shelf
