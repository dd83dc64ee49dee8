"""Gives prepared results instead of running steps: for tests of flows."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from containers.base.contract.files import File, output_file
from containers.base.contract.step import StepParams, StepResult
from tasks.code_id import Code
from tasks.job import Job
from tasks.records import with_files

Answer = StepResult | Callable[[Any, Path], StepResult]
"""A result, or what makes one from the parameters and the output folder."""


class StubRunner:
    """Answers by the type of the parameters. Files that a result names but nobody wrote are made, with their name as
    content, so that store and reuse behave as they do in earnest."""

    kind = "stub"

    def __init__(self, answers: Mapping[type[StepParams], Answer]) -> None:
        self._answers = answers
        self.asked: list[StepParams] = []

    def code_of(self, params: type[StepParams]) -> Code:
        return Code(f"stub {params.step}", "stub")

    def run(self, job: Job) -> int:
        self.asked.append(job.params)
        answer = self._answers[type(job.params)]
        result = answer if isinstance(answer, StepResult) else answer(job.params, job.out)
        complete = with_files(result, lambda file: _written(file, job.out))
        (job.out / "result.json").write_text(complete.model_dump_json())
        return 0


def _written(file: File, folder: Path) -> File:
    path = folder / file.href
    if ":" in file.href or path.exists():
        return file
    path.write_text(file.href)
    return output_file(path, members=file.members)
