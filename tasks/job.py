"""One execution of a step: its folders, what it is told, and what its end means. The same for every runner."""

import errno
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from pydantic import ValidationError

from containers.base.contract.model import Contract
from containers.base.contract.step import StepError, StepParams, StepResult, Usage
from containers.base.storage import credentials_text
from tasks.code_id import Code
from tasks.disk import REMEDY
from tasks.owner import Owner, this_process
from tasks.settings import Settings
from tasks.step_log import StepLog

BAD_PARAMETERS, STEP_ERROR, KILLED = 2, 3, 137
"""Exit codes of a step (containers/base/step.py), and of one that was killed from outside."""
_NO_SPACE: Final = os.strerror(errno.ENOSPC)


@dataclass(frozen=True)
class Job:
    """What a runner needs to execute a step once."""

    params: StepParams
    out: Path
    """The attempt folder, inside the store's local root."""
    store_root: Path
    folder: Path
    """This execution's own folder in scratch: `inputs/` (parameters, credentials) and `scratch/` (temporary files)."""
    settings: Settings
    log: StepLog
    flow_run: str | None = None
    side: Path | None = None
    """Where the step leaves files for people beside its result, which stay; None for a step that leaves none."""
    partials: Path | None = None
    """What earlier attempts of the same work have left unfinished; None for a step that keeps none."""

    @property
    def module(self) -> str:
        return f"containers.{self.params.step}"

    @property
    def inputs(self) -> Path:
        return self.folder / "inputs"

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch"

    @property
    def memory_mb(self) -> int:
        """The step's memory limit, within that of the machine."""
        declared = self.params.resources.memory_mb
        return min(declared, self.settings.memory_mb or declared)


class Runner(Protocol):
    """Executes steps."""

    kind: str

    def code_of(self, params: type[StepParams]) -> Code:
        """Everything but the parameters that decides the result."""

    def run(self, job: Job) -> int:
        """Execute the step and return its exit code; 0 promises `result.json` in `job.out`. Raises timed_out."""


class Execution(Contract):
    """Whose job a folder in scratch is: what the orphan sweep and the cancellation hook read."""

    owner: Owner
    flow_run: str | None
    step: str
    process: Owner | None = None


@contextmanager
def job_folder(settings: Settings, step: str, flow_run: str | None) -> Iterator[Path]:
    """A folder for one execution, removed afterwards with everything in it."""
    folder = settings.scratch.resolve() / "jobs" / uuid.uuid4().hex[:12]
    for name in ("inputs", "scratch"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o700)
    note_execution(folder, Execution(owner=this_process(), flow_run=flow_run, step=step))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def note_execution(folder: Path, execution: Execution) -> None:
    (folder / "execution.json").write_text(execution.model_dump_json())


def write_inputs(job: Job, uid: int | None = None) -> None:
    """Put parameters and, for a step that reads the archive, credentials where only this step's user reads them."""
    (job.inputs / "params.json").write_text(job.params.model_dump_json())
    if job.params.resources.network and (text := credentials_text(job.settings.archive)):
        path = job.inputs / "credentials"
        path.touch(mode=0o600)
        path.write_text(text)
        if uid is not None:
            os.chown(path, uid, uid)
        path.chmod(0o400)


def step_environment(
    job: Job, *, inputs: str, scratch: str, store_root: str, side: str, partials: str
) -> dict[str, str]:
    """The variables of a step, with folders as it sees them: no secrets, and nothing from the user's shell."""
    threads = str(job.params.execution.threads)
    variables = {
        "CLEARGROUND_STORE": store_root,
        "HOME": scratch,
        "TMPDIR": scratch,
        "XDG_CACHE_HOME": scratch,
        "MPLCONFIGDIR": scratch,
        "USER": "clearground",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "GDAL_CACHEMAX": f"{job.memory_mb // 8}MB",
        "PROJ_NETWORK": "OFF",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }
    if job.side:
        variables["CLEARGROUND_SIDE"] = side
    if job.partials:
        variables["CLEARGROUND_PARTIALS"] = partials
    return variables | (_archive_variables(job, inputs) if job.params.resources.network else {})


def _archive_variables(job: Job, inputs: str) -> dict[str, str]:
    settings = job.settings
    variables = {
        "AWS_S3_ENDPOINT": settings.archive_host,
        "AWS_HTTPS": "YES" if settings.archive_https else "NO",
        "AWS_VIRTUAL_HOSTING": "TRUE" if settings.archive_virtual_hosting else "FALSE",
        "AWS_DEFAULT_REGION": settings.archive_region,
    }
    if (job.inputs / "credentials").exists():
        variables |= dict.fromkeys(("AWS_SHARED_CREDENTIALS_FILE", "CPL_AWS_CREDENTIALS_FILE"), f"{inputs}/credentials")
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
    return variables | {name: os.environ[name] for name in proxies if name in os.environ}


def read_result(job: Job, exit_code: int) -> StepResult:
    """The result of a step that has ended well; otherwise its StepError, or one that says how it ended."""
    if exit_code == 0:
        return _parsed_result(job)
    if exit_code in (BAD_PARAMETERS, STEP_ERROR):
        raise _announced_error(job)
    if exit_code == KILLED or "MemoryError" in job.log.tail:
        raise out_of_memory(job)
    if _NO_SPACE in job.log.tail:
        raise StepError(
            "disk_full",
            f"{job.params.step} found no space left on the disk of {job.out} or {job.scratch}.",
            REMEDY,
        )
    raise _crash(job, f"ended with exit code {exit_code}")


def read_peak_mb(job: Job) -> float | None:
    """The memory that the step says it took at most; None where it says nothing, as an older image does."""
    path = job.out / "usage.json"
    return Usage.model_validate_json(path.read_text()).peak_mb if path.is_file() else None


def out_of_memory(job: Job) -> StepError:
    return StepError(
        "out_of_memory",
        f"{job.params.step} was killed: at its memory limit of {job.memory_mb} MiB, or from outside (kill -9).",
        "Use smaller blocks or fewer threads, or raise CLEARGROUND_MEMORY_MB and the step's declared memory.",
    )


def timed_out(job: Job) -> StepError:
    return StepError(
        "timed_out",
        f"{job.params.step} was stopped after its {job.params.resources.timeout_s} s.",
        "Give it a smaller piece of work, or a faster machine; the log says how far it was.",
    )


def _parsed_result(job: Job) -> StepResult:
    try:
        return job.params.result.model_validate_json((job.out / "result.json").read_text())
    except (FileNotFoundError, ValidationError) as error:
        raise _crash(job, f"left no valid result: {error}") from error


def _announced_error(job: Job) -> StepError:
    try:
        return StepError(**json.loads((job.out / "error.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError) as error:
        return _crash(job, f"announced an error but left no valid error.json: {error}")


def _crash(job: Job, how: str) -> StepError:
    return StepError(
        "crashed",
        f"{job.params.step} {how}. The end of its log:\n{job.log.tail}",
        "This is a defect of the step or its image: report it with this log.",
    )
