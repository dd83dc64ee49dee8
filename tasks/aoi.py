"""The area of interest: from whatever the user has to polygons in EPSG:4326 and to the analysis grid."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from shapely.geometry import MultiPolygon, Polygon, box, shape
from shapely.geometry.base import BaseGeometry

from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.step import StepError

GEOGRAPHIC_EPSG = 4326
AREA_OF_USE_MARGIN_DEG = 1.0
"""Tiles reach over the edges of their UTM zone, where the projection is still good to millimetres."""
LATTICE_DEG = 1e-7
"""About a centimetre."""
_DENSE_STEPS = 100
"""Points per edge before projecting: straight edges are curves in the other system."""

AoiSource = str | Path | Mapping[str, Any] | Sequence[float]


def read_aoi(source: AoiSource, epsg: int | None = None) -> MultiPolygon:
    """The area in EPSG:4326.

    `source` is a GeoJSON object or its text, WKT or EWKT, four numbers (west, south, east, north; west above east
    crosses the antimeridian) or a vector file. `epsg` is the system of coordinates that do not name their own; the
    default is 4326. Raises `bad_aoi`: null, no area, self-crossing, no known system, latitude and longitude swapped.
    """
    geometry, own_epsg = _parse(source, epsg)
    polygons = _polygons(geometry)
    source_crs = CRS.from_user_input(own_epsg)
    if source_crs != CRS.from_epsg(GEOGRAPHIC_EPSG):
        polygons = _reproject(polygons, source_crs, CRS.from_epsg(GEOGRAPHIC_EPSG))
    _check_degrees(polygons)
    # On this lattice the outline stays valid when it is written as text with seven decimals.
    return _polygons(shapely.set_precision(shapely.make_valid(polygons), LATTICE_DEG))


def aoi_bounds(aoi: MultiPolygon, epsg: int) -> Bounds:
    """The bounds of the area in that system, edges densified. Raises `bad_aoi` outside its area of use, `bad_grid`."""
    return Bounds(*project_aoi(aoi, epsg).bounds)


def project_aoi(aoi: MultiPolygon, epsg: int) -> MultiPolygon:
    """The area in the analysis system. Raises `bad_aoi` outside its area of use, `bad_grid` for unfit systems."""
    crs = _metric_crs(epsg)
    _check_area_of_use(aoi, crs)
    return _reproject(aoi, CRS.from_epsg(GEOGRAPHIC_EPSG), crs)


def analysis_grid(aoi: MultiPolygon, epsg: int, resolution_m: float, block_px: int = 1) -> Grid:
    """The smallest snapped grid over the area, its edges on multiples of `block_px` cells."""
    return Grid.covering(aoi_bounds(aoi, epsg), epsg=epsg, resolution_m=resolution_m, block_px=block_px)


def utm_epsg(area: BaseGeometry) -> int:
    """The EPSG code of the UTM zone (WGS 84) of the centre of an area in EPSG:4326; south of the equator 327xx.

    Zones are the regular ones of 6°, also over Norway and Svalbard, where maps widen some: any zone serves as a grid.
    """
    parts = shapely.get_parts(area)
    west, south, east, north = shapely.total_bounds(parts)
    if east - west > 180:  # on both sides of the antimeridian
        longitudes = [edge % 360 for part in parts for edge in (part.bounds[0], part.bounds[2])]
        west, east = min(longitudes), max(longitudes)
    zone = int(((west + east) / 2 + 180) % 360 // 6) + 1
    return (32600 if north + south >= 0 else 32700) + zone


def _parse(source: AoiSource, epsg: int | None) -> tuple[BaseGeometry, int | CRS]:
    if isinstance(source, Mapping):
        return _from_geojson(source, epsg)
    if isinstance(source, Path):
        return _from_file(source, epsg)
    if not isinstance(source, str):
        return _from_bbox(source), epsg or GEOGRAPHIC_EPSG
    text = source.strip()
    if text.startswith("{"):
        try:
            return _from_geojson(json.loads(text), epsg)
        except json.JSONDecodeError as error:
            raise _bad(f"The GeoJSON text is broken: {error}.", "Correct it, or name a file.") from error
    if "(" in text or text.upper().endswith("EMPTY"):
        return _from_wkt(text, epsg)
    numbers = text.replace(",", " ").split()
    if len(numbers) == 4 and all(_is_number(number) for number in numbers):
        return _from_bbox([float(number) for number in numbers]), epsg or GEOGRAPHIC_EPSG
    return _from_file(Path(text), epsg)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _from_bbox(numbers: Sequence[float]) -> BaseGeometry:
    if len(numbers) != 4:
        raise _bad(f"A box is four numbers, not {list(numbers)}.", "Give west, south, east, north.")
    west, south, east, north = numbers
    if south >= north or west == east:
        raise _bad(f"The box {list(numbers)} has no area.", "Give west, south, east, north.")
    if west < east:
        return box(west, south, east, north)
    if not -180 <= east < west <= 180 or east + 360 - west > 180:
        raise _bad(
            f"The box {list(numbers)} has its west edge east of its east edge.", "Give west, south, east, north."
        )
    parts = [box(a, south, b, north) for a, b in ((west, 180.0), (-180.0, east)) if a < b]
    return MultiPolygon(parts)


def _from_wkt(text: str, epsg: int | None) -> tuple[BaseGeometry, int]:
    if text.upper().startswith("SRID="):
        number, _, text = text[5:].partition(";")
        epsg = int(number) if number.isdigit() else None
        if epsg is None:
            raise _bad(f"SRID={number} is not a number.", "Write SRID=3035;POLYGON ((…)).")
    try:
        return shapely.from_wkt(text), epsg or GEOGRAPHIC_EPSG
    except shapely.errors.GEOSException as error:
        raise _bad(f"The WKT cannot be read: {error}.", "Write POLYGON ((x y, …)) or MULTIPOLYGON (…).") from error


def _from_geojson(geojson: Mapping[str, Any], epsg: int | None) -> tuple[BaseGeometry, int | CRS]:
    named = (geojson.get("crs") or {}).get("properties", {}).get("name")
    own = _named_crs(named) if named else epsg or GEOGRAPHIC_EPSG
    kind = geojson.get("type")
    geometries = (
        [feature.get("geometry") for feature in geojson.get("features", ())]
        if kind == "FeatureCollection"
        else [geojson.get("geometry") if kind == "Feature" else geojson]
    )
    nulls = sum(geometry is None for geometry in geometries)
    if nulls or not geometries:
        raise _bad(f"{nulls} of {len(geometries)} features have no geometry.", "Remove the features without geometry.")
    try:
        return shapely.union_all([_valid(shape(dict(geometry or {}))) for geometry in geometries]), own
    except (KeyError, TypeError, AttributeError, ValueError, shapely.errors.ShapelyError) as error:
        raise _bad(f"The GeoJSON cannot be read: {error!r}.", "Give polygons.") from error


def _named_crs(name: str) -> CRS:
    # CRS84 is EPSG:4326 with longitude first, which is how GeoJSON writes it anyway.
    try:
        return CRS.from_epsg(GEOGRAPHIC_EPSG) if name.endswith("CRS84") else CRS.from_user_input(name)
    except CRSError as error:
        raise _bad(f"The coordinate system {name!r} is unknown.", "Use EPSG codes.") from error


def _from_file(path: Path, epsg: int | None) -> tuple[BaseGeometry, int | CRS]:
    if not path.is_file():
        raise _bad(
            f"{str(path)[:200]!r} is no file, GeoJSON, WKT or box.",
            "Check the path, or write west, south, east, north.",
        )
    if path.suffix.lower() in (".json", ".geojson"):
        return _parse(path.read_text(), epsg)
    try:
        table = geopandas.read_file(path)
    except (OSError, RuntimeError, ValueError) as error:
        raise _bad(f"{path.name} cannot be read: {error}.", "Give a GeoPackage, shapefile or GeoJSON.") from error
    if nulls := int(table.geometry.isna().sum()):
        raise _bad(f"{nulls} of {len(table)} features of {path.name} have no geometry.", "Remove them.")
    crs = table.crs or epsg
    if crs is None:
        raise _bad(f"{path.name} names no coordinate system.", "Assign one to the file, or state the EPSG code.")
    return shapely.union_all([_valid(geometry) for geometry in table.geometry]), CRS.from_user_input(crs)


def _valid(geometry: BaseGeometry) -> BaseGeometry:
    if not geometry.is_valid:
        reason = shapely.is_valid_reason(geometry)
        raise _bad(f"The outline is not valid: {reason}.", "Repair the polygon at that place, such as in QGIS.")
    return geometry


def _polygons(geometry: BaseGeometry) -> MultiPolygon:
    if geometry is None or geometry.is_empty:
        raise _bad("The area is empty.", "Give a polygon with an area.")
    flat = shapely.force_2d(_valid(geometry))
    parts = [part for part in shapely.get_parts(flat) if isinstance(part, Polygon) and part.area > 0]
    if not parts:
        raise _bad(f"A {geometry.geom_type} has no area.", "Give a polygon, or a box around the place.")
    return MultiPolygon(parts)


def _check_degrees(aoi: MultiPolygon) -> None:
    west, south, east, north = aoi.bounds
    if west >= -180 and east <= 180 and south >= -90 and north <= 90:
        return
    seen = f"x {west:g} to {east:g}, y {south:g} to {north:g}"
    if south >= -180 and north <= 180 and west >= -90 and east <= 90:
        raise _bad(f"Latitude and longitude are swapped: {seen}.", "Give longitude first.")
    raise _bad(
        f"The area is outside the globe in degrees: {seen}.",
        "State the EPSG code of the coordinates; cut areas across the antimeridian at 180°.",
    )


def _metric_crs(epsg: int) -> CRS:
    try:
        crs = CRS.from_epsg(epsg)
    except CRSError as error:
        raise StepError("bad_grid", f"EPSG:{epsg} is unknown.", "Use EPSG:3035 in Europe, or a UTM zone.") from error
    if not crs.is_projected or {axis.unit_name for axis in crs.axis_info} != {"metre"}:
        raise StepError("bad_grid", f"EPSG:{epsg} ({crs.name}) is not in metres.", "Use EPSG:3035 or a UTM zone.")
    return crs


def _check_area_of_use(aoi: MultiPolygon, crs: CRS) -> None:
    use = crs.area_of_use
    if use is None:
        raise StepError("bad_grid", f"{crs.name} has no area of use.", "Use EPSG:3035 or a UTM zone.")
    east = use.east if use.west <= use.east else use.east + 360
    spans = [
        box(use.west + turn, use.south, east + turn, use.north).buffer(AREA_OF_USE_MARGIN_DEG, join_style="mitre")
        for turn in (-360, 0, 360)
    ]
    allowed = shapely.union_all(spans)
    if shapely.covers(allowed, aoi):
        return
    bounds = ", ".join(f"{value:.4g}" for value in aoi.bounds)
    swapped = shapely.covers(allowed, shapely.transform(aoi, lambda xy: xy[:, ::-1]))
    raise _bad(
        f"The area ({bounds}) reaches outside the area of use of {crs.name}: {use.name[:120]}.",
        "Latitude and longitude look swapped: give longitude first." if swapped else "Choose another analysis system.",
    )


def _reproject(aoi: MultiPolygon, source: CRS, target: CRS) -> MultiPolygon:
    project = transformer(source, target)
    extent = max(max(part.bounds[2] - part.bounds[0], part.bounds[3] - part.bounds[1]) for part in aoi.geoms)
    dense = shapely.segmentize(aoi, extent / _DENSE_STEPS)
    projected = shapely.transform(dense, lambda xy: np.column_stack(project.transform(xy[:, 0], xy[:, 1])))
    if not np.isfinite(projected.bounds).all():
        raise _bad(f"The area cannot be expressed in {target.name}.", "State the EPSG code of the coordinates.")
    return MultiPolygon(shapely.get_parts(projected).tolist())


@lru_cache(maxsize=32)
def transformer(source: CRS | int, target: CRS | int) -> Transformer:
    """Between two systems or EPSG codes, east before north."""
    return Transformer.from_crs(source, target, always_xy=True)


def _bad(reason: str, hint: str) -> StepError:
    return StepError("bad_aoi", reason, hint)
