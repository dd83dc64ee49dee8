"""Which tiles of the Copernicus DEM an area needs, and which of them the archive holds."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from pyproj import Transformer

from containers.base.contract.files import File
from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.step import StepError
from containers.base.storage import stat

COPDEM: Final = "s3://eodata/auxdata/CopDEM_COG/copernicus-dem-30m"
"""GLO-30 as COGs: heights above the geoid EGM2008, in tiles of one degree."""
_EDGE_POINTS: Final = 21


class DemTiles(NamedTuple):
    """What the archive holds of an area's DEM."""

    files: tuple[File, ...]
    absent: tuple[str, ...]
    """Tiles that are not there: the DEM has none where there is only sea."""


def tile_hrefs(area: Bounds) -> tuple[str, ...]:
    """Addresses of the tiles that touch an area in degrees; west above east crosses the antimeridian.

    A tile bears the name of its south-west corner.
    """
    east = area.east + 360 if area.west > area.east else area.east
    lats = range(math.floor(area.south), math.floor(area.north) + 1)
    lons = range(math.floor(area.west), math.floor(east) + 1)
    return tuple(_href(lat, (lon + 180) % 360 - 180) for lat in lats for lon in lons)


def area_of(grid: Grid, margin_m: float) -> Bounds:
    """Degrees that a grid and a strip around it cover."""
    west, south, east, north = grid.bounds
    to_degrees = Transformer.from_crs(grid.epsg, 4326, always_xy=True)
    wide = west - margin_m, south - margin_m, east + margin_m, north + margin_m
    return Bounds(*to_degrees.transform_bounds(*wide, densify_pts=_EDGE_POINTS))


def stored_tiles(hrefs: Sequence[str]) -> DemTiles:
    """Look the tiles up. Raises `missing_file` where the archive holds none of them, `access_denied` and others."""
    files, absent = [], []
    for href in hrefs:
        try:
            files.append(stat(href))
        except StepError as error:
            if error.code != "missing_file":
                raise
            absent.append(href)
    if not files:
        raise StepError(
            "missing_file",
            f"The archive holds none of the {len(absent)} DEM tiles of the area: {', '.join(map(_name, absent))}.",
            "Over open sea there are none; else give the DEM as files.",
        )
    return DemTiles(tuple(files), tuple(absent))


def _href(lat: int, lon: int) -> str:
    north, east = f"{'S' if lat < 0 else 'N'}{abs(lat):02d}", f"{'W' if lon < 0 else 'E'}{abs(lon):03d}"
    name = f"Copernicus_DSM_COG_10_{north}_00_{east}_00_DEM"
    return f"{COPDEM}/{name}/{name}.tif"


def _name(href: str) -> str:
    return href.rsplit("/", 1)[-1].removesuffix(".tif")
