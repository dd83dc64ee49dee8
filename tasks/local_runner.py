"""Runs steps as child processes of this machine, in this virtual environment, with the system's GRASS and GDAL."""

import importlib.util
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

import psutil

from containers.base.contract.step import StepError, StepParams
from tasks import guard, stopping
from tasks.checkout import ROOT
from tasks.code_id import Code, code_id, folder_sources, local_versions
from tasks.job import Execution, Job, note_execution, out_of_memory, step_environment, timed_out, write_inputs
from tasks.owner import process_owner, this_process
from tasks.step_log import LONGEST_LINE

PROGRAMS: Final = {"grass": "grass-core", "gdalwarp": "gdal-bin", "gdalbuildvrt": "gdal-bin"}
"""Program to the Debian package that brings it."""
MODULES: Final = ("rasterio", "h5py", "scipy", "sklearn", "exactextract", "grass_session", "sarsen", "tensorflow")
_KEPT_VARIABLES: Final = ("PATH", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "AWS_CA_BUNDLE", "CUDA_VISIBLE_DEVICES")
_LINE_WAIT_S, _MEMORY_CHECK_S, _END_S = 0.05, 0.5, 10.0


class LocalRunner:
    """The embedded default: no engine, no root. The network is not shut off and the file system is not read-only."""

    kind = "local"

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._sources = folder_sources(root)

    def code_of(self, params: type[StepParams]) -> Code:
        versions = local_versions(params, self._sources)
        return Code(code_id(params, self._sources, versions), versions)

    def doctor(self) -> None:
        """Raises missing_tool where a program or a Python package is missing, with the command that brings it."""
        if packages := sorted({package for program, package in PROGRAMS.items() if shutil.which(program) is None}):
            raise StepError(
                "missing_tool",
                f"the local runner needs programs of the packages {', '.join(packages)}.",
                f"Type: sudo apt install {' '.join(packages)}. Or use Docker: RUNNER=docker.",
            )
        if modules := [module for module in MODULES if importlib.util.find_spec(module) is None]:
            raise StepError(
                "missing_tool",
                f"the local runner needs the Python modules {', '.join(modules)}.",
                "Type: make .venv/ready, or pip install -r requirements.lock in this environment.",
            )

    def run(self, job: Job) -> int:
        write_inputs(job)
        process = self._start(job)
        note = Execution(
            owner=this_process(), flow_run=job.flow_run, step=job.params.step, process=process_owner(process.pid)
        )
        note_execution(job.folder, note)
        try:
            return _await_end(job, process)
        finally:
            _end(process)

    def _start(self, job: Job) -> "subprocess.Popen[bytes]":
        step = [sys.executable, "-m", job.module, str(job.inputs / "params.json"), str(job.out)]
        return subprocess.Popen(  # noqa: S603 - a fixed argument list
            [sys.executable, "-I", "-S", guard.__file__, *step],
            cwd=job.scratch,
            env=_environment(job) | {"PYTHONPATH": str(self._root)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _environment(job: Job) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return kept | step_environment(
        job,
        inputs=str(job.inputs),
        scratch=str(job.scratch),
        store_root=str(job.store_root),
        side=str(job.side),
        partials=str(job.partials),
    )


def _await_end(job: Job, process: "subprocess.Popen[bytes]") -> int:
    """Pass on the step's lines until it ends, and watch its time and memory."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    reader = threading.Thread(target=_read_lines, args=(process.stdout, lines), daemon=True)
    reader.start()
    deadline = time.monotonic() + job.params.resources.timeout_s
    next_check = time.monotonic() + _MEMORY_CHECK_S
    while process.poll() is None:
        with suppress(queue.Empty):
            job.log.line(lines.get(timeout=_LINE_WAIT_S))
        stopping.check()
        now = time.monotonic()
        if now > deadline:
            raise timed_out(job)
        if now > next_check:
            next_check = now + _MEMORY_CHECK_S
            if _memory_mb(process.pid) > job.memory_mb:
                raise out_of_memory(job)
    reader.join(_END_S)
    while not lines.empty():
        job.log.line(lines.get())
    return process.returncode


def _read_lines(stream: IO[bytes], lines: "queue.SimpleQueue[str]") -> None:
    while line := stream.readline(2 * LONGEST_LINE):
        lines.put(line.decode(errors="replace"))


def _memory_mb(pid: int) -> float:
    """Memory of a process and its descendants that cannot be dropped: resident, without files mapped into it.

    Not an address-space limit, because TensorFlow reserves far more addresses than it uses.
    """
    total = 0
    try:
        family = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return 0.0
    for member in family:
        try:
            memory = member.memory_info()
        except psutil.NoSuchProcess:
            continue
        total += memory.rss - memory.shared
    return total / 2**20


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Close the guard's standard input: it ends whatever still runs."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
