"""Stencils on the pixel grid of a tile: which cells polygons touch and points lie in."""

from pathlib import Path
from typing import Any, Final, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize

from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.step import StepError
from containers.base.grid import transform_of, window_of
from containers.base.raster import BLOCK_PX

_KINDS: Final = {"Point", "MultiPoint", "Polygon", "MultiPolygon"}
_EDGE_DEG, _EDGE_M = 0.01, 1000.0
"""Longer straight edges are divided before projecting, because they are curves in the other system."""


class Cut(NamedTuple):
    """The window of a tile around its stencils, and which of its cells they let through."""

    tile: Grid
    grid: Grid
    """Its edges lie on blocks of the tile."""
    inside: NDArray[np.bool_]
    """(y, x) of `grid`."""

    @property
    def offset(self) -> tuple[int, int]:
        """(row, column) of the window's first cell in the tile."""
        window = window_of(self.tile, self.grid)
        return int(window.row_off), int(window.col_off)

    @property
    def filled(self) -> float:
        """Share of the window's blocks that a stencil touches."""
        rows, cols = (np.arange(0, size, BLOCK_PX) for size in self.grid.shape)
        blocks = np.logical_or.reduceat(np.logical_or.reduceat(self.inside, rows, axis=0), cols, axis=1)
        return float(blocks.mean())


def read_stencils(path: Path, epsg: int) -> NDArray[Any]:
    """Polygons and points of a GeoParquet file in a UTM zone. Raises `bad_aoi` for what is no stencil."""
    try:
        frame = gpd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise _bad(f"{path.name} cannot be read: {error}", "Give the stencils as GeoParquet.") from error
    if frame.empty or frame.crs is None:
        lack = "stencil" if frame.empty else "coordinate reference system"
        raise _bad(f"{path.name} has no {lack}", "Give polygons or points with their CRS.")
    kinds = set(frame.geometry.geom_type.fillna("nothing"))
    if strange := sorted(kinds - _KINDS):
        raise _bad(f"{path.name} holds {', '.join(strange)}", "Stencils are polygons or points.")
    dense = frame.geometry.segmentize(_EDGE_DEG if frame.crs.is_geographic else _EDGE_M)
    return np.asarray(dense.to_crs(epsg))


def cut_of(stencils: NDArray[Any], tile: Grid, name: str) -> Cut:
    """Where stencils, in the tile's own CRS, lie in it. Raises `bad_aoi` where none touches the tile."""
    there = stencils[shapely.intersects(shapely.box(*tile.bounds), stencils)]
    if there.size:
        west, south, east, north = shapely.total_bounds(there)
        margin = tile.resolution_m
        grid = tile.clipped_to(Bounds(west - margin, south - margin, east + margin, north + margin), BLOCK_PX)
        inside = rasterize(there, out_shape=grid.shape, transform=transform_of(grid), all_touched=True, dtype="uint8")
        if inside.any():
            return Cut(tile, grid, inside.view(bool))
    raise _bad(
        f"No stencil touches tile {name}: it lies at {place(tile.bounds)} of EPSG:{tile.epsg}, the stencils at "
        f"{place(Bounds(*shapely.total_bounds(stencils)))}",
        "Give each tile the stencils that lie in it, in their true coordinate system.",
    )


def place(bounds: Bounds) -> str:
    """Bounds for people, in metres."""
    return f"{bounds.west:.0f} to {bounds.east:.0f} east, {bounds.south:.0f} to {bounds.north:.0f} north"


def _bad(reason: str, hint: str) -> StepError:
    return StepError("bad_aoi", f"{reason}.", hint)
