"""The digital numbers of a product: whether they are all there, and windows of them."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning
from rasterio.windows import Window

from containers.base.contract.step import StepError
from containers.base.raster import open_raster

SAMPLED_LINES: Final = 33


@contextmanager
def open_measurement(path: Path) -> Iterator[Any]:
    """Raises `corrupt_file` where it cannot be opened or read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with open_raster(path) as source:
            yield source


def read_numbers(source: Any, window: Window) -> NDArray[np.uint16]:
    """Digital numbers; (y, x). 0 is no data."""
    numbers: NDArray[np.uint16] = source.read(1, window=window)
    return numbers


def sampled_lines(path: Path, shape: tuple[int, int]) -> tuple[NDArray[np.intp], NDArray[np.uint16]]:
    """Line numbers, evenly spread from the first to the last, and all their digital numbers; (line, x).

    Raises `corrupt_file` where the file cannot be read to its end, has another size than its annotation says, or
    holds zeros only.
    """
    lines = np.unique(np.linspace(0, shape[0] - 1, SAMPLED_LINES).round().astype(np.intp))
    with open_measurement(path) as source:
        if source.shape != shape or source.dtypes[0] != "uint16":
            raise _corrupt(path, f"is {source.dtypes[0]} of {source.shape}, its annotation says uint16 of {shape}")
        numbers = np.concatenate([read_numbers(source, Window(0, line, shape[1], 1)) for line in lines])
    if not numbers.any():
        raise _corrupt(path, f"holds zeros only, in {len(lines)} of {shape[0]} lines looked at")
    return lines, numbers


def _corrupt(path: Path, reason: str) -> StepError:
    return StepError(
        "corrupt_file", f"{path.name} {reason}.", "Fetch the product again; where it stays so, leave the product out."
    )
