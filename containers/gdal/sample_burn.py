"""Draw a stratified random sample of cells from a burn map."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from containers.base.grid import grid_of
from containers.base.raster import open_raster
from containers.base.step import local_path, main
from containers.gdal.burn_layers import BURNED, BURNED_UNKNOWN
from containers.gdal.contract.areas import SampleResult
from containers.gdal.contract.burn import BURN_CLASSES, SampleBurnParams
from containers.gdal.frame import Doubt
from containers.gdal.sample_tables import Population, write_sample
from containers.gdal.strata import NEAR_CHANGE, OTHER_CHANGE, UNKNOWN

_STABLE = 1
"""Strata of burns take the codes of what they are among strata of change, by which points are dealt out."""


class BurnStrata:
    """Burned, and unburned, which `with_doubt` divides into near burned and the rest."""

    @property
    def names(self) -> dict[int, str]:
        """Stratum code to name; 0 is unknown and never sampled."""
        return {UNKNOWN: "unknown", _STABLE: "unburned", NEAR_CHANGE: "near_burned", OTHER_CHANGE: "burned"}

    def codes(self, history: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The stratum of every cell, (y, x) uint8, from burned cells (1, y, x)."""
        burned = history[-1]
        codes = np.where(burned == BURNED, OTHER_CHANGE, _STABLE).astype(np.uint8)
        codes[burned == BURNED_UNKNOWN] = UNKNOWN
        return codes


def run(params: SampleBurnParams, out: Path) -> SampleResult:
    """Write `sample.csv`, `strata.csv` and `strata.tif`.

    Raises `bad_regions`, `no_valid_pixels`, `bad_parameters`.
    """
    with open_raster(local_path(params.burned)) as raster:
        grid = grid_of(raster)
    population = Population(
        maps={params.period: local_path(params.burned)},
        reference={params.period: local_path(params.reference)} if params.reference else {},
        codes=frozenset(BURN_CLASSES.values()),
        stratification=BurnStrata(),
        doubt=Doubt(None, 1.0, params.buffer_m / grid.resolution_m),
        grid=grid,
    )
    return write_sample(population, params, out)


if __name__ == "__main__":
    main(SampleBurnParams, run)
