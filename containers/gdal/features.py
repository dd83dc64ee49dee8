"""The bands of a small picture by their names, window by window."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.grid import Grid
from containers.base.contract.legend import REFLECTANCE_NODATA
from containers.base.contract.step import StepError
from containers.base.raster import open_raster
from containers.base.step import local_path
from containers.gdal.contract.observe import Image

Bands = dict[str, NDArray[np.int16]]
"""Reflectance × 10 000 by band name, each (y, x), nodata −32768."""


class Picture:
    """An `Image` to read from. Windows hold all bands, because these are compressed together."""

    def __init__(self, image: Image) -> None:
        self.path: Path = local_path(image.file)
        self.grid: Grid = image.grid
        with open_raster(self.path) as source:
            self.names: tuple[str, ...] = tuple(source.descriptions)

    def read(self, window: Window | None = None) -> Bands:
        """Every band, also of a part."""
        with open_raster(self.path) as source:
            return dict(zip(self.names, source.read(window=window), strict=True))

    def whole(self, *names: str) -> Bands:
        """Those of the bands that there are, in full: no more than these are ever in memory."""
        there = [name for name in names if name in self.names]
        with open_raster(self.path) as source:
            return {name: source.read(1 + self.names.index(name)) for name in there}

    def require(self, *names: str) -> None:
        """Raises `unknown_band` where one of the bands is not in the picture."""
        if missing := sorted(set(names) - set(self.names)):
            raise StepError(
                "unknown_band",
                f"{self.path.name} lacks the bands {', '.join(missing)}; it has {', '.join(self.names)}.",
                "Add them to mask_bands.",
            )


def stacked(bands: Bands, names: tuple[str, ...]) -> NDArray[np.int16]:
    """Some bands in this order, (band, y, x)."""
    return np.stack([bands[name] for name in names])


def has_data(stack: NDArray[Any]) -> NDArray[np.bool_]:
    """Cells (y, x) of a stack (band, y, x) with data in every band."""
    valid: NDArray[np.bool_] = (stack != REFLECTANCE_NODATA).all(axis=0)
    return valid
