"""Many steps in one task, each an artifact and a row of its own: a task per scene would be more than Prefect bears."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from containers.base.contract.step import StepError, StepParams, StepResult
from tasks.failures import UNREADABLE
from tasks.machine import parallel_steps
from tasks.runner import perform
from tasks.settings import get_settings
from tasks.side_by_side import side_by_side
from tasks.step_log import run_logger

R = TypeVar("R", bound=StepResult)


def perform_each(steps: Mapping[str, Callable[[], StepParams]]) -> tuple[R, ...]:
    """The results in the order of the steps, which are named by their subjects; unreadable scenes are left out."""
    done = 0

    def one(subject: str, params: Callable[[], StepParams]) -> R | None:
        nonlocal done
        result: R | None = None
        try:
            result = perform(params(), subject).result
        except StepError as error:
            if error.code not in UNREADABLE:
                raise
        done += 1
        run_logger().info("%d of %d: %s", done, len(steps), subject)
        return result

    calls = [partial(one, subject, params) for subject, params in steps.items()]
    return tuple(result for result in side_by_side(calls, parallel_steps(get_settings())) if result is not None)
