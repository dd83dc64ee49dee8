"""Work pools, deployments and workers of this checkout, by Prefect's own command line."""

import os
import subprocess
import sys
from typing import Final

from containers.base.contract.step import StepError
from tasks import checkout, services
from tasks.archive_limit import ensure_archive_limit
from tasks.orphans import mark_crashed_runs, sweep
from tasks.settings import get_settings

PROCESS_POOL, DOCKER_POOL = "clearground-process", "clearground-docker"
_POOLS: Final = {PROCESS_POOL: "process", DOCKER_POOL: "docker"}


def register() -> None:
    """Create the pools, the archive's limit and every deployment of prefect.yaml. Idempotent."""
    services.start(services.prefect_server())
    ensure_archive_limit(get_settings())
    for name, kind in _POOLS.items():
        _prefect("work-pool", "create", name, "--type", kind, "--overwrite")
    _prefect("deploy", "--all")


def run_worker() -> None:
    """Serve the process pool in this process's place. What dead runs left behind is swept first."""
    settings = get_settings()
    mark_crashed_runs(settings)
    sweep(settings)
    os.chdir(checkout.ROOT)
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", PROCESS_POOL, "--type", "process"]
    os.execve(sys.executable, command, {**os.environ, **_places()})  # noqa: S606 - a fixed argument list


def _prefect(*arguments: str) -> None:
    done = subprocess.run(  # noqa: S603 - fixed arguments
        [sys.executable, "-m", "prefect", "--no-prompt", *arguments],
        cwd=checkout.ROOT,
        env={**os.environ, **_places()},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise StepError(
            "bad_parameters", f"prefect {' '.join(arguments)} failed: {done.stdout[-1000:]}{done.stderr[-1000:]}",
            "Correct prefect.yaml, or look at the server's log in the state folder.",
        )  # fmt: skip


def _places() -> dict[str, str]:
    return {"CLEARGROUND_ROOT": str(checkout.ROOT), "CLEARGROUND_STATE": str(checkout.STATE)}
