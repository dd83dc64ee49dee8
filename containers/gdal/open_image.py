"""The bands of one image on a grid, opened together, read as reflectance where the ground was seen."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final, NamedTuple

import numpy as np
from rasterio.windows import Window

from containers.base.contract.grid import Grid
from containers.base.contract.legend import Sky
from containers.base.grid import grid_of, require_grid
from containers.base.raster import open_raster
from containers.base.step import local_path
from containers.gdal.burn_indices import reflectance
from containers.gdal.contract.burn import Reflectances
from containers.gdal.indices import Rows

HIDDEN: Final = (Sky.CLOUD, Sky.CIRRUS, Sky.SHADOW)


class OpenImage(NamedTuple):
    """One date."""

    bands: dict[str, Any]
    sky: Any | None
    grid: Grid

    def read(self, window: Window) -> dict[str, Rows]:
        """Band to reflectance, (y, x) float32, NaN where it is nodata or saturated, or the ground is hidden."""
        found = {name: reflectance(raster.read(1, window=window)) for name, raster in self.bands.items()}
        if self.sky is not None:
            hidden = np.isin(self.sky.read(1, window=window), HIDDEN)
            for band in found.values():
                band[hidden] = np.nan
        return found


@contextmanager
def opened(image: Reflectances, names: Iterable[str], grid: Grid | None = None) -> Iterator[OpenImage]:
    """Some bands of an image.

    Raises `grid_mismatch` where one of them, or the sky, is not on the grid; without `grid`, on that of the first.
    """
    with ExitStack() as files:
        bands = {name: files.enter_context(open_raster(local_path(image.bands[name]))) for name in names}
        sky = files.enter_context(open_raster(local_path(image.sky))) if image.sky else None
        grid = grid or grid_of(next(iter(bands.values())))
        for raster in [*bands.values(), *([sky] if sky else [])]:
            require_grid(raster, grid)
        yield OpenImage(bands, sky, grid)
