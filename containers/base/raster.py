"""Reading and writing rasters: the only writer, and a reader that never takes a failed read for data."""

import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.enums import Resampling
from rasterio.errors import RasterioError, RasterioIOError
from rasterio.windows import Window

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.grid import crs_of, transform_of
from containers.base.step import scratch_dir

BLOCK_PX = 256
"""Internal tiles of every raster, and the row blocks in which steps work."""
_FULL_BYTES = 16 << 20
_CACHE_MB = 128

Overviews = Literal["nearest", "average", "mode"]


def _env(**options: object) -> rasterio.Env:
    """GDAL's settings for every read and write.

    One thread, because GDAL's multi-threaded JP2 reader loses its threads' errors and leaves the buffer as it was;
    steps read several windows at once instead. The block cache is bounded: by default it takes 5 % of the machine.
    """
    settings = {"GDAL_NUM_THREADS": "1", "GDAL_CACHEMAX": _CACHE_MB, "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}
    return rasterio.Env(**(settings | options))


@contextmanager
def open_raster(path: Path) -> Iterator[Any]:
    """A raster to read. Opening or reading it raises `corrupt_file`, naming the file, instead of giving zeros."""
    try:
        with _env(), rasterio.open(path, sharing=False) as dataset:
            yield dataset
    except RasterioIOError as error:
        raise StepError(
            "corrupt_file",
            f"{path} cannot be read: {error.__cause__ or error}",
            "Remove the file and repeat the run: it is then made or fetched again.",
        ) from error


def read_band(path: Path, window: Window | None = None, band: int = 1) -> NDArray[Any]:
    """One band, (y, x) in the file's dtype."""
    with open_raster(path) as source:
        array: NDArray[Any] = source.read(band, window=window)
    return array


def row_windows(shape: tuple[int, int], rows: int = BLOCK_PX) -> Iterator[Window]:
    """Full-width windows from top to bottom; the last may be lower."""
    height, width = shape
    for row in range(0, height, rows):
        yield Window(0, row, width, min(rows, height - row))


def tile_windows(shape: tuple[int, int], size: int) -> Iterator[Window]:
    """Square windows row by row; the last of a row or column may be smaller."""
    height, width = shape
    for row in range(0, height, size):
        for col in range(0, width, size):
            yield Window(col, row, min(size, width - col), min(size, height - row))


def grown(window: Window, margin: int, shape: tuple[int, int]) -> tuple[Window, tuple[slice, slice]]:
    """A window with `margin` cells more on each side, cut at the raster's edge, and where the original lies in it."""
    top, left = max(0, window.row_off - margin), max(0, window.col_off - margin)
    bottom = min(shape[0], window.row_off + window.height + margin)
    right = min(shape[1], window.col_off + window.width + margin)
    first_row, first_col = window.row_off - top, window.col_off - left
    inner = slice(first_row, first_row + window.height), slice(first_col, first_col + window.width)
    return Window(left, top, right - left, bottom - top), inner


@contextmanager
def create_cog(
    path: Path,
    grid: Grid,
    *,
    dtype: str,
    nodata: float | None,
    bands: Sequence[str] = ("",),
    scale: float = 1.0,
    tags: Mapping[str, str] | None = None,
    overviews: Overviews = "nearest",
    threads: int = 1,
) -> Iterator[Any]:
    """A raster to write window by window, which becomes a COG (ZSTD, overviews, statistics) on leaving.

    `bands` are the descriptions, one per band. The COG is written to a partial name and renamed last, so a file
    under `path` is always whole. Raises `disk_full`.
    """
    with _drafted(path, grid, dtype, nodata, bands, scale, tags) as (sink, finished):
        yield sink
        # In the uncompressed draft this takes a quarter of the time that the COG driver would need.
        sink.build_overviews(_overview_factors(grid.shape), Resampling[overviews])
        finished(driver="COG", NUM_THREADS=str(threads), **_COG_OPTIONS)


@contextmanager
def create_sparse(
    path: Path,
    grid: Grid,
    *,
    dtype: str,
    nodata: float,
    bands: Sequence[str],
    scale: float = 1.0,
    filled: float = 1.0,
    threads: int = 1,
) -> Iterator[Any]:
    """A raster to write block by block, which becomes a tiled GeoTIFF (ZSTD) whose blocks of nodata take no room.

    Options are those of `create_cog`; `filled` is the share of blocks that will be written. Equal pixels are equal
    bytes, in whatever order they were written. Raises `disk_full`.
    """
    with _drafted(path, grid, dtype, nodata, bands, scale, None, filled=filled) as (sink, finished):
        yield sink
        finished(driver="GTiff", NUM_THREADS=str(threads), **_SPARSE_OPTIONS)


@contextmanager
def _drafted(
    path: Path,
    grid: Grid,
    dtype: str,
    nodata: float | None,
    bands: Sequence[str],
    scale: float,
    tags: Mapping[str, str] | None,
    *,
    filled: float = 1.0,
) -> Iterator[tuple[Any, Callable[..., None]]]:
    """An uncompressed draft to write, and what turns it, closed, into the file: it is copied on leaving."""
    draft = scratch_dir() / f"{path.stem}-{uuid.uuid4().hex}.tif"
    partial = path.with_name(f".{path.name}.part")
    size = grid.width * grid.height * np.dtype(dtype).itemsize * len(bands) * 4 // 3
    _require_space(draft.parent, int(size * filled))
    options: dict[str, str] = {}
    try:
        with _env():
            profile = _profile(grid, dtype, nodata, len(bands)) | {"sparse_ok": filled < 1}
            with rasterio.open(draft, "w", **profile) as sink:
                sink.descriptions = tuple(name or None for name in bands)
                sink.scales = (scale,) * len(bands)
                sink.update_tags(**(tags or {}))
                yield sink, lambda **chosen: options.update(chosen)
            rasterio.shutil.copy(draft, partial, **options)
        partial.replace(path)
    except (RasterioError, CPLE_BaseError) as error:
        raise_if_full(path.parent, cause=error)
        raise
    finally:
        draft.unlink(missing_ok=True)
        partial.unlink(missing_ok=True)


def write_cog(path: Path, array: NDArray[Any], grid: Grid, *, nodata: float | None, **options: Any) -> Path:
    """Write a whole array, (y, x) or (band, y, x), as a COG; options are those of `create_cog`."""
    layers = array if array.ndim == 3 else array[np.newaxis]
    options.setdefault("bands", ("",) * len(layers))
    with create_cog(path, grid, dtype=str(array.dtype), nodata=nodata, **options) as sink:
        sink.write(layers)
    return path


def raise_if_full(folder: Path, cause: Exception) -> None:
    """Raises `disk_full` where a failed write left no room: GDAL and HDF5 report that in many different words."""
    if (free := shutil.disk_usage(folder).free) < _FULL_BYTES:
        raise _disk_full(folder, free, str(cause)) from cause


def _require_space(folder: Path, n_bytes: int) -> None:
    # Asked beforehand, because GDAL loses the errors of blocks that it writes on closing.
    if (free := shutil.disk_usage(folder).free) < n_bytes:
        raise _disk_full(folder, free, f"{n_bytes / (1 << 20):.1f} MiB are needed")


def _disk_full(folder: Path, free: int, detail: str) -> StepError:
    return StepError(
        "disk_full",
        f"{folder} has {free / (1 << 20):.1f} MiB left: {detail}.",
        "Free some space (`clearground store gc`), or move the store to a larger disk.",
    )


def _profile(grid: Grid, dtype: str, nodata: float | None, count: int) -> dict[str, Any]:
    return {
        "driver": "GTiff",
        "width": grid.width,
        "height": grid.height,
        "count": count,
        "dtype": dtype,
        "nodata": nodata,
        "crs": crs_of(grid),
        "transform": transform_of(grid),
        "tiled": True,
        "blockxsize": BLOCK_PX,
        "blockysize": BLOCK_PX,
        "interleave": "band",
        "bigtiff": "if_safer",
    }


def _overview_factors(shape: tuple[int, int]) -> list[int]:
    """Halve until everything fits into one block."""
    return [1 << level for level in range(1, (max(shape) - 1).bit_length()) if max(shape) > BLOCK_PX << level - 1]


_COG_OPTIONS = {
    "COMPRESS": "ZSTD",
    "LEVEL": "1",
    "PREDICTOR": "YES",
    "BLOCKSIZE": str(BLOCK_PX),
    "OVERVIEWS": "FORCE_USE_EXISTING",
    "STATISTICS": "YES",
    "BIGTIFF": "IF_SAFER",
}
_SPARSE_OPTIONS = {
    "TILED": "YES",
    "BLOCKXSIZE": str(BLOCK_PX),
    "BLOCKYSIZE": str(BLOCK_PX),
    "INTERLEAVE": "BAND",
    "COMPRESS": "ZSTD",
    "ZSTD_LEVEL": "1",
    "PREDICTOR": "2",
    "SPARSE_OK": "TRUE",
    "BIGTIFF": "IF_SAFER",
}
