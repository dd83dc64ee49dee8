"""An expiring lease: the second starter of a step waits for the first, or takes over when the first has died.

A lease saves work, it does not guard correctness: two holders would each write an attempt of their own, and the
first to commit wins.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from containers.base.contract.model import Contract
from containers.base.contract.step import StepError
from tasks.owner import Owner, this_process
from tasks.shelf import Shelf
from tasks.stopping import pause

R = TypeVar("R")
DURATION_S = 60.0
POLL_S, LONGEST_POLL_S = 0.2, 5.0


class Lease(Contract):
    """Who works on a key, and until when that is believed without a sign of life."""

    token: str
    owner: Owner
    expires_s: float

    @property
    def is_over(self) -> bool:
        return self.expires_s < time.time() or self.owner.is_dead


@contextmanager
def lease(shelf: Shelf, folder: str, done: Callable[[], R | None], *, limit_s: float) -> Iterator[R | None]:
    """Hold the lease of `<step>/<key>`, or wait for its holder and yield what `done` then finds.

    Yields None when the caller has to do the work. Raises timed_out when the holder needs longer than `limit_s`.
    """
    path = f"{folder}/lease.json"
    mine = _new_lease()
    deadline, pause_s = time.monotonic() + limit_s, POLL_S
    while not _take(shelf, path, mine):
        if (found := done()) is not None:
            yield found
            return
        if time.monotonic() > deadline:
            raise StepError(
                "timed_out",
                f"another run has held {path} for more than {limit_s:.0f} s.",
                "Look for a run that hangs, cancel it, and start this one again.",
            )
        pause(pause_s)
        pause_s = min(pause_s * 1.5, LONGEST_POLL_S)
    stop = threading.Event()
    heart = threading.Thread(target=_beat, args=(shelf, path, mine, stop), daemon=True, name=f"lease {folder}")
    heart.start()
    try:
        yield done()
    finally:
        stop.set()
        heart.join()
        _release(shelf, path, mine)


def is_leased(shelf: Shelf, folder: str) -> bool:
    """Whether somebody works on this key now."""
    held = shelf.read(f"{folder}/lease.json")
    return held is not None and not Lease.model_validate_json(held.text).is_over


def _new_lease() -> Lease:
    return Lease(token=uuid.uuid4().hex, owner=this_process(), expires_s=time.time() + DURATION_S)


def _take(shelf: Shelf, path: str, mine: Lease) -> bool:
    text = _renewed(mine).model_dump_json()
    if shelf.create(path, text):
        return True
    held = shelf.read(path)
    if held is None or not Lease.model_validate_json(held.text).is_over:
        return False
    return shelf.replace(path, text, held.version)


def _renewed(held: Lease) -> Lease:
    return held.model_copy(update={"expires_s": time.time() + DURATION_S})


def _beat(shelf: Shelf, path: str, mine: Lease, stop: threading.Event) -> None:
    """Renew until told to stop, or until somebody else has taken over."""
    while not stop.wait(DURATION_S / 3):
        try:
            held = shelf.read(path)
            if held is None or Lease.model_validate_json(held.text).token != mine.token:
                return
            shelf.replace(path, _renewed(mine).model_dump_json(), held.version)
        except StepError as error:
            if not error.transient:
                raise


def _release(shelf: Shelf, path: str, mine: Lease) -> None:
    held = shelf.read(path)
    if held is not None and Lease.model_validate_json(held.text).token == mine.token:
        shelf.delete(path)
