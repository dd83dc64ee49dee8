"""The slices of one pass: opened and tested, the part of each that the grid needs, and that part flattened."""

import math
from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.grid import Grid
from containers.base.contract.radar import Polarisation
from containers.base.contract.step import StepError
from containers.base.grid import part_of
from containers.base.raster import row_windows, tile_windows
from containers.base.step import progress, scratch_dir
from containers.sarsen.contract.backscatter import SarsenBackscatterParams
from containers.sarsen.flattening import add_facets, looked
from containers.sarsen.geometry import Seen, View, cells_around, look_at, open_view, positions_of
from containers.sarsen.image import Image, looked_shape, open_image, strips
from containers.sarsen.safe import channel_of, lay_out
from containers.sarsen.terrain import Ground, centres, ground_of

_UTM: Final = (range(32601, 32661), range(32701, 32761))
_ZONE_HALF_DEG: Final = 5.0
"""A zone is 6° wide; tiles of its own grid reach up to 2° into the next."""
_STEEPEST_DEG: Final = 29.0
"""Least incidence of the mode: relief is displaced by its height over the tangent of it."""
_FURTHEST_CELLS: Final = 500
EDGE: Final = 2
"""Cells that a facet leans on beyond its own."""
_SPARE_PX: Final = 4
_FILTERED_M: Final = 250.0
"""Ground around the grid that filters look at."""
_COARSE_CELLS: Final = 32


class Slice(NamedTuple):
    """One product of the pass, tested."""

    id: str
    view: View
    images: dict[Polarisation, Image]


class Flattened(NamedTuple):
    """The part of a slice that the grid needs, as terrain-flattened gamma nought in the image's own geometry."""

    view: View
    window: Window
    """In multilooked pixels."""
    gamma: dict[Polarisation, NDArray[np.float32]]
    """On disk; (y, x) of the window."""
    filled_share: float


def require_utm(grid: Grid) -> None:
    """Raises `bad_grid` for a grid that is in no UTM zone, or in one that is not its own."""
    if not any(grid.epsg in zones for zones in _UTM):
        raise _bad_grid(f"EPSG:{grid.epsg} is no UTM zone on WGS 84")
    meridian = 6 * (grid.epsg % 100) - 183
    longitude = centres(grid.model_copy(update={"width": 1, "height": 1}))[0].item()
    if not abs((longitude - meridian + 180) % 360 - 180) <= _ZONE_HALF_DEG:
        raise _bad_grid(f"EPSG:{grid.epsg} has its meridian at {meridian}°, but the grid lies at {longitude:.2f}°")


def open_slices(params: SarsenBackscatterParams) -> list[Slice]:
    """Raises `missing_file` and `corrupt_file` for a product that is not whole, `bad_aoi` for a pass that misses."""
    slices = []
    for product in params.folders:
        folder = lay_out(product)
        channels = {band: channel_of(product, folder, band) for band in params.polarisations}
        view = open_view(folder, params.polarisations[0])
        slices.append(Slice(product.id, view, {band: open_image(each, view.shape) for band, each in channels.items()}))
    return _those_that_meet(slices, params.grid)


def _those_that_meet(slices: list[Slice], grid: Grid) -> list[Slice]:
    west, south, east, north = grid.bounds
    ring = shapely.segmentize(shapely.box(west, south, east, north), max(east - west, north - south) / 8)
    there = cells_of_ring(grid, np.asarray(ring.exterior.coords))
    met = [each for each in slices if shapely.intersects(shapely.Polygon(np.stack(each.view.outline, axis=1)), there)]
    if not met:
        seen = shapely.union_all([shapely.Polygon(np.stack(each.view.outline, axis=1)) for each in slices])
        raise StepError(
            "bad_aoi",
            f"The pass sees {_rounded(seen)}, the grid lies at {_rounded(there)} (west, south, east, north).",
            "Take slices whose footprint meets the area, or another area.",
        )
    return met


def flatten(one: Slice, dem: Any, params: SarsenBackscatterParams) -> Flattened | None:
    """What the grid needs of a slice; None where its image does not reach the grid."""
    relief = relief_m(dem)
    reach = min(_FURTHEST_CELLS, math.ceil((_FILTERED_M + _displaced_m(relief)) / params.grid.resolution_m))
    around = cells_around(params.grid, reach)
    window = image_window(one.view, around, relief, params.multilook)
    if window is None:
        return None
    areas = np.zeros((int(window.height), int(window.width)))
    for block in tile_windows(around.shape, params.chunk_px):
        add_facets(areas, window, seen_with_edge(one.view, part_of(around, block), dem), params.multilook, EDGE)
    gamma: dict[Polarisation, NDArray[np.float32]] = {}
    filled = 0
    for band, image in one.images.items():
        path = scratch_dir() / f"{one.id}-{band}.npy"
        gamma[band] = np.lib.format.open_memmap(path, "w+", np.float32, areas.shape)
        for strip in strips(image, window, areas, params):
            first = int(strip.window.row_off - window.row_off)
            rows = slice(first, first + int(strip.window.height))
            gamma[band][rows] = strip.gamma
            filled += strip.filled
            progress(rows.stop, areas.shape[0], f"{one.id} {band}")
    return Flattened(one.view, window, gamma, filled / (areas.size * len(gamma)))


def seen_with_edge(view: View, part: Grid, dem: Any) -> Seen:
    """The cells of a part of the ground and EDGE more on each side, which facets and their slopes lean on."""
    return look_at(view, ground_of(dem, cells_around(part, EDGE)))


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


def relief_m(dem: Any) -> tuple[float, float]:
    """Lowest and highest height of a DEM in metres."""
    extremes = []
    for window in row_windows(dem.shape):
        heights = dem.read(1, window=window, masked=True)
        if heights.count():
            extremes += [float(heights.min()), float(heights.max())]
    return min(extremes), max(extremes)


def cells_of_ring(grid: Grid, corners: NDArray[np.float64]) -> Any:
    """A polygon in the grid's CRS as one in degrees."""
    from pyproj import Transformer

    return shapely.Polygon(
        np.stack(Transformer.from_crs(grid.epsg, 4326, always_xy=True).transform(*corners.T), axis=1)
    )


def _displaced_m(relief: tuple[float, float]) -> float:
    return (relief[1] - relief[0]) / math.tan(math.radians(_STEEPEST_DEG))


def _rounded(shape: Any) -> tuple[float, ...]:
    return tuple(round(value, 3) for value in shape.bounds)


def _bad_grid(reason: str) -> StepError:
    return StepError("bad_grid", f"{reason}.", "Take the UTM zone of the area's centre, as the optical tile does.")
