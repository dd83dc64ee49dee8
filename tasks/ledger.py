"""What a run did, reused, skipped and failed at: one row each, never silence."""

import csv
import io
import os
import time
import uuid
from datetime import UTC, datetime
from typing import Final, Literal

import prefect.runtime
from prefect.artifacts import create_table_artifact

from containers.base.contract.model import Contract
from containers.base.contract.step import StepError
from tasks.settings import get_settings
from tasks.shelf import Shelf
from tasks.step_log import in_prefect_run
from tasks.store import open_store

Status = Literal["done", "reused", "skipped", "warning", "failed"]
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
        key=key,
    )
    name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"
    _shelf().create(f"runs/{run_id()}/rows/{name}.json", row.model_dump_json())


def skip(subject: str, reason: StepError) -> None:
    """Note that something was left out, and why."""
    add("skipped", subject, code=reason.code, reason=reason.reason, hint=reason.hint)


def rows(run: str | None = None) -> list[Row]:
    """The rows of a run, in the order of time; by default of this run."""
    shelf = _shelf()
    documents = [shelf.read(entry.path) for entry in shelf.entries(f"runs/{run or run_id()}/rows")]
    return [Row.model_validate_json(document.text) for document in documents if document]


def table() -> list[dict[str, object]]:
    """Publish this run's rows as a CSV file in the store and, inside a run, as a Prefect table; returns them."""
    found = [row.model_dump(mode="json") for row in rows()]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(Row.model_fields))
    writer.writeheader()
    writer.writerows(found)
    _shelf().overwrite(f"runs/{run_id()}/ledger.csv", text.getvalue())
    if in_prefect_run():
        create_table_artifact(found, key="ledger", description="What this run did, reused, skipped and failed at")
    return found


def _shelf() -> Shelf:
    return open_store(get_settings()).shelf
