"""How well each engine fills what clouds hide, on real series: `python -m benchmarks.gap_filling_accuracy`.

Clear observations are hidden under the cloud patterns of other dates of the same place and filled from the others.
Defaults were chosen on the cells `chosen` of eolearn-testeopatch under other patterns; the tables are of the rest.
"""

import json
import os
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple, get_args

import h5py
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from containers.base.sentinel2 import parse_product_name
from containers.gdal.contract.fill import FillEngine, Filling
from containers.gdal.curve_engines import fitted
from containers.gdal.smoothers import Days, distances, neighbours
from containers.gdal.uncertainty import NORMAL_90, calibrate, noise, standard_deviation
from tasks import checkout

ENGINES = get_args(FillEngine)
GAPS = ((0, 20), (20, 40), (40, 80), (80, 1000))
"""Classes of the days between the observations on both sides."""
EOLEARN_SHIFTS, TREESAT_SHIFTS = (2, 5, 13), (5, 9, 13, 21)
_SAMPLE = 500
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


class Errors(NamedTuple):
    """Of every hidden observation that an engine filled."""

    error: NDArray[np.float64]
    deviation: NDArray[np.float64]
    """The uncertainty that was stated."""
    gap: NDArray[np.float64]
    """Days from the observation before to the one after; infinite beyond the ends."""
    filled_share: float

    def rmse(self, low: float = 0, high: float = np.inf) -> float:
        return float(np.sqrt((self.error[self._within(low, high)] ** 2).mean()))

    def coverage(self, low: float = 0, high: float = np.inf) -> float:
        """Share of hidden observations in the 90 % band."""
        inside = np.abs(self.error) <= NORMAL_90 * self.deviation
        return float(inside[self._within(low, high)].mean())

    def count(self, low: float = 0, high: float = np.inf) -> int:
        return int(self._within(low, high).sum())

    def _within(self, low: float, high: float) -> NDArray[np.bool_]:
        return (self.gap > low) & (self.gap <= high)


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


def errors(cells: Cells, shifts: tuple[int, ...], filling: Filling) -> Errors:
    """Hide, fill and compare, once per shift of the cloud patterns along the dates."""
    parts = list(_errors_under(cells, shifts, filling))
    joined = (np.concatenate(columns) for columns in zip(*(part[:3] for part in parts), strict=True))
    return Errors(*joined, filled_share=float(np.mean([part.filled_share for part in parts])))


def _errors_under(cells: Cells, shifts: tuple[int, ...], filling: Filling) -> Iterator[Errors]:
    days, values, seen, truth = cells
    sample = slice(None, None, max(1, seen.shape[1] // _SAMPLE))
    for shift in shifts:
        pattern = np.roll(seen, shift, axis=0)
        kept, hidden = seen & pattern, seen & ~pattern
        calibration = calibrate(filling, days, values[:, sample], kept[:, sample])
        curve = fitted(filling, days, days, values, kept)
        deviation = standard_deviation(calibration, noise(days, values, kept, calibration.variance), curve.reach)
        before, after = distances(days, days, neighbours(days, days, kept))
        tried = hidden & np.isfinite(curve.values)
        share = tried.sum() / hidden.sum()
        yield Errors((curve.values - truth)[tried], deviation[tried], (before + after)[tried], share)


def with_undetected_clouds(cells: Cells, share: float, seed: int = 4) -> Cells:
    """Some observations lowered by 0.15 to 0.5, as by clouds that the mask did not find."""
    rng = np.random.default_rng(seed)
    clouds = cells.seen & (rng.random(cells.seen.shape) < share)
    lowered = np.maximum(cells.values - rng.uniform(0.15, 0.5, clouds.shape), -0.05)
    return cells._replace(values=np.where(clouds, lowered, cells.values))


def table(title: str, rows: dict[str, Errors]) -> Table:
    """RMSE and coverage of the 90 % band per engine and length of the gap."""
    first = rows["linear"]
    names = [f"{low}–{high} d\n({first.count(low, high)})" for low, high in GAPS]
    names.append(f"beyond\n({first.count(1000)})")
    shown = Table("engine", f"between\n({first.count(0, 1000)})", *names, "filled", title=title)
    for name, found in rows.items():
        classes = ((0.0, 1000.0), *GAPS, (1000.0, np.inf))
        shown.add_row(name, *(_cell(found, low, high) for low, high in classes), f"{found.filled_share:.1%}")
    return shown


def _cell(found: Errors, low: float, high: float) -> str:
    return f"{found.rmse(low, high):.4f} / {found.coverage(low, high):.0%}" if found.count(low, high) else "–"


def main() -> None:
    folder = Path(os.environ.get("SAMPLE_DATA", checkout.ROOT.parent / "shared" / "data"))
    console = Console(width=150)
    slovenia, firs = scored(eolearn(folder)), treesat(folder)
    for dip in map(float, sys.argv[1:] or ("0.1", "0")):
        by_engine = {engine: Filling(engine=engine, dip=dip) for engine in ENGINES}
        for title, cells, shifts in (
            ("eolearn-testeopatch", slovenia, EOLEARN_SHIFTS),
            ("eolearn-testeopatch, 10 % clouds planted", with_undetected_clouds(slovenia, 0.1), EOLEARN_SHIFTS),
            ("anysat-treesat", firs, TREESAT_SHIFTS),
        ):
            rows = {engine: errors(cells, shifts, filling) for engine, filling in by_engine.items()}
            console.print(table(f"{title}, dip={dip:g}: RMSE / coverage of the 90 % band", rows))


if __name__ == "__main__":
    main()
