"""How many steps a machine bears at once: each waits for a place, and for the memory that it may use."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from tasks import stopping
from tasks.settings import Settings

_CHECK_S = 0.5
_lock = threading.Condition()
_granted_mb: list[int] = []


def parallel_steps(settings: Settings) -> int:
    """Steps at once: as many as cores, and at least two, because reading from the archive leaves cores idle."""
    return settings.parallel_steps or max(2, os.cpu_count() or 1)


@contextmanager
def machine_share(memory_mb: int, most_steps: int) -> Iterator[None]:
    """A place among the steps of this process, with this much of the machine's memory: waits until both are free.

    One step alone always may.
    """
    total_mb = psutil.virtual_memory().total // 2**20
    with _lock:
        while _granted_mb and (sum(_granted_mb) + memory_mb > total_mb or len(_granted_mb) >= most_steps):
            _lock.wait(_CHECK_S)
            stopping.check()
        _granted_mb.append(memory_mb)
    try:
        yield
    finally:
        with _lock:
            _granted_mb.remove(memory_mb)
            _lock.notify_all()
