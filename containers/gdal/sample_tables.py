"""A stratified random sample as tables: cells drawn, and map, regions and reference read at them."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import rasterio.warp
from numpy.typing import NDArray

from containers.base.contract.files import File, output_file
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError, StepWarning
from containers.base.grid import crs_of
from containers.base.raster import open_raster
from containers.base.regions import read_regions
from containers.base.step import local_path
from containers.gdal.contract.areas import REGION_SEPARATOR, Drawing, SampleResult
from containers.gdal.frame import Doubt, Points, Stratification, draw, map_strata
from containers.gdal.strata import UNKNOWN, allocation

_LEAST_POINTS = 2
"""Without two points in a stratum there is no variance."""
_REPORTED_UNKNOWN = 0.01
_NO_CODE = -1


class Population(NamedTuple):
    """What is sampled."""

    maps: dict[str, Path]
    """Period to mapped classes, in the order of time."""
    reference: dict[str, Path]
    """Period to the truth, in any CRS; periods without one are left blank."""
    codes: Mapping[int, int]
    """Code of the reference to the class that it stands for; of other codes the class is left blank."""
    stratification: Stratification
    doubt: Doubt
    grid: Grid


def write_sample(population: Population, drawing: Drawing, out: Path) -> SampleResult:
    """Write `sample.csv`, `strata.csv` and `strata.tif`. Raises `bad_regions`, `no_valid_pixels`, `bad_parameters`."""
    maps, grid, names = population.maps, population.grid, population.stratification.names
    cells = map_strata(list(maps.values()), population.doubt, population.stratification, grid, out / "strata.tif")
    sampled = {code: n for code, n in cells.items() if code != UNKNOWN and n > 0}
    n_points = allocation(sampled, drawing.points, _minimum(drawing, len(sampled)))
    points = draw(out / "strata.tif", sampled, n_points, grid, drawing.seed)
    regions, warnings = _regions_at(drawing, points, grid)
    reference = {period: _reference_at(path, points, population) for period, path in population.reference.items()}
    blank = [""] * len(points.stratum)
    columns = {
        "point_id": np.arange(1, len(points.stratum) + 1),
        "x_m": points.x_m,
        "y_m": points.y_m,
        "stratum": [names[code] for code in points.stratum],
        "inclusion_probability": [n_points[code] / cells[code] for code in points.stratum],
        "region_id": regions,
        **{period: reference.get(period, blank) for period in maps},
        **{f"map_{period}": _codes_at(path, points, grid) for period, path in maps.items()},
    }
    return SampleResult(
        sample=_write(out / "sample.csv", columns),
        strata=_write(out / "strata.csv", _strata_columns(names, cells, n_points, grid)),
        stratum_map=output_file(out / "strata.tif"),
        warnings=(*warnings, *_unknown(cells, grid), *_unread(reference)),
    )


def _minimum(params: Drawing, n_strata: int) -> int:
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


def _regions_at(params: Drawing, points: Points, grid: Grid) -> tuple[list[str], tuple[StepWarning, ...]]:
    """Per point the ids of the regions that hold it: regions may overlap, as levels of NUTS do."""
    ids: list[list[str]] = [[] for _ in points.stratum]
    if params.regions is None:
        return [""] * len(ids), ()
    regions, warnings = read_regions(local_path(params.regions), grid, id_field=params.region_id_field)
    places = gpd.GeoDataFrame(geometry=gpd.points_from_xy(points.x_m, points.y_m), crs=grid.epsg)
    for place, region in gpd.sjoin(places, regions, predicate="within")["region_id"].items():
        ids[place].append(region)
    return [REGION_SEPARATOR.join(sorted(found)) for found in ids], warnings


def _codes_at(path: Path, points: Points, grid: Grid) -> NDArray[np.int64]:
    """The raster's codes at the points, whatever its CRS; −1 where it has none, as outside of it."""
    with open_raster(path) as raster:
        x, y = rasterio.warp.transform(crs_of(grid), raster.crs, points.x_m, points.y_m)
        places = zip(x, y, strict=True)
        found = [value.astype(int).filled(_NO_CODE)[0] for value in raster.sample(places, indexes=1, masked=True)]
    return np.array(found, dtype=int)


def _reference_at(path: Path, points: Points, population: Population) -> list[str]:
    codes = _codes_at(path, points, population.grid)
    return [str(population.codes.get(int(code), "")) for code in codes]


def _strata_columns(
    names: dict[int, str], cells: dict[int, int], n_points: dict[int, int], grid: Grid
) -> dict[str, Any]:
    shown = [code for code, n in cells.items() if n > 0 or code == UNKNOWN]
    return {
        "stratum": [names[code] for code in shown],
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
