"""Cells of indicators per region: `v.rast.stats` by cell centres, or exact fractional cover."""

import csv
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely
from exactextract import exact_extract

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.grid import grid_of, require_grid
from containers.base.raster import open_raster
from containers.base.regions import ALL, read_regions
from containers.base.step import local_path, main, progress
from containers.grass.contract.zonal import ZonalLayer, ZonalParams, ZonalResult
from containers.grass.overlaps import disjoint_groups
from containers.grass.session import Project, open_project

_COLUMNS = ("region_id", "region_name", "period", "indicator", "cells", "unknown_cells", "total_cells")
_MAX_CELLS = 4_000_000


class Count(NamedTuple):
    """Cells of a region: counted, unknown, and all that lie on the grid. Whole numbers by cell centres."""

    cells: float
    unknown: float
    total: float


Counts = dict[tuple[int, int], Count]
"""(position of the zone, position of the layer) to its count."""


def run(params: ZonalParams, out: Path) -> ZonalResult:
    """Write `counts.csv` and `regions.gpkg`. Raises `bad_regions`, `bad_grid`, `grid_mismatch`."""
    grid = _common_grid(params.layers)
    regions, warnings = read_regions(
        local_path(params.regions), grid, id_field=params.region_id_field, name_field=params.region_name_field
    )
    zones = pd.concat([regions, whole_grid(grid)], ignore_index=True)
    count = count_by_centres if params.engine == "grass" else count_by_cover
    counts = count(params, grid, zones)
    with (out / "counts.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(_COLUMNS)
        for (zone, layer), cells in sorted(counts.items()):
            of = params.layers[layer]
            table.writerow([zones.region_id[zone], zones.region_name[zone], of.period, of.indicator, *cells])
    return ZonalResult(
        counts=output_file(out / "counts.csv"),
        regions=output_file(_write(regions, out / "regions.gpkg")),
        warnings=warnings,
    )


def whole_grid(grid: Grid) -> Any:
    """The grid's outline as one more region."""
    outline = shapely.box(*grid.bounds)
    return gpd.GeoDataFrame({"region_id": [ALL], "region_name": ["all"]}, geometry=[outline], crs=grid.epsg)


def count_by_centres(params: ZonalParams, grid: Grid, zones: Any) -> Counts:
    """A cell belongs to the regions that hold its centre: `v.rast.stats`, per group of regions without overlaps."""
    counts: Counts = {}
    with open_project(grid, params.execution) as project:
        names = [_indicator_map(project, n, layer) for n, layer in enumerate(params.layers)]
        groups = disjoint_groups(zones.geometry, grid.resolution_m**2)
        for done, group in enumerate(groups, start=1):
            for zone, row in _rast_stats(project, zones.geometry.iloc[group], names).items():
                counts |= {(zone, n): _count(row, name) for n, name in enumerate(names)}
            progress(done, len(groups), f"{len(group)} regions without overlaps")
    return counts


def count_by_cover(params: ZonalParams, grid: Grid, zones: Any) -> Counts:
    """Cells count with the part that the region covers (exactextract, Baston 2023)."""
    counts: Counts = {}
    totals = zones.geometry.intersection(shapely.box(*grid.bounds)).area / grid.resolution_m**2
    rasters = {layer.raster: None for layer in params.layers}
    for done, file in enumerate(rasters, start=1):
        with open_raster(local_path(file)) as raster:
            found = exact_extract(raster, zones, ["count", "unique", "frac"], max_cells_in_memory=_MAX_CELLS)
        for zone, feature in enumerate(found):
            known, values, shares = (feature["properties"][name] for name in ("count", "unique", "frac"))
            share = dict(zip(values, shares, strict=True))
            unknown = max(0.0, totals[zone] - known)
            for n, layer in enumerate(params.layers):
                if layer.raster == file:
                    counted = share.get(layer.counted_value, 0.0) * known
                    counts[zone, n] = Count(*(round(float(cells), 6) for cells in (counted, unknown, totals[zone])))
        progress(done, len(rasters), file.name)
    return counts


def _common_grid(layers: tuple[ZonalLayer, ...]) -> Grid:
    with open_raster(local_path(layers[0].raster)) as raster:
        grid = grid_of(raster)
    for layer in layers:
        with open_raster(local_path(layer.raster)) as raster:
            require_grid(raster, grid)
            if raster.nodata is None:
                raise StepError(
                    "bad_grid",
                    f"{layer.raster.name} declares no nodata, so unknown cells cannot be told from others.",
                    "Declare it: 255 for change maps, 0 for class rasters.",
                )
    return grid


def _indicator_map(project: Project, position: int, layer: ZonalLayer) -> str:
    source = project.link(local_path(layer.raster), f"source_{position}")
    project.run("r.mapcalc", expression=f"layer_{position} = {source} == {layer.counted_value}")
    return f"layer_{position}"


def _rast_stats(project: Project, zones: Any, layers: list[str]) -> dict[int, dict[str, str]]:
    """The attribute table of these zones after `v.rast.stats`, by their position."""
    path = project.folder.parent / "zones.gpkg"
    _write(gpd.GeoDataFrame({"zone": zones.index}, geometry=zones.values, crs=zones.crs), path)
    project.run("v.in.ogr", "o", input=path, output="zones", key="zone", snap=-1)
    # type=area: by default the centroids are burned too, which gives cells to parts that hold no cell's centre.
    method = ["number", "null_cells", "sum"]
    project.run("v.rast.stats", map="zones", type="area", raster=layers, column_prefix=layers, method=method)
    table = project.run("v.db.select", map="zones", separator="comma").splitlines()
    project.run("g.remove", "f", type="vector", name="zones")
    path.unlink()
    return {int(row["zone"]): row for row in csv.DictReader(table)}


def _count(row: dict[str, str], layer: str) -> Count:
    known, unknown, counted = (
        int(float(row.get(f"{layer}_{column}") or 0)) for column in ("number", "null_cells", "sum")
    )
    return Count(counted, unknown, known + unknown)


def _write(frame: Any, path: Path) -> Path:
    # A GeoPackage holds the time of its last change: fixed, so that equal regions are equal files.
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "1970-01-01T00:00:00.000Z"})
    frame.to_file(path, driver="GPKG", layer="regions", VERSION="1.2")
    return path


if __name__ == "__main__":
    main(ZonalParams, run)
