"""The slices of one pass: opened and tested, the part of each that the grid needs, and that part flattened."""

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.grid import Grid
from containers.base.contract.radar import Polarisation
from containers.base.grid import part_of
from containers.base.raster import tile_windows
from containers.base.step import progress, scratch_dir
from containers.sarsen.contract.backscatter import SarsenBackscatterParams
from containers.sarsen.flattening import add_facets
from containers.sarsen.footprint import image_window, those_that_meet
from containers.sarsen.geometry import Seen, View, cells_around, look_at, open_view
from containers.sarsen.image import Image, open_image, strips
from containers.sarsen.safe import channel_of, lay_out
from containers.sarsen.terrain import ground_of, relief_m

_STEEPEST_DEG: Final = 29.0
"""Least incidence of the mode: relief is displaced by its height over the tangent of it."""
_FURTHEST_CELLS: Final = 500
EDGE: Final = 2
"""Cells that a facet leans on beyond its own."""
_FILTERED_M: Final = 250.0
"""Ground around the grid that filters look at."""


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


def open_slices(params: SarsenBackscatterParams) -> list[Slice]:
    """Raises `missing_file` and `corrupt_file` for a product that is not whole, `bad_aoi` for a pass that misses."""
    slices = []
    for product in params.folders:
        folder = lay_out(product)
        channels = {band: channel_of(product, folder, band) for band in params.polarisations}
        view = open_view(folder, params.polarisations[0])
        slices.append(Slice(product.id, view, {band: open_image(each, view.shape) for band, each in channels.items()}))
    met = those_that_meet([each.view.outline for each in slices], params.grid)
    return [each for each, meets in zip(slices, met, strict=True) if meets]


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


def _displaced_m(relief: tuple[float, float]) -> float:
    return (relief[1] - relief[0]) / math.tan(math.radians(_STEEPEST_DEG))
