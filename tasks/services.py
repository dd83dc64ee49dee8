"""Background services of a checkout: the Prefect server and the embedded object store.

Each has a pid file with the process's start time, so that a recycled pid is never mistaken for it.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from containers.base.contract.step import StepError
from tasks import checkout
from tasks.owner import is_running

_STOP_S = 10.0
_TAIL_CHARACTERS = 2_000


@dataclass(frozen=True)
class Service:
    """A process that outlives the command that starts it."""

    name: str
    command: Sequence[str]
    ready_url: str
    environment: Mapping[str, str] = field(default_factory=dict)
    start_timeout_s: float = 120.0

    @property
    def pid_path(self) -> Path:
        return pid_path(self.name)

    @property
    def log_path(self) -> Path:
        return checkout.STATE / "services" / f"{self.name}.log"


def pid_path(name: str) -> Path:
    """Where a service's process is noted."""
    return checkout.STATE / "services" / f"{name}.json"


def prefect_server() -> Service:
    port = checkout.ports().prefect
    return Service(
        name="prefect",
        command=(sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)),
        ready_url=f"http://127.0.0.1:{port}/api/health",
        environment=checkout.prefect_environment(),
    )


def embedded_s3(archive: Path) -> Service:
    """The `moto` stand-in for EODATA; it keeps objects in memory, so each start refills it from the archive folder."""
    port = checkout.ports().s3
    return Service(
        name="s3",
        command=(sys.executable, "-m", "containers.eodata.serve", "--archive", str(archive), "--port", str(port)),
        ready_url=f"http://127.0.0.1:{port}/ready",
    )


def start(service: Service) -> bool:
    """Start the service unless this very command already runs. True when it was started now."""
    running = _process(service.pid_path)
    if running and _recorded(service.pid_path)["command"] == list(service.command) and _ready(service):
        return False
    if running:
        stop(service.pid_path)
    service.pid_path.parent.mkdir(parents=True, exist_ok=True)
    with service.log_path.open("ab") as log:
        child = subprocess.Popen(  # noqa: S603 - a fixed argument list
            service.command,
            cwd=checkout.ROOT,
            env={**os.environ, **service.environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    record = {"pid": child.pid, "started": psutil.Process(child.pid).create_time(), "command": list(service.command)}
    service.pid_path.write_text(json.dumps(record))
    _await_ready(service, child)
    return True


def stop(pid_path: Path) -> bool:
    """Stop the recorded process and its children. True when there was one."""
    process = _process(pid_path)
    pid_path.unlink(missing_ok=True)
    if process is None:
        return False
    family = [process, *process.children(recursive=True)]
    for member in family:
        member.terminate()
    _, alive = psutil.wait_procs(family, timeout=_STOP_S)
    for member in alive:
        member.kill()
    return True


def stop_all() -> list[str]:
    """Stop every recorded service; their names."""
    return [path.stem for path in sorted(pid_path("").parent.glob("*.json")) if stop(path)]


def _recorded(pid_path: Path) -> dict[str, object]:
    record: dict[str, object] = json.loads(pid_path.read_text())
    return record


def _process(pid_path: Path) -> psutil.Process | None:
    if not pid_path.is_file():
        return None
    record = _recorded(pid_path)
    pid, started = int(str(record["pid"])), float(str(record["started"]))
    return psutil.Process(pid) if is_running(pid, started) else None


def _ready(service: Service) -> bool:
    try:
        return httpx.get(service.ready_url, timeout=2.0, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _await_ready(service: Service, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + service.start_timeout_s
    while time.monotonic() < deadline:
        if child.poll() is not None:
            break
        if _ready(service):
            return
        time.sleep(0.2)
    tail = service.log_path.read_text(errors="replace")[-_TAIL_CHARACTERS:]
    stop(service.pid_path)
    raise StepError(
        "crashed",
        f"the service {service.name} did not answer at {service.ready_url} in {service.start_timeout_s:.0f} s: {tail}",
        f"Read {service.log_path}; `make down` stops what is left.",
    )
