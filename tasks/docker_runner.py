"""Runs steps in containers: read-only, without capabilities, and without network unless the step declares it."""

import io
import os
import queue
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import DeviceRequest, LogConfig, Mount

from containers.base.contract.step import StepError, StepParams
from tasks import images, stopping
from tasks.code_id import Code, Sources, code_id
from tasks.job import KILLED, Job, step_environment, timed_out, write_inputs
from tasks.owner import this_process
from tasks.settings import Settings

if TYPE_CHECKING:
    from docker.models.containers import Container
    from docker.models.images import Image

STORE, SCRATCH, INPUTS, SIDE, PARTIALS = "/store", "/scratch", "/run/clearground", "/side", "/partials"
"""Where a step finds the store, its temporary folder, its parameters and credentials, its place for logs, and what an
earlier attempt has left."""
LABEL: Final = "clearground"
_STEP_USER: Final = 65532
_CODE_ROOT: Final = "/opt/clearground"
_PROCESSES: Final = 1024
_SHORTEST_POLL_S, _LONGEST_POLL_S, _REQUEST_S, _LOG_END_S = 0.05, 0.5, 60, 5.0


class DockerRunner:
    """Needs an engine that answers, and the images (`make images`)."""

    kind = "docker"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        with engine_errors():
            self._engine = docker.from_env(timeout=_REQUEST_S)
            self._cores = int(self._engine.info()["NCPU"])

    def doctor(self) -> None:
        """Nothing: the engine has answered, and each step asks for its own image."""

    def code_of(self, params: type[StepParams]) -> Code:
        image = self._image_of(params)
        versions = image.labels.get("clearground.versions", image.id)
        identity = code_id(params, self._sources(str(image.id)), f"docker {versions}")
        return Code(identity, f"docker {' '.join(image.tags)} {image.id}, versions {versions}")

    def run(self, job: Job) -> int:
        uid, gid = step_user()
        write_inputs(job, uid if os.geteuid() == 0 else None)
        if os.geteuid() == 0:
            for folder in filter(None, (job.out, job.scratch, job.side, job.partials)):
                os.chown(folder, uid, gid)
        image = self._image_of(type(job.params))
        with engine_errors():
            container = self._engine.containers.create(image=str(image.id), **self._options(job, f"{uid}:{gid}"))
        try:
            with engine_errors():
                container.start()
                return _await_end(container, job)
        finally:
            with engine_errors():
                remove(container)

    def _image_of(self, params: type[StepParams]) -> "Image":
        name = params.step.split(".", 1)[0]
        with engine_errors():
            return images.find(self._engine, self._settings, name, has_gpu=self._settings.gpu and params.resources.gpu)

    def _options(self, job: Job, user: str) -> dict[str, Any]:
        resources = job.params.resources
        out = f"{STORE}/{job.out.relative_to(job.store_root)}"
        return {
            "command": ["python", "-m", job.module, f"{INPUTS}/params.json", out],
            "environment": step_environment(
                job, inputs=INPUTS, scratch=SCRATCH, store_root=STORE, side=SIDE, partials=PARTIALS
            ),
            "mounts": [
                Mount(STORE, str(job.store_root), type="bind", read_only=True),
                Mount(out, str(job.out), type="bind"),
                Mount(SCRATCH, str(job.scratch), type="bind"),
                Mount(INPUTS, str(job.inputs), type="bind", read_only=True),
                *([Mount(SIDE, str(job.side), type="bind")] if job.side else []),
                *([Mount(PARTIALS, str(job.partials), type="bind")] if job.partials else []),
            ],
            "user": user,
            "working_dir": SCRATCH,
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            "init": True,
            "pids_limit": _PROCESSES,
            "network_mode": self._settings.step_network if resources.network else "none",
            "mem_limit": f"{job.memory_mb}m",
            "memswap_limit": f"{job.memory_mb}m",
            "nano_cpus": int(1e9 * min(resources.cpus, self._settings.cpus or self._cores, self._cores)),
            "device_requests": self._gpus(job),
            "log_config": LogConfig(type="local", config={"max-size": "10m"}),
            "labels": labels(job.params.step, job.flow_run),
        }

    def _gpus(self, job: Job) -> list[DeviceRequest]:
        wanted = self._settings.gpu and job.params.resources.gpu
        return [DeviceRequest(count=-1, capabilities=[["gpu"]])] if wanted else []

    @lru_cache(maxsize=16)  # noqa: B019 - one runner lives as long as the process
    def _sources(self, image_id: str) -> Sources:
        """The code that the image carries, which may differ from this checkout's."""
        with engine_errors():
            container = self._engine.containers.create(
                image=image_id, command=["true"], network_mode="none", labels=labels("sources")
            )
            try:
                chunks, _ = container.get_archive(f"{_CODE_ROOT}/containers")
                files = _untar(b"".join(chunks))
            finally:
                remove(container)
        return files.get


def step_user() -> tuple[int, int]:
    """The worker's own user; for a root worker, an unprivileged one."""
    return (_STEP_USER, _STEP_USER) if os.geteuid() == 0 else (os.geteuid(), os.getegid())


def labels(step: str, flow_run: str | None = None) -> dict[str, str]:
    """Whose container it is: what the orphan sweep and the cancellation hook look at."""
    return {
        LABEL: "step",
        f"{LABEL}.step": step,
        f"{LABEL}.flow_run": flow_run or "",
        f"{LABEL}.owner": this_process().model_dump_json(),
    }


def remove(container: "Container") -> None:
    """End and remove a container, unless somebody else is at it: a sweep, or the hook of a cancelled run."""
    try:
        container.remove(force=True, v=True)
    except NotFound:
        pass
    except APIError as error:
        if error.status_code != HTTPStatus.CONFLICT:
            raise


def _untar(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        members = [(member, tar.extractfile(member)) for member in tar.getmembers() if member.isfile()]
        return {member.name: stream.read() for member, stream in members if stream}


def _await_end(container: "Container", job: Job) -> int:
    """Pass on the container's lines until it ends. Polls: a blocking wait would ignore time-outs and cancellation."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    reader = threading.Thread(target=_read_lines, args=(container, lines), daemon=True)
    reader.start()
    deadline, pause_s = time.monotonic() + job.params.resources.timeout_s, _SHORTEST_POLL_S
    while container.status != "exited":
        stopping.pause(pause_s)
        pause_s = min(pause_s * 1.2, _LONGEST_POLL_S)
        _pass_on(lines, job)
        if time.monotonic() > deadline:
            raise timed_out(job)
        container.reload()
    reader.join(_LOG_END_S)
    _pass_on(lines, job)
    state = container.attrs["State"]
    return KILLED if state["OOMKilled"] else int(state["ExitCode"])


def _pass_on(lines: "queue.SimpleQueue[str]", job: Job) -> None:
    while not lines.empty():
        job.log.line(lines.get())


def _read_lines(container: "Container", lines: "queue.SimpleQueue[str]") -> None:
    rest = b""
    with suppress(DockerException, requests.RequestException):  # the container is gone: so is its log
        for chunk in container.logs(stream=True, follow=True):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                lines.put(line.decode(errors="replace"))
    if rest:
        lines.put(rest.decode(errors="replace"))


@contextmanager
def engine_errors() -> Iterator[None]:
    """Turn what the engine answers into a StepError."""
    try:
        yield
    except ImageNotFound as error:
        raise StepError(
            "no_image", f"the engine has no such image: {error.explanation}.", "Type: make images."
        ) from error
    except APIError as error:
        if error.is_server_error():
            raise StepError(
                "engine_busy", f"the Docker engine answers {error}.", "It is tried again by itself."
            ) from error
        hint = "Check the settings CLEARGROUND_STEP_NETWORK, CLEARGROUND_STORE and CLEARGROUND_SCRATCH."
        raise StepError("no_engine", f"the Docker engine refuses: {error.explanation}.", hint) from error
    except requests.RequestException as error:
        raise StepError("engine_busy", f"the Docker engine does not answer: {error}.", "It is tried again.") from error
    except DockerException as error:
        hint = "Start the engine (make engine), or run without one: RUNNER=local."
        raise StepError("no_engine", f"no Docker engine answers: {error}.", hint) from error


def engine_answers() -> bool:
    """Whether this user can reach an engine."""
    try:
        return bool(docker.from_env(timeout=5).ping())
    except (DockerException, requests.RequestException):
        return False
