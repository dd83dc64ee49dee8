"""What stands between the ground and the sensor, on the analysis grid: masks lie on the grid of their tile."""

from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.legend import Sky
from containers.base.raster import open_raster
from containers.base.step import local_path
from containers.gdal.control_grid import Geometry, control_grid
from containers.gdal.warp import nearest_index, source_window


class _Lookup(NamedTuple):
    window: Window
    pixels: NDArray[np.int32]


class SkyLookup:
    """Masks on one block of the analysis grid.

    Each cell gets the class of the mask cell that its centre lies in, to 1/16 of a mask cell. Where it lies is looked
    up once for all masks of a tile, which share their grid.
    """

    def __init__(self, block: Grid) -> None:
        self._block = block
        self._lookups: dict[Geometry, _Lookup | None] = {}
        self._lock = Lock()

    def classes(self, mask: File, place: tuple[slice, slice]) -> NDArray[np.uint8]:
        """Values of `Sky` in one part of the block; NODATA outside the mask."""
        with open_raster(local_path(mask)) as source:
            lookup = self._lookup(Geometry(source.crs, source.transform, source.shape))
            if lookup is None:
                rows, cols = place
                return np.full((rows.stop - rows.start, cols.stop - cols.start), Sky.NODATA, dtype=np.uint8)
            flat = source.read(1, window=lookup.window).ravel()
        found: NDArray[np.uint8] = np.append(flat, np.uint8(Sky.NODATA))[lookup.pixels[place]]
        return found

    def _lookup(self, geometry: Geometry) -> _Lookup | None:
        with self._lock:
            if geometry not in self._lookups:
                control = control_grid(self._block, geometry)
                window = source_window(control, geometry.shape)
                pixels = None if window is None else nearest_index(control, window, self._block.shape)
                self._lookups[geometry] = None if pixels is None else _Lookup(window, pixels)
            return self._lookups[geometry]
