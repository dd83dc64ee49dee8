"""Where the tiles, the fine landscape and the area of interest lie."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from pyproj import Transformer
from shapely import Polygon, box, union_all
from shapely.ops import transform

from containers.base.contract.grid import Bounds, Grid
from containers.eodata.contract.simulate import ArchiveParams, Tile
from containers.eodata.noise import Axis

EPSG = 3035
FINE_M = 10
"""Cell of the fine landscape."""
PIXEL_M = 20
OVERLAP = 0.09
"""Share of a tile's edge that its neighbour has too, as in the real tiling; it also bridges the zones' convergence."""
_MARGIN_M = 400
_RADAR_MARGIN_M = 1200
"""Radar sees hills beside the tile laid over it."""
_CONTROL_POINTS = 33


@lru_cache(maxsize=32)
def _transformer(source: int, target: int) -> Transformer:
    """Made once per process: the first use of each takes a tenth of a second."""
    return Transformer.from_crs(source, target, always_xy=True)


def tile_grid(params: ArchiveParams, tile: Tile) -> Grid:
    """The 20 m grid of a tile in its UTM zone, on multiples of 60 m so that every Sentinel-2 resolution fits."""
    to_utm = _transformer(4326, tile.epsg)
    centre_x, centre_y = to_utm.transform(params.centre_lon_deg, params.centre_lat_deg)
    edge_m = params.tile_px * PIXEL_M
    spacing_m = edge_m * (1 - OVERLAP)
    west = centre_x + (tile.column + 0.5) * spacing_m - edge_m / 2
    north = centre_y - (tile.row + 0.5) * spacing_m + edge_m / 2
    return Grid(
        epsg=tile.epsg,
        resolution_m=PIXEL_M,
        west_m=round(west / 60) * 60,
        north_m=round(north / 60) * 60,
        width=params.tile_px,
        height=params.tile_px,
    )


def outline(grid: Grid, epsg: int, points: int = 16) -> Polygon:
    """The edge of a grid in another coordinate reference system."""
    to = _transformer(grid.epsg, epsg)
    edge = box(*grid.bounds).segmentize(grid.width * grid.resolution_m / points)
    return transform(to.transform, edge)


def world_grid(params: ArchiveParams) -> Grid:
    """The 20 m grid in EPSG:3035 that holds every tile with a margin; the fine landscape halves its cells."""
    west, south, east, north = union_all([outline(tile_grid(params, tile), EPSG) for tile in params.tiles]).bounds
    margin_m = _RADAR_MARGIN_M if params.radar_dates else _MARGIN_M
    bounds = Bounds(west - margin_m, south - margin_m, east + margin_m, north + margin_m)
    return Grid.covering(bounds, epsg=EPSG, resolution_m=PIXEL_M)


def area_of_interest(params: ArchiveParams) -> Bounds:
    """The largest centred box in EPSG:3035, on multiples of 20 m, inside the union of the tiles."""
    covered = union_all([outline(tile_grid(params, tile), EPSG) for tile in params.tiles])
    centre = covered.centroid
    west, south, east, north = covered.bounds
    for shrink in np.linspace(1, 0.1, 181):
        half_x, half_y = (east - west) / 2 * shrink, (north - south) / 2 * shrink
        candidate = Bounds(
            *(math.floor(value / PIXEL_M) * PIXEL_M for value in (
                centre.x - half_x, centre.y - half_y, centre.x + half_x, centre.y + half_y,
            ))
        )  # fmt: skip
        if covered.contains(box(*candidate)):
            return candidate
    raise ValueError("the tiles do not form one piece")


def true_north_deg(bounds: Bounds) -> float:
    """Bearing of true north in the grid of EPSG:3035, clockwise, at the middle of the bounds."""
    middle = (bounds.west + bounds.east) / 2, (bounds.south + bounds.north) / 2
    lon_deg, lat_deg = _transformer(EPSG, 4326).transform(*middle)
    east, north = _transformer(4326, EPSG).transform(lon_deg, lat_deg + 0.001)
    return math.degrees(math.atan2(east - middle[0], north - middle[1]))


@dataclass(frozen=True)
class View:
    """The cells of a tile at the fine resolution, with a margin, as places in the fine landscape."""

    grid: Grid
    margin: int

    def places(self, first: int, last: int, spacing_m: float = FINE_M) -> tuple[Axis, Axis]:
        """Easting and northing in EPSG:3035 of the cell centres of rows `first` to `last`: (rows, columns), float64.

        The margin counts as rows and columns before 0. Interpolated between control points: exact to centimetres.
        """
        columns = round(self.grid.width * self.grid.resolution_m / spacing_m) + 2 * self.margin
        x = self.grid.west_m + (np.arange(columns, dtype=np.float64) - self.margin + 0.5) * spacing_m
        y = self.grid.north_m - (np.arange(first, last, dtype=np.float64) + 0.5) * spacing_m
        knots_x, knots_y = _knots(x), _knots(y)
        mapped = _transformer(self.grid.epsg, EPSG).transform(*np.meshgrid(knots_x, knots_y))
        along_y, along_x = _linear(y, knots_y), _linear(x, knots_x)
        east, north = (along_y @ values @ along_x.T for values in mapped)
        return east, north


def _knots(position: Axis) -> Axis:
    return np.linspace(position[0], position[-1], _CONTROL_POINTS, dtype=np.float64)


def _linear(position: Axis, knots: Axis) -> Axis:
    """Matrix that interpolates linearly from values at evenly spaced knots to positions between them."""
    scaled = (position - knots[0]) / (knots[1] - knots[0])
    weights: Axis = np.clip(1 - np.abs(scaled[:, None] - np.arange(len(knots))), 0, None)
    return weights
