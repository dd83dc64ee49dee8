"""Which part of a slice sees the grid, and whether the grid is one that can be seen."""

import math
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.windows import Window

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.sarsen.flattening import looked
from containers.sarsen.geometry import View, positions_of
from containers.sarsen.image import looked_shape
from containers.sarsen.terrain import Ground, centres

Values = NDArray[np.float64]
_UTM: Final = (range(32601, 32661), range(32701, 32761))
_ZONE_HALF_DEG: Final = 5.0
"""A zone is 6° wide; tiles of its own grid reach up to 2° into the next."""
_SPARE_PX: Final = 4
_COARSE_CELLS: Final = 32


def require_utm(grid: Grid) -> None:
    """Raises `bad_grid` for a grid that is in no UTM zone, or in one that is not its own."""
    if not any(grid.epsg in zones for zones in _UTM):
        raise _bad_grid(f"EPSG:{grid.epsg} is no UTM zone on WGS 84")
    meridian = 6 * (grid.epsg % 100) - 183
    longitude = centres(grid.model_copy(update={"width": 1, "height": 1}))[0].item()
    if not abs((longitude - meridian + 180) % 360 - 180) <= _ZONE_HALF_DEG:
        raise _bad_grid(f"EPSG:{grid.epsg} has its meridian at {meridian}°, but the grid lies at {longitude:.2f}°")


def those_that_meet(outlines: list[tuple[Values, Values]], grid: Grid) -> list[bool]:
    """Which images, outlined by longitudes and latitudes, meet the grid. Raises `bad_aoi` where none does."""
    there = _in_degrees(grid)
    images = [shapely.Polygon(np.stack(outline, axis=1)) for outline in outlines]
    met = [bool(shapely.intersects(image, there)) for image in images]
    if not any(met):
        raise StepError(
            "bad_aoi",
            f"The pass sees {_rounded(shapely.union_all(images))}, the grid lies at {_rounded(there)} "
            "(west, south, east, north).",
            "Take slices whose footprint meets the area, or another area.",
        )
    return met


def image_window(view: View, grid: Grid, relief: tuple[float, float], looks: int) -> Window | None:
    """The multilooked pixels that see the grid, at any height of the relief; None where there are none."""
    rows, cols = (np.unique(np.append(np.arange(0, size, _COARSE_CELLS), size - 1)) for size in grid.shape)
    longitude, latitude = (values[np.ix_(rows, cols)] for values in centres(grid))
    spans = []
    for height in relief:
        row, col = positions_of(view, Ground(longitude, latitude, np.full(longitude.shape, height)))
        spans.append([(looked(values, looks).min(), looked(values, looks).max()) for values in (row, col)])
    shape = looked_shape(view.shape, looks)
    edges = []
    for axis, size in enumerate(shape):
        first = max(0, math.floor(min(span[axis][0] for span in spans)) - _SPARE_PX)
        edges.append((first, min(size, math.ceil(max(span[axis][1] for span in spans)) + _SPARE_PX)))
    (top, bottom), (left, right) = edges
    return Window(left, top, right - left, bottom - top) if bottom > top and right > left else None


def _in_degrees(grid: Grid) -> Any:
    """The grid's outline as a polygon of longitude and latitude."""
    west, south, east, north = grid.bounds
    outline = shapely.segmentize(shapely.box(west, south, east, north), max(east - west, north - south) / 8)
    to_degrees = Transformer.from_crs(grid.epsg, 4326, always_xy=True)
    return shapely.transform(outline, lambda places: np.stack(to_degrees.transform(*places.T), axis=1))


def _rounded(shape: Any) -> tuple[float, ...]:
    return tuple(round(value, 3) for value in shape.bounds)


def _bad_grid(reason: str) -> StepError:
    return StepError("bad_grid", f"{reason}.", "Take the UTM zone of the area's centre, as the optical tile does.")
