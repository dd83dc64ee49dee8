"""What a step prints: progress for the Prefect UI, a bounded number of log lines, and a tail for the crash report."""

import logging
import time
from collections import deque
from typing import Any, Final, cast
from uuid import UUID

import httpx
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.context import FlowRunContext, TaskRunContext
from prefect.exceptions import PrefectException
from prefect.logging import get_run_logger
from pydantic import ValidationError

from containers.base.contract.step import Progress

MOST_LINES: Final = 500
LONGEST_LINE: Final = 2_000
_TAIL_LINES: Final = 60
_UPDATE_S: Final = 3.0
_TELL_S: Final = 15.0
_PROGRESS_START: Final = '{"event":"progress"'
Logger = logging.Logger | logging.LoggerAdapter[Any]


def in_prefect_run() -> bool:
    """Whether this code runs inside a flow or task run."""
    return FlowRunContext.get() is not None or TaskRunContext.get() is not None


def run_logger() -> Logger:
    """The run's logger, whose lines the UI shows; outside a run, Python's."""
    return get_run_logger() if in_prefect_run() else logging.getLogger("clearground")


class StepLog:
    """Takes a step's lines one by one, from one thread."""

    def __init__(self, step: str) -> None:
        self._step = step
        self._logger = run_logger()
        self._lines: deque[str] = deque(maxlen=_TAIL_LINES)
        self._n_lines = 0
        self._bar = ProgressBar(step) if in_prefect_run() else None

    @property
    def tail(self) -> str:
        """The last lines."""
        return "\n".join(self._lines)

    def line(self, text: str) -> None:
        text = text.rstrip()[:LONGEST_LINE]
        if text.startswith(_PROGRESS_START) and (progress := _progress(text)):
            if self._bar:
                self._bar.move(progress)
            return
        self._lines.append(text)
        self._n_lines += 1
        if self._n_lines <= MOST_LINES:
            self._logger.info("%s", text)
        elif self._n_lines == MOST_LINES + 1:
            self._logger.warning("%s prints more than %d lines: the rest is not logged", self._step, MOST_LINES)

    def close(self) -> None:
        if self._bar:
            self._bar.finish()


def _progress(text: str) -> Progress | None:
    try:
        return Progress.model_validate_json(text)
    except ValidationError:
        return None


class ProgressBar:
    """A progress artifact of the current run, updated at most every few seconds; now and then a line for terminals."""

    def __init__(self, step: str) -> None:
        self._step = step
        self._artifact: UUID | None = None
        self._sent_s = 0.0
        self._told_s = time.monotonic()
        self._latest: Progress | None = None

    def move(self, progress: Progress) -> None:
        self._latest = progress
        now = time.monotonic()
        if now - self._told_s >= _TELL_S:
            self._told_s = now
            run_logger().info("%.0f %%: %s", _percent(progress), progress.message)
        if now - self._sent_s >= _UPDATE_S:
            self._send()

    def finish(self) -> None:
        if self._latest:
            self._send()

    def _send(self) -> None:
        if self._latest is None:
            return
        self._sent_s = time.monotonic()
        percent = _percent(self._latest)
        text = f"{self._step} {self._latest.message}"
        try:
            if self._artifact is None:
                self._artifact = cast(UUID, create_progress_artifact(percent, description=text))
            else:
                update_progress_artifact(self._artifact, percent, description=text)
        except (httpx.HTTPError, PrefectException) as error:  # a picture of the work must not end the work
            run_logger().debug("no progress artifact: %s", error)


def _percent(progress: Progress) -> float:
    return min(100.0, 100 * progress.done / progress.total)
