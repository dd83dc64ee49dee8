"""`python -m containers.<image>.<step> params.json out_dir`: the one way in and out of a step."""

import json
import os
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from containers.base.contract.files import File
from containers.base.contract.step import Progress, StepError, StepParams, StepResult, Usage

P = TypeVar("P", bound=StepParams)
R = TypeVar("R", bound=StepResult)

BAD_PARAMETERS, STEP_ERROR = 2, 3
STORE_VARIABLE, SIDE_VARIABLE, PARTIALS_VARIABLE = "CLEARGROUND_STORE", "CLEARGROUND_SIDE", "CLEARGROUND_PARTIALS"


def main(params_class: type[P], run: Callable[[P, Path], R]) -> None:
    """Read the parameters, run, and leave `usage.json` and `result.json` (renamed into place last), or `error.json`."""
    params_path, out_dir = Path(sys.argv[1]), Path(sys.argv[2])
    try:
        params = params_class.model_validate_json(params_path.read_text())
    except ValidationError as error:
        _write_last(out_dir / "error.json", _error("bad_parameters", str(error), "Correct the named parameters."))
        sys.exit(BAD_PARAMETERS)
    try:
        result = run(params, out_dir)
    except StepError as error:
        _write_last(out_dir / "error.json", _error(error.code, error.reason, error.hint))
        sys.exit(STEP_ERROR)
    _write_last(out_dir / "usage.json", Usage(peak_mb=round(peak_mb(), 1)).model_dump_json())
    _write_last(out_dir / "result.json", result.model_dump_json(indent=1))


def progress(done: float, total: float, message: str = "") -> None:
    """Tell the runner how far the step is: one JSON line on standard output."""
    print(Progress(done=done, total=total, message=message).model_dump_json(), flush=True)


def local_path(file: File) -> Path:
    """Where the runner has put a store input (read-only)."""
    path = Path(os.environ[STORE_VARIABLE]) / file.store_path
    if not path.is_file():
        raise StepError(
            "missing_file", f"{file.href} is not at {path}.", "Run `clearground store verify` and repeat the run."
        )
    return path


def scratch_dir() -> Path:
    """A folder on disk for this run's temporary files, emptied by the runner."""
    return Path(tempfile.gettempdir())


def side_dir() -> Path:
    """A folder on disk for files that people look at, such as logs: it outlives the run, and even a killed one.

    Only steps that declare `side_files` have one.
    """
    return Path(os.environ[SIDE_VARIABLE])


def partials_dir() -> Path:
    """A folder on disk that survives a kill and that the next attempt of the same work finds: checkpoints, parts.

    It goes when the work is done. Only steps that declare `keeps_partials` have one.
    """
    return Path(os.environ[PARTIALS_VARIABLE])


def peak_mb() -> float:
    """The largest resident memory, in MiB, that this process or a program it has run had so far.

    Not their sum: a program's maximum starts at the memory of the process that starts it.
    """
    own_kb = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    # Not RUSAGE_SELF, which begins at what the process that started this one had.
    return max(own_kb, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def _error(code: str, reason: str, hint: str) -> str:
    return json.dumps({"code": code, "reason": reason, "hint": hint})


def _write_last(path: Path, text: str) -> None:
    partial = path.with_suffix(".part")
    partial.write_text(text)
    partial.replace(path)
