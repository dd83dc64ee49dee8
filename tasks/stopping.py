"""Whether this process has been told to end: steps that wait or run in its threads then let go at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from containers.base.contract.step import StepError

_stop = threading.Event()


@contextmanager
def stopping() -> Iterator[None]:
    """Let every step of this process end while the context is open."""
    _stop.set()
    try:
        yield
    finally:
        _stop.clear()


def check() -> None:
    """Raises cancelled when the process is ending."""
    if _stop.is_set():
        raise StepError("cancelled", "the run was cancelled.", "Run it again: finished steps are reused.")


def pause(seconds: float) -> None:
    """Sleep, but not through the end of the process."""
    _stop.wait(seconds)
    check()
