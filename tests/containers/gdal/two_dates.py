"""Two small images of a landscape with a fire between them, whose extent is known."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.grid import Grid
from containers.gdal.contract.burn import Reflectances

GRID = Grid(epsg=32633, resolution_m=20, west_m=500_000, north_m=5_300_000, width=60, height=50)
BANDS = ("blue", "red", "nir", "nir08", "swir22")
FOREST = {"blue": 250, "red": 300, "nir": 3000, "nir08": 3200, "swir22": 600}
CHAR = {"blue": 400, "red": 600, "nir": 900, "nir08": 1000, "swir22": 1800}
"""NBR 0.6842 before and −0.2857 after: dNBR 0.9699, RBR 0.5756. NDVI 0.8182 and 0.2."""
NODATA = -32768


def scar_of(grid: Grid = GRID) -> NDArray[np.bool_]:
    """A square with a hole, a square that touches it at a corner only, and a single cell."""
    scar = np.zeros(grid.shape, bool)
    scar[10:30, 10:30] = True
    scar[18:22, 18:22] = False
    scar[30:34, 30:34] = True
    scar[45, 50] = True
    return scar


@dataclass
class TwoDates:
    """Bands of both dates, int16 × 1e-4."""

    before: dict[str, NDArray[np.int16]]
    after: dict[str, NDArray[np.int16]]
    grid: Grid = GRID

    def stored(self, store: Any) -> dict[str, Reflectances]:
        return {
            date: Reflectances(
                bands={name: store.cog(band, self.grid, nodata=NODATA, name=name) for name, band in bands}
            )
            for date, bands in (("before", self.before.items()), ("after", self.after.items()))
        }


def two_dates(scar: NDArray[np.bool_] | None = None, grid: Grid = GRID) -> TwoDates:
    scar = scar_of(grid) if scar is None else scar
    before = {name: np.full(grid.shape, FOREST[name], np.int16) for name in BANDS}
    after = {name: np.where(scar, CHAR[name], FOREST[name]).astype(np.int16) for name in BANDS}
    return TwoDates(before, after, grid)
