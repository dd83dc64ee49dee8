"""`python -I guard.py command…`: runs a command, and ends it with all its children when whoever started it is gone.

The starter keeps the other end of standard input open; its death, even by kill -9, closes it.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
from types import FrameType

_PR_SET_PDEATHSIG = 1


def _die_with_guard() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(128 + signal.SIGTERM)


def main() -> None:
    signal.signal(signal.SIGTERM, _leave)
    child = subprocess.Popen(  # noqa: S603 - the runner's own argument list
        sys.argv[1:],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_die_with_guard,  # safe: this process has one thread
    )
    try:
        select.select([sys.stdin, os.pidfd_open(child.pid)], [], [])
        finished = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    finally:
        os.killpg(child.pid, signal.SIGKILL)  # the leader is not yet reaped, so the group is still ours
    code = child.wait()
    sys.exit(code if finished and code >= 0 else 128 + abs(code))


if __name__ == "__main__":
    main()
