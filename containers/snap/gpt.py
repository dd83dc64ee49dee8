"""Runs SNAP's graph processing tool: bounded memory, all its files in scratch, its exit code and its log checked."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from containers.base.contract.step import StepError
from containers.base.step import progress
from containers.snap.check_graph import faults
from containers.snap.gpt_log import error_of, failure_of, percent_of
from containers.snap.graph import Graph

PROGRAM: Final = "gpt"
_KILLED: Final = (-9, 137)
_CGROUP: Final = Path("/sys/fs/cgroup")
_LIMIT_FILES: Final = ("memory.max", "memory/memory.limit_in_bytes")
_CHUNK_BYTES: Final = 4096


def gpt_command(graph: Path, home: Path, *, memory_mb: int, threads: int) -> list[str]:
    """The argument list: heap and tile cache from the memory limit, every file of SNAP's below `home`.

    Three quarters of the limit are heap: the rest is for the virtual machine itself, native libraries and this step.
    The tile cache lies in the heap. `user.home` is told because Java takes it from /etc/passwd, where the step's
    user is not; -e prints stack traces, -x empties the cache behind each written row.

    >>> gpt_command(Path("/s/graph.xml"), Path("/s"), memory_mb=16384, threads=2)[-7:]
    ['/s/graph.xml', '-e', '-x', '-c', '6144M', '-q', '2']
    """
    heap_mb = memory_mb * 3 // 4
    machine = (
        f"-Xmx{heap_mb}m",
        f"-Duser.home={home}",
        f"-Djava.io.tmpdir={home}",
        f"-Dsnap.userdir={user_folder(home)}",
    )
    options = ("-e", "-x", "-c", f"{heap_mb // 2}M", "-q", str(threads))
    return [PROGRAM, *(f"-J{option}" for option in machine), str(graph), *options]


def user_folder(home: Path) -> Path:
    """Where SNAP keeps caches and looks for auxiliary data."""
    return home / ".snap"


def memory_limit_mb(declared_mb: int, cgroup: Path = _CGROUP) -> int:
    """The memory that this step may use: what it declares, or less where its container has less."""
    limits = [declared_mb]
    for name in _LIMIT_FILES:
        path = cgroup / name
        if path.is_file() and (text := path.read_text().strip()).isdigit():
            limits.append(int(text) >> 20)
    return min(limits)


def run_gpt(graph: Graph, home: Path, *, memory_mb: int, threads: int, share: float = 1.0) -> str:
    """Run the graph; gpt's output. `share` is gpt's part of the step's progress.

    Raises `missing_tool` without gpt, `bad_config` for a graph that SNAP would refuse, `out_of_memory` where gpt was
    killed, and what its log says: gpt may end with 0 although its output is empty or half.
    """
    xml = graph.xml()
    if problems := faults(xml):
        raise StepError("bad_config", f"the graph is invalid: {'; '.join(problems)}.", "Report this with the log.")
    home.mkdir(parents=True, exist_ok=True)
    path = home / "graph.xml"
    path.write_text(xml)
    log, exit_code = _output(gpt_command(path, home, memory_mb=memory_mb, threads=threads), home, share)
    _require_success(log, exit_code, memory_mb)
    return log


def snap_version(home: Path) -> str:
    """SNAP's release, such as 13.0.0. Raises `missing_tool` where gpt is absent or does not tell it."""
    home.mkdir(parents=True, exist_ok=True)
    log, _ = _output([PROGRAM, f"-J-Duser.home={home}", f"-J-Dsnap.userdir={user_folder(home)}", "--diag"], home, 0)
    found = re.search(r"SNAP Release version (\S+)", log)
    if found is None:
        raise StepError("missing_tool", f"gpt --diag names no version: {log[-500:]!r}.", "Install SNAP 13.")
    return found[1]


def _output(command: list[str], home: Path, share: float) -> tuple[str, int]:
    """All that gpt prints, and its exit code. Its percentages become this step's progress, scaled by `share`."""
    if shutil.which(command[0]) is None:
        raise StepError(
            "missing_tool",
            f"{command[0]} is not on PATH.",
            "Build the image snap (docs/snap.md), or choose the engine sarsen.",
        )
    with subprocess.Popen(  # noqa: S603 - a fixed argument list, no shell
        command,
        cwd=home,
        env=os.environ | {"HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            log = "".join(_passed_on(process, share))
        except BaseException:
            process.kill()
            raise
    return log, process.returncode


def _passed_on(process: "subprocess.Popen[bytes]", share: float) -> Iterator[str]:
    """Pieces of output as they come: gpt writes its percentages into one line without an end."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    told = -1
    while chunk := os.read(process.stdout.fileno(), _CHUNK_BYTES):
        text = chunk.decode(errors="replace")
        percent = percent_of(text)
        if share and percent is not None and percent > told:
            told = percent
            progress(percent * share, 100, "gpt")
        yield text


def _require_success(log: str, exit_code: int, memory_mb: int) -> None:
    failure = failure_of(log)
    if exit_code in _KILLED or (failure is None and "OutOfMemoryError" in log):
        raise StepError(
            "out_of_memory",
            f"gpt was killed or ran out of memory (exit code {exit_code}) within {memory_mb} MiB.",
            "Raise CLEARGROUND_MEMORY_MB, or ask for a smaller area.",
        )
    if failure is not None or exit_code != 0:
        print(log, flush=True)
        raise error_of(failure or (log.strip().splitlines() or ["it said nothing"])[-1], exit_code)
