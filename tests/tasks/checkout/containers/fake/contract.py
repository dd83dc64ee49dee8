"""A step that does what a test asks of it."""

from typing import ClassVar, Literal

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.step import Resources, StepParams, StepResult

Behaviour = Literal[
    "write", "sleep", "crash", "refuse", "be_throttled", "chatter", "swell", "fill_disk", "look_around", "lie", "spawn",
    "keep_log", "keep_log_and_crash", "keep_log_and_sleep", "take_memory", "go_on",
]  # fmt: skip


class CopyResult(StepResult):
    written: File
    seen: dict[str, str] = Field(default={}, description="Environment of the step")


class CopyParams(StepParams):
    step: ClassVar[str] = "fake.copy"
    result: ClassVar[type[StepResult]] = CopyResult
    resources: ClassVar[Resources] = Resources(memory_mb=256, timeout_s=20)
    data_files: ClassVar[tuple[str, ...]] = ("rules.txt",)

    text: str = ""
    source: File | None = None
    behaviour: Behaviour = "write"
    trace: str = Field(default="", description="Local file that gets a line at every execution")


class NetworkCopyParams(CopyParams):
    resources: ClassVar[Resources] = Resources(memory_mb=256, timeout_s=20, network=True, connections=1)


class HastyCopyParams(CopyParams):
    resources: ClassVar[Resources] = Resources(memory_mb=256, timeout_s=1)


class LastingCopyParams(CopyParams):
    keeps_partials: ClassVar[bool] = True


class LoggingCopyParams(CopyParams):
    side_files: ClassVar[str] = "Log: cat {folder}/*/log.txt"
