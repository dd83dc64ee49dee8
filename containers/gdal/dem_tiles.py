"""DEM and geoid rasters of the store or the archive, and the posts of heights that are made of them."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.transform import Affine, array_bounds
from rasterio.warp import reproject, transform_bounds
from rasterio.windows import Window
from rasterio.windows import transform as window_transform

from containers.base.contract.files import File
from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.step import StepError
from containers.base.grid import crs_of
from containers.base.raster import open_raster
from containers.base.step import local_path
from containers.base.storage import gdal_environment, split_s3_href, stat

DEGREES: Final = CRS.from_epsg(4326)
_METRES_PER_DEGREE: Final = 111_320.0
_EDGE_POINTS: Final = 21


class Posts(NamedTuple):
    """A raster of heights to be filled, by default in degrees."""

    transform: Affine
    width: int
    height: int
    crs: CRS = DEGREES

    @property
    def shape(self) -> tuple[int, int]:
        return self.height, self.width

    @property
    def bounds(self) -> Bounds:
        return Bounds(*array_bounds(self.height, self.width, self.transform))

    def rows(self, window: Window) -> "Posts":
        """Some rows of full width."""
        a, b, c, d, e, f = self.transform[:6]
        return self._replace(transform=Affine(a, b, c, d, e, f + window.row_off * e), height=int(window.height))


@contextmanager
def open_elevation(file: File) -> Iterator[Any]:
    """A raster of the store, or a COG of the archive read by window.

    Raises `corrupt_file` without a CRS or unreadable, `missing_file` where the archive holds no such object, or one of
    another size than the catalogue says.
    """
    if file.in_store:
        with open_raster(local_path(file)) as dataset:
            yield _with_crs(dataset)
        return
    found = stat(file.href)
    if found.size != file.size:
        raise StepError(
            "missing_file",
            f"{file.href} has {found.size} bytes, but {file.size} were announced.",
            "The archive holds another version of the object: look it up again.",
        )
    bucket, key = split_s3_href(file.href)
    with rasterio.Env(**gdal_environment()), open_raster(Path("/vsis3", bucket, key)) as dataset:
        yield _with_crs(dataset)


def posts_around(grid: Grid, margin_m: float, tiles: list[Any]) -> Posts:
    """Posts that cover the grid and a strip around it, on the lattice of the finest tile.

    Tiles of that lattice are then copied, not resampled. A tile in a metric system gives its cell size only.
    """
    west, south, east, north = grid.bounds
    wide = west - margin_m, south - margin_m, east + margin_m, north + margin_m
    area = Bounds(*transform_bounds(crs_of(grid), DEGREES, *wide, densify_pts=_EDGE_POINTS))
    if not area.west < area.east:
        raise StepError(
            "bad_aoi",
            f"The grid crosses the antimeridian: {tuple(area)}.",
            "Work on its two sides apart.",
        )
    step_x, step_y, origin_x, origin_y = min(_lattice(tile) for tile in tiles)
    left, top = math.floor((area.west - origin_x) / step_x) - 1, math.floor((origin_y - area.north) / step_y) - 1
    right, bottom = math.ceil((area.east - origin_x) / step_x) + 1, math.ceil((origin_y - area.south) / step_y) + 1
    transform = Affine(step_x, 0, origin_x + left * step_x, 0, -step_y, origin_y - top * step_y)
    return Posts(transform, right - left, bottom - top)


def resampled(source: Any, posts: Posts) -> NDArray[np.float32]:
    """Bilinear heights at the posts; (y, x), float32, NaN where the source has none.

    The part of the source is read first: what goes wrong while GDAL warps is not told apart.
    """
    heights = np.full(posts.shape, np.nan, dtype=np.float32)
    window = _window_around(source, posts)
    if window is None:
        return heights
    reproject(
        source.read(1, window=window, masked=True).astype(np.float32).filled(np.nan),
        heights,
        src_transform=window_transform(window, source.transform),
        src_crs=source.crs,
        src_nodata=np.nan,
        dst_transform=posts.transform,
        dst_crs=posts.crs,
        dst_nodata=np.nan,
        resampling=Resampling.bilinear,
        tolerance=0,
    )
    return heights


def _window_around(source: Any, posts: Posts) -> Window | None:
    """The part of a raster that bilinear heights at the posts can touch; None where they do not meet."""
    west, south, east, north = transform_bounds(posts.crs, source.crs, *posts.bounds, densify_pts=_EDGE_POINTS)
    place = source.transform
    first_col, last_col = (west - place.c) / place.a, (east - place.c) / place.a
    first_row, last_row = (north - place.f) / place.e, (south - place.f) / place.e
    # GDAL's kernel widens where posts are wider than pixels.
    margin = 2 + math.ceil(max((last_col - first_col) / posts.width, (last_row - first_row) / posts.height))
    left, top = max(0, math.floor(first_col) - margin), max(0, math.floor(first_row) - margin)
    right = min(source.width, math.ceil(last_col) + margin)
    bottom = min(source.height, math.ceil(last_row) + margin)
    return Window(left, top, right - left, bottom - top) if right > left and bottom > top else None


def _lattice(tile: Any) -> tuple[float, float, float, float]:
    """Steps in degrees and the origin of a tile's posts."""
    transform = tile.transform
    if tile.crs.is_geographic:
        return abs(transform.a), abs(transform.e), transform.c, transform.f
    step = abs(transform.a) / _METRES_PER_DEGREE
    return step, step, 0.0, 0.0


def _with_crs(dataset: Any) -> Any:
    if not dataset.crs:
        raise StepError(
            "corrupt_file", f"{dataset.name} has no coordinate reference system.", "Write the CRS into the file."
        )
    return dataset
