"""Waiting for what another process does."""

import time
from collections.abc import Callable


def wait_until(holds: Callable[[], bool], limit_s: float = 30.0, pause_s: float = 0.02) -> None:
    """Return as soon as the condition holds; fails after the limit."""
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, f"it did not happen within {limit_s:.0f} s"
        time.sleep(pause_s)
