"""Simulated administrative regions that tile the area of interest."""

from pathlib import Path
from typing import Final

import geopandas
import numpy as np
import numpy.typing as npt
import pyogrio
import shapely
from shapely import MultiPoint, Polygon, box

from containers.base.contract.grid import Bounds
from containers.eodata.noise import Noise
from containers.eodata.place import EPSG

_TIMELESS: Final = "2000-01-01T00:00:00.000Z"
"""Stands in the GeoPackage for the time at which it was made, so that equal seeds give equal bytes."""
_NAMES: Final = (
    "Alder",
    "Birch",
    "Cedar",
    "Elm",
    "Hazel",
    "Juniper",
    "Larch",
    "Maple",
    "Oak",
    "Poplar",
    "Rowan",
    "Willow",
)
_EDGE_M: Final = 250.0
"""Borders bend at points this far apart."""


def regions(seed: int, bounds: Bounds, count: int) -> geopandas.GeoDataFrame:
    """`count` regions in EPSG:3035 with winding borders: nuts_id, region_name, level."""
    noise = Noise(seed)
    cells = shapely.voronoi_polygons(_centres(noise, bounds, count), extend_to=box(*bounds).buffer(50_000))
    area = box(*bounds)
    winding = [
        shapely.transform(shapely.segmentize(cell, _EDGE_M), lambda xy: _bent(noise, xy, bounds))
        for cell in cells.geoms
    ]
    shapes = sorted(
        (shape.intersection(area) for shape in winding), key=lambda shape: (-shape.centroid.y, shape.centroid.x)
    )
    return geopandas.GeoDataFrame(
        {
            "nuts_id": [f"XS{index:03d}" for index in range(1, count + 1)],
            "region_name": [f"Simulated {_name(index)}" for index in range(count)],
            "level": [3] * count,
        },
        geometry=shapes,
        crs=EPSG,
    )


def write_layer(frame: geopandas.GeoDataFrame, path: Path, layer: str) -> None:
    """Write a GeoPackage."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _TIMELESS})
    frame.to_file(path, layer=layer, driver="GPKG", engine="pyogrio")


def _name(index: int) -> str:
    turn, name = divmod(index, len(_NAMES))
    return _NAMES[name] + (f" {turn + 1}" if turn else "")


def _centres(noise: Noise, bounds: Bounds, count: int) -> MultiPoint:
    """Points on a jittered lattice with as square meshes as the count allows."""
    columns = max(1, round(float(np.sqrt(count))))
    rows = -(-count // columns)
    points = []
    for index in range(count):
        row, column = divmod(index, columns)
        in_row = min(columns, count - row * columns)
        dx, dy = (0.25 + 0.5 * float(noise.uniform(index, axis, "region")) for axis in range(2))
        x = bounds.west + (column + dx) * (bounds.east - bounds.west) / in_row
        points.append((x, bounds.south + (row + dy) * (bounds.north - bounds.south) / rows))
    return MultiPoint(points)


def _bent(noise: Noise, xy: npt.NDArray[np.float64], bounds: Bounds) -> npt.NDArray[np.float64]:
    """Every point moved by a smooth field, the same for both sides of a border."""
    size = (bounds.east - bounds.west) / 8
    bent = xy.copy()
    for index, (x, y) in enumerate(xy):
        for axis in range(2):
            field = noise.smooth(np.array([y]), np.array([x]), size, f"border {axis}", 2)
            bent[index, axis] += 0.12 * size * float(field[0, 0])
    return bent


def outline_4326(shape: Polygon, epsg: int) -> Polygon:
    """A shape in geographic coordinates, longitude first."""
    projected = geopandas.GeoSeries([shape], crs=epsg).to_crs(4326)
    geographic: Polygon = projected.iloc[0]
    return geographic
