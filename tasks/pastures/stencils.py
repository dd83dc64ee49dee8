"""A user's pastures: read, checked, taken into the store, and matched to tiles by their geometry."""

import math
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pydantic import Field
from pyogrio.errors import DataLayerError, DataSourceError
from shapely.geometry.base import BaseGeometry

from containers.base.contract.files import File
from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.model import Contract
from containers.base.contract.step import StepError
from tasks import ledger
from tasks.aoi import GEOGRAPHIC_EPSG, transformer
from tasks.parameters.pasture_types import Pastures
from tasks.store import Store

CELL_M: Final = 10.0
_KINDS: Final = {"Point", "MultiPoint", "Polygon", "MultiPolygon"}
_EDGE_DEG, _EDGE_M = 0.01, 1000.0
_ALL: Final = 1 - 1e-9
_MOST_NAMED: Final = 20


class Placement(Contract):
    """The tile that a pasture is cut from, although others may show it, too."""

    pasture_id: str
    name: str
    tile: str
    share: float = Field(ge=0, le=1, description="Share of the pasture that the tile shows")
    grid: Grid = Field(description="The tile's 10 m cells around the pasture")


def take_pastures(store: Store, pastures: Pastures) -> File:
    """The pastures in the store: GeoParquet of pasture_id, pasture_name, geometry. Raises `missing_file`, `bad_aoi`."""
    frame = read_pastures(pastures)
    store.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store.scratch) as folder:
        path = Path(folder) / "pastures.parquet"
        frame.to_parquet(path, index=False, compression="zstd")
        return store.import_file(path)


def read_pastures(pastures: Pastures) -> geopandas.GeoDataFrame:
    """Pastures of all files in the order of their ids, EPSG:4326: one that comes later in another system changes none.

    Raises `missing_file`, and `bad_aoi` with a list: no CRS, several layers, no such attribute, ids that are missing or
    come twice (upper and lower case alike), geometries that are missing, empty, invalid or neither polygons nor points.
    """
    frames = [_in_degrees(_read_file(Path(path), pastures)) for path in pastures.paths]
    frame = geopandas.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=GEOGRAPHIC_EPSG)
    _require_different(list(frame["pasture_id"]))
    return frame.sort_values("pasture_id", kind="stable").reset_index(drop=True)


def _read_file(path: Path, pastures: Pastures) -> geopandas.GeoDataFrame:
    """A GeoPackage, GeoJSON or Shapefile, also zipped."""
    if not path.is_file():
        raise StepError("missing_file", f"{str(path)!r} is no file where the flow runs.", "Correct the path.")
    table = _table(path)
    if table.empty or table.crs is None:
        lack = "pastures" if table.empty else "coordinate reference system"
        raise _bad(f"{path.name} has no {lack}", "Assign the system that its coordinates are in, such as EPSG:2154.")
    ids = [str(value).strip() for value in _column(table, pastures.id_field, path).fillna("")]
    names = _column(table, pastures.name_field, path).fillna("").astype(str) if pastures.name_field else ids
    _require_ids(ids, path)
    _require_shapes(dict(zip(ids, table.geometry, strict=True)), path)
    return geopandas.GeoDataFrame(
        {"pasture_id": ids, "pasture_name": [name or own for name, own in zip(names, ids, strict=True)]},
        geometry=shapely.force_2d(np.asarray(table.geometry)),
        crs=table.crs,
    )


def place_pastures(pastures: geopandas.GeoDataFrame, tiles: Mapping[str, str]) -> tuple[Placement, ...]:
    """One tile for each pasture: of those that hold it whole the one that holds it deepest, else the largest share.

    `tiles` gives outlines as WKT in EPSG:4326. Raises `bad_aoi` with the pastures that no tile shows.
    """
    outlines = {tile: _projected(shapely.from_wkt(wkt), tile) for tile, wkt in sorted(tiles.items())}
    placements, homeless = [], []
    named = zip(pastures["pasture_id"], pastures["pasture_name"], _in_degrees(pastures).geometry, strict=True)
    for pasture_id, name, shape in named:
        shapes = {tile: _projected(shape, tile) for tile in outlines}
        ranked = [(*_fit(shapes[tile], outline), tile) for tile, outline in outlines.items()]
        share, _, tile = max(ranked, key=lambda found: (min(found[0], _ALL), found[1]), default=(0.0, 0.0, ""))
        if share > 0:
            grid = pasture_grid(shapes[tile], tile)
            facts = {"pasture_id": pasture_id, "name": name, "tile": tile, "grid": grid}
            placements.append(Placement.model_validate({**facts, "share": min(1.0, share)}))
        else:
            homeless.append(pasture_id)
    if homeless:
        raise _bad(
            f"No tile shows {_listed(homeless)}; tiles are {_listed(outlines)}",
            "Check the coordinate system of the pastures, and the years and products that are searched.",
        )
    return tuple(placements)


def tell_partial(placements: Iterable[Placement]) -> None:
    """A row of the ledger for each pasture that no tile shows whole."""
    for placement in placements:
        if placement.share < _ALL:
            ledger.add(
                "warning",
                f"pasture {placement.pasture_id}",
                code="partly_in_tile",
                reason=f"Tile {placement.tile} shows {placement.share:.1%} of it, and no tile shows more.",
                hint="The rest is not cut. Divide the pasture along the tiles' edge to have all of it.",
            )


def pasture_grid(shape: BaseGeometry, tile: str) -> Grid:
    """The 10 m cells of the tile's zone that cover a geometry in that zone; of a point the cell that holds it."""
    west, south, east, north = shape.bounds
    if west == east:  # A point has no width: it lies in the cell to the right of an edge and below one, as rasters do.
        west = math.floor(west / CELL_M) * CELL_M
        east = west + CELL_M
    if south == north:
        north = math.ceil(north / CELL_M) * CELL_M
        south = north - CELL_M
    return Grid.covering(Bounds(west, south, east, north), epsg=tile_epsg(tile), resolution_m=CELL_M)


def tile_epsg(tile: str) -> int:
    """The UTM zone (WGS 84) of an MGRS tile, such as 32631 of 31TFJ; south of the equator 327xx."""
    return (32600 if tile[2] >= "N" else 32700) + int(tile[:2])


def _in_degrees(pastures: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    """EPSG:4326, long straight edges divided before, because they are curves in the other system."""
    longest = _EDGE_DEG if pastures.crs.is_geographic else _EDGE_M
    return pastures.set_geometry(pastures.geometry.segmentize(longest)).to_crs(GEOGRAPHIC_EPSG)


def _fit(shape: BaseGeometry, outline: BaseGeometry) -> tuple[float, float]:
    """(share inside, distance to the outline's edge in metres); both in the tile's zone."""
    if outline.covers(shape):
        return 1.0, float(outline.boundary.distance(shape))
    if shape.area > 0:
        return float(outline.intersection(shape).area / shape.area), 0.0
    points = shapely.get_parts(shape)
    return float(np.mean(shapely.intersects(outline, points))), 0.0


def _projected(geometry: BaseGeometry, tile: str) -> BaseGeometry:
    project = transformer(GEOGRAPHIC_EPSG, tile_epsg(tile))
    return shapely.transform(geometry, lambda xy: np.column_stack(project.transform(xy[:, 0], xy[:, 1])))


def _table(path: Path) -> geopandas.GeoDataFrame:
    try:
        layers = pyogrio.list_layers(path)
        if len(layers) != 1:
            raise _bad(f"{path.name} has {len(layers)} layers: {_listed(layers[:, 0])}", "Give a file with one layer.")
        return geopandas.read_file(path)
    except (DataSourceError, DataLayerError, UnicodeDecodeError, ValueError) as error:
        raise _bad(
            f"{path.name} cannot be read: {error}", "Give a GeoPackage, a GeoJSON, or a Shapefile with its parts."
        ) from error


def _column(table: geopandas.GeoDataFrame, name: str, path: Path) -> Any:
    """The attribute of that name, upper and lower case alike."""
    found = [column for column in table.columns if str(column).lower() == name.lower()]
    if not found:
        others = [str(column) for column in table.columns if column != table.geometry.name]
        raise _bad(f"{path.name} has no attribute {name!r}; it has {_listed(others)}", "Name the attribute it has.")
    return table[found[0]]


def _require_ids(ids: list[str], path: Path) -> None:
    missing = [str(number) for number, one in enumerate(ids, start=1) if not one]
    if missing:
        raise _bad(f"{path.name} has features without an id: {_listed(missing)}", "Give each pasture an id.")


def _require_different(ids: list[str]) -> None:
    """Ids name files, and some file systems do not tell upper from lower case."""
    counts = Counter(one.casefold() for one in ids)
    if twice := sorted({one for one in ids if counts[one.casefold()] > 1}):
        raise _bad(f"These ids come more than once: {_listed(twice)}", "Give each pasture an id of its own.")


def _require_shapes(shapes: Mapping[str, BaseGeometry | None], path: Path) -> None:
    faults = {name: fault for name, shape in shapes.items() if (fault := _fault(shape)) is not None}
    if faults:
        told = [f"{name} ({fault})" for name, fault in sorted(faults.items())]
        raise _bad(f"{path.name} has geometries that cannot be cut: {_listed(told)}", "Repair them, such as in QGIS.")


def _fault(shape: BaseGeometry | None) -> str | None:
    if shape is None or shape.is_empty:
        return "it has none"
    if shape.geom_type not in _KINDS:
        return f"a {shape.geom_type} is neither polygon nor point"
    return None if shape.is_valid else shapely.is_valid_reason(shape)


def _listed(names: Iterable[str]) -> str:
    """Names in one line, at most some of them."""
    found = list(names)
    rest = len(found) - _MOST_NAMED
    return ", ".join(found[:_MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _bad(reason: str, hint: str) -> StepError:
    return StepError("bad_aoi", f"{reason}.", hint)
