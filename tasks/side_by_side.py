"""Several steps of one task at once, each seen by Prefect as part of that task."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


def side_by_side(calls: Sequence[Callable[[], T]], workers: int) -> list[T]:
    """Results in the order of the calls. After the first error no further call starts, and the error is raised."""
    with ThreadPoolExecutor(max(1, workers)) as pool:
        # Each call in a copy of this context: run, logger and ledger are found there.
        futures: list[Future[T]] = [pool.submit(copy_context().run, call) for call in calls]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    failed = next((future for future in futures if not future.cancelled() and future.exception()), None)
    if failed is not None:
        failed.result()
    return [future.result() for future in futures]
