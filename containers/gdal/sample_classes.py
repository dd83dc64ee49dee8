"""Draw a stratified random sample of cells from one map of classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.base.grid import grid_of
from containers.base.raster import open_raster
from containers.base.step import local_path, main
from containers.gdal.contract.areas import SampleClassesParams, SampleResult
from containers.gdal.frame import Doubt
from containers.gdal.sample_tables import Population, write_sample
from containers.gdal.strata import NEAR_CHANGE, OTHER_CHANGE, UNKNOWN

_STABLE: Final = 1
"""Strata take the codes of what they are among strata of change, by which points are dealt out: any class may be
wrong, unless `beside` says which one is overlooked."""
_OUTSIDE: Final = 255
"""No stratum, and no part of the map: such cells are not counted."""


@dataclass(frozen=True)
class ClassStrata:
    """One stratum per mapped class and one of doubtful cells; or a class, what is near it, and the other class."""

    classes: Mapping[str, int]
    """Class name to its code in the map, `doubtful` included."""
    beside: str = ""
    outside: int | None = None

    @property
    def names(self) -> dict[int, str]:
        """Stratum code to name; 0 is unknown and never sampled."""
        near = {NEAR_CHANGE: f"near_{self.beside}"} if self.beside else {}
        strata = {stratum: name for name, stratum in self._strata.items()}
        return {UNKNOWN: "unknown"} | dict(sorted((near | strata).items()))

    def codes(self, history: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The stratum of every cell, (y, x) uint8, from its class (1, y, x)."""
        table = np.full(256, UNKNOWN, np.uint8)
        if self.outside is not None:
            table[self.outside] = _OUTSIDE
        for name, stratum in self._strata.items():
            table[self.classes[name]] = stratum
        strata: NDArray[np.uint8] = table[history[-1]]
        return strata

    @property
    def _strata(self) -> dict[str, int]:
        if self.beside:
            return {name: OTHER_CHANGE if name == self.beside else _STABLE for name in self.classes}
        return {name: OTHER_CHANGE + number for number, name in enumerate(self.classes)}


def run(params: SampleClassesParams, out: Path) -> SampleResult:
    """Write `sample.csv`, `strata.csv` and `strata.tif`.

    Raises `bad_regions`, `no_valid_pixels`, `bad_parameters`.
    """
    with open_raster(local_path(params.mapped)) as raster:
        grid = grid_of(raster)
    doubtful = {} if params.doubtful is None else {"doubtful": params.doubtful}
    population = Population(
        maps={params.period: local_path(params.mapped)},
        reference={params.period: local_path(params.reference)} if params.reference else {},
        codes=_reference_codes(params),
        stratification=ClassStrata(params.classes | doubtful, params.beside, params.outside),
        doubt=Doubt(None, 1.0, params.buffer_m / grid.resolution_m if params.beside else 0.0),
        grid=grid,
    )
    return write_sample(population, params, out)


def _reference_codes(params: SampleClassesParams) -> dict[int, int]:
    names = params.reference_names or {code: name for name, code in params.classes.items()}
    return {code: params.classes[name] for code, name in names.items()}


if __name__ == "__main__":
    main(SampleClassesParams, run)
