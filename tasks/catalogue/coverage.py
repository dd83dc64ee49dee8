"""How much of an area a scene covers, in equal-area coordinates, and where the tiles lie."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import numpy as np
import shapely
from pyproj import CRS, Transformer
from shapely.geometry import MultiPolygon, Polygon, box, shape
from shapely.geometry.base import BaseGeometry

_GEOGRAPHIC: Final = CRS.from_epsg(4326)
_EQUAL_AREA: Final = CRS.from_epsg(6933)
"""EASE-Grid 2.0 global: cylindrical, so that meridians and parallels stay straight."""
TILE_M: Final = 109_800.0
_SQUARE_M: Final = 100_000.0
_MGRS_COLUMNS: Final = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")
_MGRS_ROWS: Final = "ABCDEFGHJKLMNPQRSTUV"
_LATITUDE_BANDS: Final = "CDEFGHJKLMNPQRSTUVWX"
_ROW_CYCLE_M: Final = 2_000_000.0


def equal_area(geometry: BaseGeometry) -> BaseGeometry:
    """A geometry in EPSG:4326 in coordinates whose areas are true, in metres."""
    project = _transformer(_GEOGRAPHIC, _EQUAL_AREA)
    return shapely.transform(geometry, lambda xy: np.column_stack(project.transform(xy[:, 0], xy[:, 1])))


def area_m2(geometry: BaseGeometry) -> float:
    """Area of a geometry in EPSG:4326, in square metres."""
    return float(equal_area(geometry).area)


def covered_share(footprints: Iterable[BaseGeometry], target: BaseGeometry) -> float:
    """Share of `target` (the AOI within a tile) that the footprints cover together."""
    whole = area_m2(target)
    if whole == 0:
        return 0.0
    return min(1.0, area_m2(shapely.union_all(list(footprints)).intersection(target)) / whole)


def usable_footprint(geojson: Mapping[str, Any] | None) -> BaseGeometry | None:
    """A GeoJSON outline as valid polygons that do not cross the antimeridian; None where it has no area."""
    if not geojson or not geojson.get("coordinates"):
        return None
    return normalised(shape(dict(geojson)))


def normalised(footprint: BaseGeometry) -> BaseGeometry | None:
    """The polygons of a footprint: repaired, cut at the antimeridian; None where there is no area.

    A footprint wider than 180° is one across the antimeridian whose western longitudes count from +360°.
    """
    flat = shapely.force_2d(footprint)
    west, _, east, _ = flat.bounds
    if east - west > 180:
        flat = shapely.transform(flat, lambda xy: np.where([True, False], np.mod(xy, 360), xy))
    valid = shapely.make_valid(flat)
    beyond = shapely.transform(valid.intersection(box(180, -90, 540, 90)), lambda xy: xy - [360, 0])
    joined = shapely.union_all([valid.intersection(box(-180, -90, 180, 90)), beyond])
    polygons = [part for part in shapely.get_parts(joined) if isinstance(part, Polygon) and part.area > 0]
    return MultiPolygon(polygons) if polygons else None


@lru_cache(maxsize=4096)
def geographic_outline(bounds: tuple[float, float, float, float], crs: CRS) -> BaseGeometry | None:
    """A box of a projected system as polygons in EPSG:4326, edges densified; None where it has no area."""
    project = _transformer(crs, _GEOGRAPHIC)
    edge = box(*bounds).segmentize((bounds[2] - bounds[0]) / 20)
    return normalised(shapely.transform(edge, lambda xy: np.column_stack(project.transform(xy[:, 0], xy[:, 1]))))


@lru_cache(maxsize=4096)
def nominal_tile(tile: str) -> BaseGeometry | None:
    """The outline of an MGRS tile as Sentinel-2 cuts it, 109.8 km from the north-west corner, to within 40 m."""
    zone, band, column, row = int(tile[:2]), tile[2], tile[3], tile[4]
    south = band < "N"
    easting = (_MGRS_COLUMNS[(zone - 1) % 3].index(column) + 1) * _SQUARE_M
    shift = 5 if zone % 2 == 0 else 0
    northing = ((_MGRS_ROWS.index(row) - shift) % 20) * _SQUARE_M
    crs = CRS.from_epsg((32700 if south else 32600) + zone)
    latitude = -80 + 8 * _LATITUDE_BANDS.index(band) + (6 if band == "X" else 4)
    _, middle = _transformer(_GEOGRAPHIC, crs).transform(6 * zone - 183, latitude)
    northing += round((middle - northing) / _ROW_CYCLE_M) * _ROW_CYCLE_M
    top = northing + _SQUARE_M
    return geographic_outline((easting, top - TILE_M, easting + TILE_M, top), crs)


@lru_cache(maxsize=256)
def _transformer(source: CRS, target: CRS) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)
