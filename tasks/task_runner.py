"""Threads for tasks, because the work itself is done in other processes."""

from typing import Any

from prefect.task_runners import ThreadPoolTaskRunner

from tasks.stopping import stopping


class StepTaskRunner(ThreadPoolTaskRunner[Any]):
    """On an interrupt or a termination signal, running steps are ended; Prefect alone would wait for them."""

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        if exc_type is None or issubclass(exc_type, Exception):
            super().__exit__(exc_type, exc_value, traceback)
        else:
            with stopping():
                super().__exit__(exc_type, exc_value, traceback)
