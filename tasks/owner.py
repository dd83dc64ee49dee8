"""Who started something, so that others can tell whether it still lives: host, boot, process and its start time."""

import os
import socket
from functools import lru_cache
from pathlib import Path

import psutil

from containers.base.contract.model import Contract


class Owner(Contract):
    """One process, unmistakable over reboots and recycled process ids."""

    host: str
    boot: str
    pid: int
    started: float

    @property
    def is_local(self) -> bool:
        """Whether this machine can tell if the process lives."""
        return self.host == socket.gethostname()

    @property
    def is_dead(self) -> bool:
        """Whether the process is known to have ended. Of another host's processes nothing is known."""
        if not self.is_local:
            return False
        return self.boot != boot_id() or not is_running(self.pid, self.started)


def this_process() -> Owner:
    return process_owner(os.getpid())


def process_owner(pid: int) -> Owner:
    """The owner record of a living process of this host."""
    started = psutil.Process(pid).create_time()
    return Owner(host=socket.gethostname(), boot=boot_id(), pid=pid, started=started)


@lru_cache(maxsize=1)
def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def is_running(pid: int, started: float) -> bool:
    """Whether this very process, not a later one with its id, still runs."""
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
