"""Where the land is: precise polygons on the analysis grid, after what is no land geometry was refused."""

from pathlib import Path
from typing import Any, Final

import geopandas
import numpy as np
import shapely
from pyogrio.errors import DataSourceError
from rasterio.features import rasterize

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.grid import part_of, transform_of
from containers.base.raster import create_cog, row_windows
from containers.base.step import local_path, main, progress
from containers.gdal.contract.land import LandParams, LandResult

EARTHS_LAND_KM2: Final = 148_940_000.0
"""Without inland water; the sea is 2.4 times as large, so a geometry with more has its inside out."""
_TOLERANCE: Final = 1.05
"""Coarse coastlines take some sea for land."""
_EQUAL_AREA: Final = 6933
_EDGE_POINTS = 21
_BLOCK_ROWS = 1024


def run(params: LandParams, out: Path) -> LandResult:
    grid = params.grid
    polygons = on_grid(read_land(local_path(params.geometry)), grid, params.geometry.name)
    path, land_cells = out / "land.tif", 0
    windows = list(row_windows(grid.shape, _BLOCK_ROWS))
    with create_cog(path, grid, dtype="uint8", nodata=None, bands=("land",), threads=params.execution.threads) as sink:
        for done, window in enumerate(windows, start=1):
            land = burned(polygons, part_of(grid, window))
            sink.write(land, 1, window=window)
            land_cells += int(land.sum())
            progress(done, len(windows), "land")
    if not land_cells:
        raise _refused(f"{params.geometry.name} has no land in any cell of the grid {tuple(grid.bounds)}")
    return LandResult(land=output_file(path), land_share=land_cells / (grid.width * grid.height))


def read_land(path: Path) -> Any:
    """The polygons of a file. Raises `bad_aoi` for a null, empty, invalid or inverted geometry, and without a CRS."""
    try:
        frame = geopandas.read_file(path)
    except (DataSourceError, ValueError, shapely.errors.GEOSException) as error:
        raise _refused(f"{path.name} cannot be read as polygons: {error}") from error
    if not isinstance(frame, geopandas.GeoDataFrame) or frame.empty:
        raise _refused(f"{path.name} holds no geometry")
    if frame.crs is None:
        raise _refused(f"{path.name} has no coordinate reference system")
    for number, geometry in enumerate(frame.geometry):
        if reason := what_is_wrong(geometry):
            raise _refused(f"geometry {number} of {path.name} {reason}")
    _require_no_more_than_land(frame, path.name)
    return frame


def what_is_wrong(geometry: Any) -> str:
    """Why a geometry is no land; empty where nothing is."""
    if geometry is None:
        return "is null"
    if geometry.is_empty:
        return "is empty"
    if geometry.geom_type not in ("Polygon", "MultiPolygon"):
        return f"is a {geometry.geom_type}, no polygon"
    if not np.isfinite(shapely.get_coordinates(geometry)).all():
        return "has coordinates that are null or infinite"
    if not geometry.is_valid:
        return f"is not valid: {shapely.is_valid_reason(geometry)}"
    return "has no area" if geometry.area == 0 else ""


def on_grid(frame: Any, grid: Grid, name: str) -> Any:
    """The polygons near the grid, in its CRS. Raises `bad_aoi` where there are none."""
    outline = shapely.segmentize(
        shapely.box(*grid.bounds), max(grid.width, grid.height) * grid.resolution_m / _EDGE_POINTS
    )
    # Cut in the file's CRS: what is far away has no sound coordinates in the grid's.
    there = geopandas.GeoSeries([outline], crs=grid.epsg).to_crs(frame.crs).iloc[0]
    west, south, east, north = there.bounds
    margin = 0.05 * max(east - west, north - south)
    wide = shapely.box(west - margin, south - margin, east + margin, north + margin)
    near = frame.geometry.iloc[frame.sindex.query(wide, predicate="intersects")].intersection(wide)
    near = near[shapely.area(near.to_numpy()) > 0]
    if near.empty:
        found = tuple(round(float(edge), 3) for edge in frame.total_bounds)
        raise _refused(f"{name} lies elsewhere: it covers {found} in {frame.crs.to_string()}, the grid {there.bounds}")
    return near.to_crs(grid.epsg)


def burned(polygons: Any, part: Grid) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """1 where a cell's centre is on land, 0 elsewhere; (y, x), uint8."""
    shapes = [(polygon, 1) for polygon in polygons.iloc[polygons.sindex.query(shapely.box(*part.bounds))]]
    if not shapes:
        return np.zeros(part.shape, dtype=np.uint8)
    land: np.ndarray[Any, np.dtype[np.uint8]] = rasterize(
        shapes, out_shape=part.shape, transform=transform_of(part), fill=0, dtype="uint8", all_touched=False
    )
    return land


def _require_no_more_than_land(frame: Any, name: str) -> None:
    """Raises `bad_aoi` for a geometry that covers more than all land of the earth."""
    area_km2 = float(frame.geometry.to_crs(_EQUAL_AREA).area.sum()) / 1e6
    if not np.isfinite(area_km2) or area_km2 > _TOLERANCE * EARTHS_LAND_KM2:
        raise _refused(
            f"{name} covers {area_km2:,.0f} km², more than all land of the earth ({EARTHS_LAND_KM2:,.0f} km²): "
            "it is inside out"
        )


def _refused(reason: str) -> StepError:
    return StepError("bad_aoi", f"{reason}.", "Give the land as valid polygons with a CRS that cover the grid's area.")


if __name__ == "__main__":
    main(LandParams, run)
