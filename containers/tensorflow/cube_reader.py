"""The cube (docs/cube.md) as the trainer and the predictor see it."""

import math
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import h5py
import numpy as np
from numpy.typing import NDArray

from containers.base.contract.grid import Grid
from containers.base.contract.legend import REFLECTANCE_NODATA
from containers.base.contract.step import StepError

LAYOUT_VERSION = 1


class Cube:
    """An open cube. Raises StepError `corrupt_file` where the file is no cube of the known layout."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = h5py.File(path, "r")
        except OSError as error:
            raise StepError("corrupt_file", f"{path.name} is not readable: {error}", "Make the cube again.") from error
        attributes = self._file.attrs
        if (version := attributes.get("clearground_cube")) != LAYOUT_VERSION:
            raise StepError(
                "corrupt_file",
                f"{path.name} has the cube layout {version}, this step reads {LAYOUT_VERSION}.",
                "Make the cube again with this release.",
            )
        self.bands = _names(attributes["bands"])
        self.periods = _names(attributes["periods"])
        self.labelled = tuple(period for period in self.periods if f"labels/{period}" in self._file)
        self.simulated = bool(attributes["simulated"])
        self.grid = self._grid()

    def __enter__(self) -> "Cube":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def reflectance(self, period: str, bands: tuple[str, ...], rows: slice, cols: slice) -> NDArray[np.int16]:
        """Reflectance × 10 000 as int16 (band, y, x), nodata −32768, in the order of `bands`.

        A cell that lacks one band lacks all of them.
        """
        dataset = self._file[f"reflectance/{period}"]
        values = np.stack([dataset[self.bands.index(band), rows, cols] for band in bands])
        values[:, (values == REFLECTANCE_NODATA).any(axis=0)] = REFLECTANCE_NODATA
        return values

    def labels(self, period: str, rows: slice, cols: slice) -> NDArray[np.uint8]:
        """Legend codes (y, x), nodata 0."""
        codes: NDArray[np.uint8] = self._file[f"labels/{period}"][rows, cols]
        return codes

    def _grid(self) -> Grid:
        attributes = self._file.attrs
        west, resolution, _, north, _, _ = (float(number) for number in attributes["transform"])
        if not math.isclose(resolution, float(attributes["resolution_m"])):
            raise StepError("corrupt_file", "transform and resolution_m of the cube differ.", "Make the cube again.")
        height, width = self._file["y"].size, self._file["x"].size
        return Grid(
            epsg=int(attributes["epsg"]),
            resolution_m=resolution,
            west_m=west,
            north_m=north,
            width=width,
            height=height,
        )


def _names(values: Iterable[bytes | str]) -> tuple[str, ...]:
    """Text attributes, which h5py gives as bytes or as str."""
    return tuple(value.decode() if isinstance(value, bytes) else str(value) for value in values)
