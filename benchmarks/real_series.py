"""Real series from the third-party samples."""

import json
from datetime import date
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from containers.base.sentinel2 import parse_product_name
from containers.gdal.smoothers import Days

EPOCH = date(1970, 1, 1)


class Cells(NamedTuple):
    """Observations of some cells, (date, cell)."""

    days: Days
    values: NDArray[np.float64]
    seen: NDArray[np.bool_]
    truth: NDArray[np.float64]
    """What hidden values are compared with."""

    def of(self, cells: NDArray[np.intp]) -> "Cells":
        return Cells(self.days, self.values[:, cells], self.seen[:, cells], self.truth[:, cells])


def eolearn(folder: Path) -> Cells:
    """Slovenia, 101 × 100 cells, 68 dates from 2015-07 to 2017-12, masked by a cloud model."""
    patch = folder / "eolearn-testeopatch" / "example_data" / "TestEOPatch"
    days = [
        (date.fromisoformat(time[:10]) - EPOCH).days for time in json.loads((patch / "timestamps.json").read_text())
    ]
    seen = np.load(patch / "mask" / "IS_VALID.npy").reshape(len(days), -1)
    values = np.load(patch / "data" / "NDVI.npy").reshape(len(days), -1).astype(np.float64)
    values = np.clip(values, -0.9999, 0.9999)
    return Cells(np.array(days, np.int32), values, seen, values)


def scored(cells: Cells) -> Cells:
    """Every fifth of the eo-learn cells that no default was chosen on: the white fields of a chessboard of 10 cells."""
    rows, cols = np.mgrid[:101, :100] // 10
    return cells.of(np.flatnonzero(((rows + cols) % 2 == 1).ravel())[::5])


def treesat(folder: Path) -> Cells:
    """A stand of firs near Hildesheim, 36 cells, 146 dates of 2020; cloud and snow probability below 10 %."""
    path = next((folder / "anysat-treesat").rglob("*.h5"))
    with h5py.File(path) as file:
        bands, masks = file["sen-2-data"][:].astype(np.float64), file["sen-2-masks"][:]
        names = [parse_product_name(name.decode()) for name in file["sen-2-products"][:]]
    days = [(name.datatake.date() - EPOCH).days for name in names if name]
    red, nir = bands[:, 2], bands[:, 3]
    seen = (masks[:, :2] < 10).all(axis=1) & (bands > 0).all(axis=1)
    values = ((nir - red) / np.maximum(nir + red, 1)).reshape(len(days), -1)
    return Cells(np.array(days, np.int32), values, seen.reshape(len(days), -1), values)
