"""Calls of one task: in order, in its context, and no more of them after an error."""

import threading
import time
from contextvars import ContextVar

import pytest

from tasks.side_by_side import side_by_side

WHERE: ContextVar[str] = ContextVar("WHERE", default="nowhere")


def test_results_keep_the_order_and_calls_the_context() -> None:
    WHERE.set("here")
    calls = [lambda i=i: (time.sleep(0.01 * (3 - i)), i, WHERE.get())[1:] for i in range(4)]
    assert side_by_side(calls, workers=4) == [(i, "here") for i in range(4)]


def test_calls_run_at_once() -> None:
    meeting = threading.Barrier(3, timeout=5)
    assert len(side_by_side([meeting.wait] * 3, workers=3)) == 3


def test_the_first_error_ends_it() -> None:
    started: list[int] = []

    def call(i: int) -> int:
        started.append(i)
        if i == 1:
            raise ValueError("one")
        time.sleep(0.02)
        return i

    with pytest.raises(ValueError, match="one"):
        side_by_side([lambda i=i: call(i) for i in range(50)], workers=2)
    assert len(started) < 10


def test_nothing_to_do() -> None:
    assert side_by_side([], workers=2) == []
