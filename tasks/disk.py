"""A full disk under the host's own small files: the same code as when a step fills it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from containers.base.contract.step import StepError

REMEDY: Final = "Free some space (`clearground store gc`), or move CLEARGROUND_STORE and CLEARGROUND_SCRATCH."


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn what the system says of a full disk or quota into `disk_full`."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise StepError("disk_full", f"no space is left for {error.filename or 'a file'}.", REMEDY) from error
