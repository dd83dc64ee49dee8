"""A field survey of the pastures, as surveys are: wrong labels, mixed cells, rare types, and files with traps."""

from pathlib import Path
from typing import Final, NamedTuple

import geopandas
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from shapely import Point, Polygon

from containers.base.contract.grid import Grid
from containers.eodata.alpine.habitat import Alps
from containers.eodata.alpine.outlines import write_shapefile
from containers.eodata.alpine.types import PlantType
from containers.eodata.contract.pastures import Pastures
from containers.eodata.contract.simulate import ArchiveParams, Tile
from containers.eodata.place import EPSG, FINE_M, outline, tile_grid
from containers.eodata.world import World

_EVENLY: Final = 0.5
"""Share of the sites that lie anywhere; the others are drawn type by type, so that rare ones are not missed."""
_UNNAMED: Final = {"": 0.03, "NA": 0.02}
"""Share of sites whose class nobody wrote down, or wrote as not applicable."""
_REPEATED: Final = 4
_POLYGON_M: Final = (25.0, 70.0)
_CORNERS: Final = 11
_CLEARANCE_M: Final = 120.0


class Drawn(NamedTuple):
    """Cells chosen for sites: places in EPSG:3035, and what truly grows there."""

    cells: npt.NDArray[np.int64]
    pasture: npt.NDArray[np.int64]
    """Row of the pasture's outline."""


def write_survey(world: World, alps: Alps, params: ArchiveParams, out: Path) -> list[Path]:
    """Every file of the survey, below `survey/`: columns site_id, veg_type, pasture, massif."""
    wanted = params.pastures or Pastures()
    random = np.random.default_rng([params.seed, len("survey")])
    kinds = _layer(world, "kind")
    points = _points(world, alps, kinds, wanted, random)
    polygons = _polygons(world, alps, kinds, wanted, random)
    folder = out / "survey"
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for index, tile in enumerate(params.tiles):
        is_last = index == len(params.tiles) - 1
        written += _write_tile(points, polygons, params, tile, is_last, folder)
    return written


def _write_tile(
    points: geopandas.GeoDataFrame, polygons: geopandas.GeoDataFrame, params: ArchiveParams, tile: Tile,
    is_last: bool, folder: Path,
) -> list[Path]:  # fmt: skip
    """Points in geographic coordinates and polygons in the tile's zone; of the last tile some points in the next zone.

    Sites of an overlap of two tiles are in the files of both.
    """
    inside = outline(tile_grid(params, tile), EPSG).buffer(-FINE_M)
    here, there = points[points.within(inside)], polygons[polygons.within(inside)]
    apart = here.iloc[2::6] if is_last else here.iloc[:0]
    plain = _with_traps(here.drop(apart.index))
    path = folder / f"points_T{tile.id}.geojson"
    path.write_text(plain.to_crs(4326).to_json(drop_id=True) + "\n", encoding="utf-8")
    files = [path, *write_shapefile(there.to_crs(tile.epsg), folder / f"polygons_T{tile.id}.shp")]
    if len(apart):
        files += write_shapefile(apart.to_crs(next_zone(tile)), folder / f"revisits_T{tile.id}.shp")
    return files


def next_zone(tile: Tile) -> int:
    """EPSG code of the zone beside the tile's, in whose metres no place of the tile lies within it."""
    return tile.epsg - 1 if tile.epsg % 100 == 32 else tile.epsg + 1


def _with_traps(points: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    """With some sites told twice, and one told again with another class."""
    named = points[~points["veg_type"].isin(_UNNAMED)]
    contradicted = named.iloc[[0]].copy()
    other = named["veg_type"][named["veg_type"] != contradicted["veg_type"].iloc[0]].iloc[0]
    contradicted["site_id"], contradicted["veg_type"] = contradicted["site_id"] + "b", other
    return pd.concat([points, named.iloc[1 : 1 + _REPEATED], contradicted], ignore_index=True)


def _points(
    world: World, alps: Alps, kinds: npt.NDArray[np.uint8], wanted: Pastures, random: np.random.Generator
) -> geopandas.GeoDataFrame:
    drawn = _drawn(world, alps, kinds, wanted.points, random)
    east, north = _places(world, drawn.cells)
    apart = random.uniform(-0.5, 0.5, (2, len(east))) * FINE_M
    classes = _classes(world, kinds, drawn.cells, wanted.wrong_labels, random)
    shapes = shapely.points(east + apart[0], north + apart[1])
    return _frame(alps, drawn, classes, [Point(shape) for shape in shapes], "S")


def _polygons(
    world: World, alps: Alps, kinds: npt.NDArray[np.uint8], wanted: Pastures, random: np.random.Generator
) -> geopandas.GeoDataFrame:
    """Rounded patches around a place; the class is that of the place, whatever else grows within."""
    drawn = _drawn(world, alps, kinds, wanted.polygons, random)
    classes = _classes(world, kinds, drawn.cells, wanted.wrong_labels, random)
    shapes = []
    for east, north in zip(*_places(world, drawn.cells), strict=True):
        angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
        radius = random.uniform(*_POLYGON_M) * random.uniform(0.75, 1.25, _CORNERS)
        shapes.append(Polygon(np.column_stack([east + radius * np.cos(angle), north + radius * np.sin(angle)])))
    return _frame(alps, drawn, classes, shapes, "A")


def _frame(
    alps: Alps, drawn: Drawn, classes: list[str], shapes: list[Point] | list[Polygon], letter: str
) -> geopandas.GeoDataFrame:
    outlines = alps.pastures.iloc[drawn.pasture]
    return geopandas.GeoDataFrame(
        {
            "site_id": [f"{letter}{index:04d}" for index in range(1, len(shapes) + 1)],
            "veg_type": classes,
            "pasture": outlines["name"].to_list(),
            "massif": outlines["massif"].to_list(),
        },
        geometry=shapes,
        crs=EPSG,
    )


def _drawn(world: World, alps: Alps, kinds: npt.NDArray[np.uint8], count: int, random: np.random.Generator) -> Drawn:
    """Cells of every pasture: some anywhere, the others evenly of the types that grow there."""
    pastures = _layer(world, "pasture")
    cells, owners = [], []
    for row in range(len(alps.pastures)):
        inside = np.flatnonzero((pastures == row + 1) & (kinds > 0))
        present, counts = np.unique(kinds[inside], return_counts=True)
        weight = _EVENLY + (1 - _EVENLY) * len(inside) / (len(present) * counts)
        chance = weight[np.searchsorted(present, kinds[inside])]
        cells.append(random.choice(inside, min(count, len(inside)), replace=False, p=chance / chance.sum()))
        owners.append(np.full(len(cells[-1]), row))
    return Drawn(np.concatenate(cells), np.concatenate(owners))


def _classes(
    world: World, kinds: npt.NDArray[np.uint8], cells: npt.NDArray[np.int64], wrong: float, random: np.random.Generator
) -> list[str]:
    """What the surveyor wrote: the type, or the one that it mixes with most, or nothing."""
    seconds, draw = _layer(world, "second")[cells], random.random((2, len(cells)))
    is_wrong = draw[0].argsort().argsort() < round(wrong * len(cells))
    told = np.where(is_wrong, seconds, kinds[cells])
    limits = np.cumsum(list(_UNNAMED.values()))
    unnamed = list(_UNNAMED)
    return [
        unnamed[int(np.searchsorted(limits, chance, side="right"))] if chance < limits[-1] else PlantType(kind).name
        for kind, chance in zip(told, draw[1], strict=True)
    ]


def _layer(world: World, name: str) -> npt.NDArray[np.uint8]:
    return np.asarray(world.layer(name)).reshape(-1)


def _places(world: World, cells: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Easting and northing of cell centres in EPSG:3035."""
    grid: Grid = world.grid
    row, column = np.divmod(cells, world.shape[1])
    return grid.west_m + (column + 0.5) * FINE_M, grid.north_m - (row + 0.5) * FINE_M
