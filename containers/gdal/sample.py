"""Draw a stratified random sample of cells, and read map, regions and reference at its points."""

import csv
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio.warp
from numpy.typing import NDArray

from containers.base.contract.files import File, output_file
from containers.base.contract.grid import Grid
from containers.base.contract.legend import CLASSES
from containers.base.contract.step import StepError, StepWarning
from containers.base.grid import crs_of, grid_of, require_grid
from containers.base.raster import open_raster
from containers.base.regions import read_regions
from containers.base.step import local_path, main
from containers.gdal.contract.areas import REGION_SEPARATOR, SampleParams, SampleResult
from containers.gdal.frame import Doubt, Points, draw, map_strata
from containers.gdal.strata import MAX_PERIODS, UNKNOWN, Stratification, allocation

_LEAST_POINTS = 2
"""Without two points in a stratum there is no variance."""
_REPORTED_UNKNOWN = 0.01


def run(params: SampleParams, out: Path) -> SampleResult:
    """Write `sample.csv`, `strata.csv` and `strata.tif`, in two passes over blocks of rows.

    Raises `grid_mismatch`, `bad_regions`, `no_valid_pixels`, `bad_parameters`.
    """
    grid = _common_grid(params)
    stratification = Stratification(tuple(params.classes), pooled=_is_pooled(params))
    maps = [local_path(file) for file in params.classes.values()]
    cells = map_strata(maps, _doubt(params, grid), stratification, grid, out / "strata.tif")
    sampled = {code: n for code, n in cells.items() if code != UNKNOWN and n > 0}
    n_points = allocation(sampled, params.points, _minimum(params, len(sampled)))
    points = draw(out / "strata.tif", sampled, n_points, grid, params.seed)
    regions, warnings = _regions_at(params, points, grid)
    reference = {period: _reference_at(file, points, grid) for period, file in params.reference.items()}
    blank = [""] * len(points.stratum)
    columns = {
        "point_id": np.arange(1, len(points.stratum) + 1),
        "x_m": points.x_m,
        "y_m": points.y_m,
        "stratum": [stratification.names[code] for code in points.stratum],
        "inclusion_probability": [n_points[code] / cells[code] for code in points.stratum],
        "region_id": regions,
        **{period: reference.get(period, blank) for period in params.classes},
        **{f"map_{period}": _values_at(path, points, grid) for period, path in zip(params.classes, maps, strict=True)},
    }
    return SampleResult(
        sample=_write(out / "sample.csv", columns),
        strata=_write(out / "strata.csv", _strata_columns(stratification, cells, n_points, grid)),
        stratum_map=output_file(out / "strata.tif"),
        warnings=(*warnings, *_unknown(cells, grid), *_unread(reference)),
    )


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


def _minimum(params: SampleParams, n_strata: int) -> int:
    if n_strata == 0:
        raise StepError(
            "no_valid_pixels",
            "No cell is known in every period: there is nothing to sample.",
            "Look at the class maps.",
        )
    minimum = min(params.min_per_stratum, params.points // n_strata)
    if minimum < _LEAST_POINTS:
        raise StepError(
            "bad_parameters",
            f"{params.points} points do not give two to each of {n_strata} strata.",
            f"Ask for {n_strata * _LEAST_POINTS} points at least; {n_strata * params.min_per_stratum} are better.",
        )
    return minimum


def _regions_at(params: SampleParams, points: Points, grid: Grid) -> tuple[list[str], tuple[StepWarning, ...]]:
    """Per point the ids of the regions that hold it: regions may overlap, as levels of NUTS do."""
    ids: list[list[str]] = [[] for _ in points.stratum]
    if params.regions is None:
        return [""] * len(ids), ()
    regions, warnings = read_regions(local_path(params.regions), grid, id_field=params.region_id_field)
    places = gpd.GeoDataFrame(geometry=gpd.points_from_xy(points.x_m, points.y_m), crs=grid.epsg)
    for place, region in gpd.sjoin(places, regions, predicate="within")["region_id"].items():
        ids[place].append(region)
    return [REGION_SEPARATOR.join(sorted(found)) for found in ids], warnings


def _values_at(path: Path, points: Points, grid: Grid) -> NDArray[np.int64]:
    """The raster's values at the points, whatever its CRS; its nodata, or 0, outside of it."""
    with open_raster(path) as raster:
        x, y = rasterio.warp.transform(crs_of(grid), raster.crs, points.x_m, points.y_m)
        return np.array([value[0] for value in raster.sample(zip(x, y, strict=True), indexes=1)], dtype=int)


def _reference_at(file: File, points: Points, grid: Grid) -> list[str]:
    values = _values_at(local_path(file), points, grid)
    return [str(value) if value in set(map(int, CLASSES)) else "" for value in values]


def _strata_columns(
    stratification: Stratification, cells: dict[int, int], n_points: dict[int, int], grid: Grid
) -> dict[str, Any]:
    shown = [code for code, n in cells.items() if n > 0 or code == UNKNOWN]
    return {
        "stratum": [stratification.names[code] for code in shown],
        "cells": [cells[code] for code in shown],
        "area_ha": [cells[code] * grid.cell_area_ha for code in shown],
        "points": [n_points.get(code, 0) for code in shown],
    }


def _unknown(cells: dict[int, int], grid: Grid) -> tuple[StepWarning, ...]:
    share = cells[UNKNOWN] / sum(cells.values())
    if share < _REPORTED_UNKNOWN:
        return ()
    reason = f"{share:.1%} of the cells ({cells[UNKNOWN] * grid.cell_area_ha:.0f} ha) are unknown in some period."
    hint = "They are outside the sampling frame: estimates take them as mapped, where they are mapped."
    return (StepWarning(code="unknown_outside_frame", reason=reason, hint=hint),)


def _unread(reference: dict[str, list[str]]) -> tuple[StepWarning, ...]:
    blank = {period: values.count("") for period, values in reference.items() if "" in values}
    if not blank:
        return ()
    reason = f"The reference gives no class at some points: {', '.join(f'{n} in {p}' for p, n in blank.items())}."
    hint = "Interpret these points by hand before areas are estimated."
    return (StepWarning(code="reference_missing", reason=reason, hint=hint),)


def _write(path: Path, columns: dict[str, Any]) -> File:
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(columns)
        table.writerows(zip(*columns.values(), strict=True))
    return output_file(path)


if __name__ == "__main__":
    main(SampleParams, run)
