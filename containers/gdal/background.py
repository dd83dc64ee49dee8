"""The ground without clouds: the median of other dates, brought to the grid of the mask."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.warp import reproject

from containers.base.contract.grid import Grid
from containers.base.contract.legend import REFLECTANCE_NODATA
from containers.base.contract.step import StepError
from containers.base.grid import crs_of, transform_of
from containers.base.raster import row_windows
from containers.gdal.contract.observe import Image
from containers.gdal.features import Picture, stacked


class Background(NamedTuple):
    """Median reflectance × 10 000 of other dates at their own resolution."""

    names: tuple[str, ...]
    grid: Grid
    median: NDArray[np.int16]
    """(band, y, x), nodata −32768."""

    def on(self, grid: Grid) -> NDArray[np.int16]:
        """Interpolated bilinearly to another grid of the same CRS; (band, y, x). Nodata is never mixed in."""
        target = np.full((len(self.names), *grid.shape), REFLECTANCE_NODATA, dtype=np.int16)
        reproject(
            self.median,
            target,
            src_transform=transform_of(self.grid),
            src_crs=crs_of(self.grid),
            src_nodata=REFLECTANCE_NODATA,
            dst_transform=transform_of(grid),
            dst_crs=crs_of(grid),
            dst_nodata=REFLECTANCE_NODATA,
            resampling=Resampling.bilinear,
        )
        return target


def background_of(images: Sequence[Image], names: tuple[str, ...], min_valid_share: float) -> Background:
    """The per-cell, per-band median of the images, clouds and all, in bounded memory.

    Raises `grid_mismatch` where they are not of one tile and resolution.
    """
    pictures = [Picture(image) for image in images]
    first = pictures[0]
    for picture in pictures:
        picture.require(*names)
        if picture.grid != first.grid:
            raise StepError(
                "grid_mismatch",
                f"Background images lie on different grids: {first.grid!r} and {picture.grid!r}.",
                "Give backgrounds of the scene's own tile, made with one background_resolution_m.",
            )
    median = np.empty((len(names), *first.grid.shape), dtype=np.int16)
    for window in row_windows(first.grid.shape):
        stack = np.stack([stacked(picture.read(window), names) for picture in pictures])
        median[(slice(None), *window.toslices())] = median_of(stack, min_valid_share)
    return Background(names, first.grid, median)


def median_of(stack: NDArray[np.int16], min_valid_share: float) -> NDArray[np.int16]:
    """The median over the first axis of the values with data, int16.

    An even number gives the rounded mean of the two in the middle. Nodata where fewer than `min_valid_share` of the
    values, or none, hold data.
    """
    count = (stack != REFLECTANCE_NODATA).sum(axis=0)
    # Nodata is the lowest number, so it comes first.
    ordered = np.sort(stack, axis=0)
    first = len(stack) - count
    lower, upper = first + (np.maximum(count, 1) - 1) // 2, first + count // 2
    middle = np.stack([lower, np.minimum(upper, len(stack) - 1)])
    values = np.take_along_axis(ordered, np.minimum(middle, len(stack) - 1), axis=0)
    seen = (count > 0) & (count >= min_valid_share * len(stack))
    mean = np.rint(values.sum(axis=0, dtype=np.int32) / 2)
    return np.where(seen, mean, REFLECTANCE_NODATA).astype(np.int16)
