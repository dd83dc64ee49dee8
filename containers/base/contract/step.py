"""The step contract: parameters in, a result or a coded error out."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from containers.base.contract.files import File
from containers.base.contract.model import Contract

PERMANENT_CODES = frozenset(
    {
        "bad_aoi",
        "bad_dates",
        "bad_grid",
        "bad_config",
        "bad_dataset",
        "bad_labels",
        "bad_ledger",
        "bad_masks",
        "bad_model",
        "bad_parameters",
        "bad_regions",
        "bad_sample",
        "access_denied",
        "cancelled",
        "corrupt_file",
        "crashed",
        "disk_full",
        "grid_mismatch",
        "missing_file",
        "missing_tool",
        "no_common_tile",
        "no_engine",
        "no_image",
        "no_pair",
        "no_scenes",
        "no_valid_pixels",
        "out_of_memory",
        "timed_out",
        "unknown_band",
        "unknown_label",
    }
)
TRANSIENT_CODES = frozenset(
    {"storage_timeout", "storage_error", "throttled", "image_pull", "engine_busy", "short_read"}
)


class StepError(Exception):
    """What went wrong, with the values seen, and what the user can do about it.

    `code` decides whether Prefect retries: only codes in `TRANSIENT_CODES` are worth it.
    """

    def __init__(self, code: str, reason: str, hint: str) -> None:
        if code not in PERMANENT_CODES | TRANSIENT_CODES:
            raise ValueError(f"unknown error code {code!r}: add it to containers/base/contract/step.py")
        super().__init__(code, reason, hint)
        self.code, self.reason, self.hint = code, reason, hint

    def __str__(self) -> str:
        return f"[{self.code}] {self.reason} Hint: {self.hint}"

    @property
    def transient(self) -> bool:
        return self.code in TRANSIENT_CODES


class StepWarning(Contract):
    """Something that a reader of the result must know, though the step succeeded."""

    code: str
    reason: str
    hint: str


class Execution(Contract):
    """How a step runs. Never part of an artifact's key: it must not change the result."""

    threads: int = Field(default=2, ge=1, le=256, description="Threads that the step may use")
    verbose: bool = Field(default=False, description="Log every detail of the tools")


class Resources(Contract):
    """What a step needs, declared next to its parameters and enforced by the runner."""

    memory_mb: int = Field(default=2048, gt=0, description="Memory limit in MiB")
    cpus: float = Field(default=2.0, gt=0, description="CPU limit in cores")
    timeout_s: int = Field(default=3600, gt=0, description="Wall-clock limit in seconds")
    network: bool = Field(default=False, description="Whether the step talks to the archive")
    connections: int = Field(default=0, ge=0, description="Connections that it opens to the archive at once")
    gpu: bool = Field(default=False, description="Whether a GPU is used where there is one")


class Usage(Contract):
    """`usage.json` beside a result: what the step took. No part of the result, which is the same on every machine."""

    peak_mb: float = Field(
        ge=0, description="Largest resident memory of the step's process or a program it ran, in MiB"
    )


class StepResult(Contract):
    """What a step leaves behind. Every `File` in it is in the step's output folder."""

    warnings: tuple[StepWarning, ...] = ()


class StepParams(Contract):
    """What a step is asked to do. A subclass names its step, its result and its resources."""

    step: ClassVar[str]
    """`<image>.<module>`, run as `python -m containers.<image>.<module>`."""
    result: ClassVar[type[StepResult]]
    resources: ClassVar[Resources] = Resources()
    data_files: ClassVar[tuple[str, ...]] = ()
    """Files below `containers/<image>/` that decide the result, such as rules: they are part of the code id."""

    side_files: ClassVar[str] = ""
    """How people open the files that it leaves in `{folder}` beside its result, such as logs; empty: it leaves none."""

    keeps_partials: ClassVar[bool] = False
    """Whether what it has done so far survives a kill, in a folder that the attempts of one key share."""

    execution: Execution = Execution()

    def input_files(self) -> Iterator[File]:
        """Every file that the parameters name, members of a VRT included, in a stable order."""
        yield from files_in(self)


def files_in(value: object) -> Iterator[File]:
    """Every `File` inside a contract model, a tuple or a dict; a file's members follow it."""
    if isinstance(value, File):
        yield value
        yield from files_in(value.members)
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from files_in(getattr(value, name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from files_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from files_in(item)


class Progress(Contract):
    """One line of a step's standard output, for the progress bar in the Prefect UI."""

    event: Literal["progress"] = "progress"
    done: float = Field(ge=0)
    total: float = Field(gt=0)
    message: str = ""
