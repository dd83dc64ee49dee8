"""Draw a stratified random sample of cells from a class history."""

from pathlib import Path

from containers.base.contract.grid import Grid
from containers.base.contract.legend import CLASSES
from containers.base.grid import grid_of, require_grid
from containers.base.raster import open_raster
from containers.base.step import local_path, main
from containers.gdal.contract.areas import SampleParams, SampleResult
from containers.gdal.frame import Doubt
from containers.gdal.sample_tables import Population, write_sample
from containers.gdal.strata import MAX_PERIODS, Stratification


def run(params: SampleParams, out: Path) -> SampleResult:
    """Write `sample.csv`, `strata.csv` and `strata.tif`, in two passes over blocks of rows.

    Raises `grid_mismatch`, `bad_regions`, `no_valid_pixels`, `bad_parameters`.
    """
    grid = _common_grid(params)
    population = Population(
        maps={period: local_path(file) for period, file in params.classes.items()},
        reference={period: local_path(file) for period, file in params.reference.items()},
        codes={int(cover): int(cover) for cover in CLASSES},
        stratification=Stratification(tuple(params.classes), pooled=_is_pooled(params)),
        doubt=_doubt(params, grid),
        grid=grid,
    )
    return write_sample(population, params, out)


def _common_grid(params: SampleParams) -> Grid:
    files = [*params.classes.values(), *([params.change_probability] if params.change_probability else [])]
    with open_raster(local_path(files[0])) as raster:
        grid = grid_of(raster)
    for file in files[1:]:
        with open_raster(local_path(file)) as raster:
            require_grid(raster, grid)
    return grid


def _doubt(params: SampleParams, grid: Grid) -> Doubt:
    probability = local_path(params.change_probability) if params.change_probability else None
    return Doubt(probability, params.doubt, params.buffer_m / grid.resolution_m)


def _is_pooled(params: SampleParams) -> bool:
    if len(params.classes) > MAX_PERIODS:
        return True
    n_strata = len(Stratification(tuple(params.classes)).names) - 1
    return n_strata * params.min_per_stratum > params.points


if __name__ == "__main__":
    main(SampleParams, run)
