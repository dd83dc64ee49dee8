"""How well each engine fills what clouds hide: `python -m benchmarks.gap_filling_accuracy [simulated archive …]`.

Clear observations are hidden under the cloud patterns of other dates of the same place and filled from the others.
Defaults were chosen on the cells `chosen` of eolearn-testeopatch under other patterns; the tables are of the rest.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.real_series import Cells, eolearn, scored, treesat
from benchmarks.simulated_series import simulated
from containers.gdal.contract.fill import FillEngine, Filling
from containers.gdal.curve_engines import fitted
from containers.gdal.smoothers import distances, neighbours
from containers.gdal.uncertainty import NORMAL_90, calibrate, noise, standard_deviation
from tasks import checkout

ENGINES = get_args(FillEngine)
GAPS = ((0, 20), (20, 40), (40, 80), (80, 1000))
"""Classes of the days between the observations on both sides."""
EOLEARN_SHIFTS, TREESAT_SHIFTS, SIMULATED_SHIFTS = (2, 5, 13), (5, 9, 13, 21), (3, 8)
_SAMPLE = 500


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
    """The tables of the real series, and of every simulated archive whose folder is given."""
    folder = Path(os.environ.get("SAMPLE_DATA", checkout.ROOT.parent / "shared" / "data"))
    console = Console(width=150)
    slovenia = scored(eolearn(folder))
    cases = {
        "eolearn-testeopatch": (slovenia, EOLEARN_SHIFTS),
        "eolearn-testeopatch, 10 % clouds planted": (with_undetected_clouds(slovenia, 0.1), EOLEARN_SHIFTS),
        "anysat-treesat": (treesat(folder), TREESAT_SHIFTS),
    }
    for path in sys.argv[1:]:
        cells = simulated(Path(path))
        cases[f"{path}, against hidden observations"] = cells._replace(truth=cells.values), SIMULATED_SHIFTS
        cases[f"{path}, against the truth"] = cells, SIMULATED_SHIFTS
    for title, (cells, shifts) in cases.items():
        rows = {engine: errors(cells, shifts, Filling(engine=engine)) for engine in ENGINES}
        console.print(table(f"{title}: RMSE / coverage of the 90 % band", rows))


if __name__ == "__main__":
    main()
