"""In which tile a feature lies, and whether another UTM zone explains coordinates that lie in none."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from containers.base.contract.step import StepError
from containers.gdal.survey_features import Features, Geometries
from containers.gdal.survey_notices import Notice

AS_DECLARED, UNEXPLAINED, AMBIGUOUS = 0, -1, -2
_MGRS: Final = re.compile(r"(?<![0-9A-Z])T?(\d{2}[C-X][A-Z]{2})(?![A-Z])")
_SOUTHERN_BANDS: Final = "CDEFGHJKLM"
_EDGE_DEG: Final = 0.02
"""Outlines are densified before projecting: straight edges are curves in the other system."""


class Tile(NamedTuple):
    """A tile of the MGRS grid, or the part of it that there is."""

    name: str
    epsg: int
    outline: Any
    """Polygon in its UTM zone."""


class Located(NamedTuple):
    """Where each feature lies."""

    tile: NDArray[np.intp]
    """Number of the tile, −1 for features that are refused."""
    geometry: Geometries
    """In the tile's zone."""
    notices: list[Notice]


def tiles_of(outlines: Mapping[str, str]) -> list[Tile]:
    """The tiles by name. Raises `bad_parameters` for a name or an outline that is none."""
    tiles = []
    for name, wkt in sorted(outlines.items()):
        if not _MGRS.fullmatch(name):
            raise StepError("bad_parameters", f"{name!r} is no MGRS tile.", "Write 31TGK or T31TGK.")
        outline = shapely.from_wkt(wkt, on_invalid="ignore")
        if outline is None or outline.is_empty or not outline.is_valid or outline.area == 0:
            raise StepError(
                "bad_parameters", f"The outline of {name} is no polygon: {wkt[:80]}.", "Give WKT in degrees."
            )
        epsg = utm_epsg(name)
        dense = np.array([shapely.segmentize(outline, _EDGE_DEG)], dtype=object)
        tiles.append(Tile(name, epsg, projected(dense, CRS.from_epsg(4326), epsg)[0]))
    return tiles


def utm_epsg(tile: str) -> int:
    """The zone of an MGRS tile, WGS 84.

    >>> utm_epsg("T32TLR"), utm_epsg("55HBU")
    (32632, 32755)
    """
    plain = tile.removeprefix("T")
    return (32700 if plain[2] in _SOUTHERN_BANDS else 32600) + int(plain[:2])


def declared_tiles(file: str, tiles: Sequence[Tile]) -> list[Tile]:
    """The tile that a file's name declares, or every tile where it declares none that is asked for.

    >>> [tile.name for tile in declared_tiles("tfe_T32TLR_WGS84.shp", [Tile("31TGL", 0, 0), Tile("32TLR", 0, 0)])]
    ['32TLR']
    """
    named = set(_MGRS.findall(file.upper()))
    return [tile for tile in tiles if tile.name.removeprefix("T") in named] or list(tiles)


def projected(geometry: Geometries, source: CRS, epsg: int) -> Geometries:
    """Coordinates unchanged where the systems are the same; what cannot be expressed becomes empty."""
    if source.to_epsg() == epsg:
        return geometry
    to_target = Transformer.from_crs(source, CRS.from_epsg(epsg), always_xy=True).transform
    moved: Geometries = shapely.transform(geometry, lambda xy: np.column_stack(to_target(xy[:, 0], xy[:, 1])))
    finite = np.isfinite(shapely.bounds(moved)).all(axis=1)
    moved[~finite] = shapely.Point()
    return moved


def depths_m(geometry: Geometries, crs: CRS, tiles: Sequence[Tile]) -> NDArray[np.float64]:
    """How far from the border each feature lies in each tile, (tile, feature); −inf where a part of it is outside."""
    depths = np.full((len(tiles), len(geometry)), -np.inf)
    for depth, tile in zip(depths, tiles, strict=True):
        here = projected(geometry, crs, tile.epsg)
        inside = np.flatnonzero(shapely.covered_by(here, tile.outline))
        depth[inside] = shapely.distance(here[inside], tile.outline.boundary)
    return depths


def meets(geometry: Geometries, crs: CRS, tiles: Sequence[Tile]) -> NDArray[np.bool_]:
    """Whether a feature, read in that system, has a point in one of the tiles."""
    found = np.zeros(len(geometry), dtype=bool)
    for tile in tiles:
        found |= shapely.intersects(projected(geometry, crs, tile.epsg), tile.outline)
    return found


def readings(features: Features, homes: Sequence[Tile]) -> NDArray[np.int64]:
    """By which EPSG code each feature meets one of `homes`: as declared, else as metres of a zone in reach.

    In reach are the zone of a tile and its two neighbours; where two of them explain a feature, it is ambiguous.
    """
    own = np.zeros(len(features.geometry), dtype=bool)
    if features.crs is not None:
        own = meets(features.geometry, features.crs, homes)
    found = np.where(own, AS_DECLARED, UNEXPLAINED)
    rest = np.flatnonzero(~own)
    zones = sorted({zone for tile in homes for zone in _zones_in_reach(tile.epsg)})
    for zone in zones if rest.size else ():
        near = [tile for tile in homes if zone in _zones_in_reach(tile.epsg)]
        claimed = rest[meets(features.geometry[rest], CRS.from_epsg(zone), near)]
        found[claimed] = np.where(found[claimed] == UNEXPLAINED, zone, AMBIGUOUS)
    return found


def locate(features: Features, tiles: Sequence[Tile], *, keep_declared: bool) -> Located:
    """The tile of each feature: of several that hold all of it the one whose border is farthest.

    With `keep_declared` it is the tile of the file's name, if it names one.
    """
    homes = declared_tiles(features.file, tiles)
    read_as = readings(features, homes)
    located = Located(np.full(len(read_as), -1), features.geometry.copy(), _read_notices(features, read_as, homes))
    choices = [tiles.index(tile) for tile in (homes if keep_declared else tiles)]
    for code in np.unique(read_as[read_as >= 0]):
        rows = np.flatnonzero(read_as == code)
        crs = CRS.from_epsg(code) if code or features.crs is None else features.crs
        depths = depths_m(features.geometry[rows], crs, tiles)
        chosen = np.array(choices)[depths[choices].argmax(axis=0)]
        deep = depths[chosen, np.arange(len(rows))]
        located.tile[rows] = np.where(np.isfinite(deep), chosen, -1)
        for number in np.unique(chosen):
            here = rows[chosen == number]
            located.geometry[here] = projected(features.geometry[here], crs, tiles[number].epsg)
        located.notices.extend(_tile_notices(features, rows, chosen, depths, tiles))
    return located


def _zones_in_reach(epsg: int) -> list[int]:
    hemisphere, zone = divmod(epsg, 100)
    return [hemisphere * 100 + (zone - 1 + step) % 60 + 1 for step in (-1, 0, 1)]


def _read_notices(features: Features, read_as: NDArray[np.int64], homes: Sequence[Tile]) -> list[Notice]:
    declared = features.crs.name if features.crs is not None else "none"
    home = homes[0].name if len(homes) == 1 else "every tile"
    notices = []
    for row in np.flatnonzero(read_as != AS_DECLARED):
        code = int(read_as[row])
        if code > 0:
            reason = f"outside {home} by the declared system ({declared}), inside when read as EPSG:{code}: so read"
        elif code == AMBIGUOUS:
            reason = f"outside {home} by the declared system ({declared}), and more than one UTM zone explains it"
        else:
            reason = f"outside {home} by the declared system ({declared}), and no UTM zone explains it"
        notices.append(features.notice("zone_corrected" if code > 0 else "outside", int(row), reason))
    return notices


def _tile_notices(
    features: Features,
    rows: NDArray[np.intp],
    chosen: NDArray[np.intp],
    depths: NDArray[np.float64],
    tiles: Sequence[Tile],
) -> list[Notice]:
    notices = []
    for place, row in enumerate(rows.tolist()):
        holding = np.flatnonzero(np.isfinite(depths[:, place]))
        taken = tiles[chosen[place]].name
        if not np.isfinite(depths[chosen[place], place]):
            notices.append(features.notice("beyond_tile", row, "a part of it lies outside of every tile in question"))
        elif len(holding) > 1:
            names = ", ".join(
                f"{tiles[number].name} ({depths[number, place] / 1000:.1f} km)" for number in holding.tolist()
            )
            notices.append(features.notice("two_tiles", row, f"in {names} from the border: taken in {taken}"))
    return notices
