"""Errors of one scene or tile that leave the others as they are."""

from collections.abc import Set as AbstractSet
from typing import Final, TypeVar

from prefect.futures import PrefectFuture

from containers.base.contract.step import StepError

R = TypeVar("R")
UNREADABLE: Final = frozenset({"corrupt_file", "missing_file", "no_valid_pixels"})
"""Codes of one scene or acquisition; the ledger has its row, and the next run tries it again."""
CLOUDED: Final = frozenset({"no_valid_pixels"})
"""Codes of one tile and period."""


def usable(future: PrefectFuture[R], without: AbstractSet[str]) -> R | None:
    """What the step made, or None where it failed by one of these codes; the ledger has its row."""
    outcome = future.result(raise_on_failure=False)
    if isinstance(outcome, StepError) and outcome.code in without:
        return None
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
