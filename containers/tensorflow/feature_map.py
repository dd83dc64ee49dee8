"""Features of a pasture's cells, as the step `pasture_features` has left them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError


@dataclass(frozen=True)
class FeatureMap:
    """An open file."""

    file: Any
    grid: Grid
    names: tuple[str, ...]
    recipe: str
    """JSON."""
    source: str
    simulated: bool
    pasture_id: str
    year: int

    def read(self, window: Window) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Features (feature, y, x), NaN where there are none, and which cells lie in the pasture (y, x)."""
        rows, cols = window.toslices()
        try:
            return self.file["values"][:, rows, cols], self.file["inside"][rows, cols] == 1
        except OSError as error:
            raise _corrupt(self.file.filename, str(error)) from error


@contextmanager
def open_feature_map(path: Path) -> Iterator[FeatureMap]:
    """Raises `corrupt_file` where the file holds no features of a pasture."""
    try:
        file = h5py.File(path)
    except OSError as error:
        raise _corrupt(path, str(error)) from error
    with file:
        try:
            yield _read(file)
        except (KeyError, ValueError) as error:
            raise _corrupt(path, f"it holds no features of a pasture: {error}") from error


def _read(file: Any) -> FeatureMap:
    transform, shape = file.attrs["transform"], file["values"].shape
    return FeatureMap(
        file=file,
        grid=Grid(
            epsg=int(file.attrs["epsg"]),
            resolution_m=float(file.attrs["resolution_m"]),
            west_m=float(transform[0]),
            north_m=float(transform[3]),
            width=shape[2],
            height=shape[1],
        ),
        names=tuple(file["feature"].asstr()[:]),
        recipe=str(file.attrs["recipe"]),
        source=str(file.attrs["source"]),
        simulated=bool(file.attrs["simulated"]),
        pasture_id=str(file.attrs["pasture_id"]),
        year=int(file.attrs["year"]),
    )


def _corrupt(path: object, reason: str) -> StepError:
    return StepError("corrupt_file", f"{path}: {reason}.", "Make the features again with gdal.pasture_features.")
