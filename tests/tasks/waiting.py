"""Waiting for what another process does."""

import time
from collections.abc import Callable

LIMIT_S = 30.0


def wait_until(holds: Callable[[], bool]) -> None:
    """Return as soon as the condition holds; fails after half a minute."""
    deadline = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
