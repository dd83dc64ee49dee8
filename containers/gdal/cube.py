"""Bands, masks and labels of every period in one HDF5 file, as docs/cube.md describes it."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import h5py
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.raster import open_raster, raise_if_full
from containers.base.step import local_path, main, progress
from containers.gdal.chunks import pack, split
from containers.gdal.contract.cube import CubeParams, CubeResult
from containers.gdal.cube_layout import Layer, create_dataset, describe, layers_of, require_fit
from containers.gdal.pipeline import in_order

_STRIP_CHUNKS = 64
"""Chunks that are read at once, so that memory does not grow with the width of the raster."""


class Strip(NamedTuple):
    """Some chunks of one row of chunks: as they are, and packed."""

    band: int
    window: Window
    chunks: list[NDArray[Any]]
    packed: list[bytes]


def strips(grid: Grid, chunk_px: int) -> Iterator[Window]:
    """Windows one chunk high, in the order of the chunks."""
    width = chunk_px * _STRIP_CHUNKS
    for row in range(0, grid.height, chunk_px):
        for col in range(0, grid.width, width):
            yield Window(col, row, min(width, grid.width - col), min(chunk_px, grid.height - row))


def run(params: CubeParams, out: Path) -> CubeResult:
    layers = list(layers_of(params))
    for layer in layers:
        require_fit(layer, params.grid)
    path, draft = out / "cube.h5", out / ".cube.h5.part"
    try:
        with h5py.File(draft, "w") as cube, ThreadPoolExecutor(params.execution.threads) as pool:
            describe(cube, params, layers)
            for done, layer in enumerate(layers, start=1):
                _write_layer(cube, layer, params, pool)
                progress(done, len(layers), layer.path)
        draft.replace(path)
    except OSError as error:
        raise_if_full(out, cause=error)
        raise
    finally:
        draft.unlink(missing_ok=True)
    return CubeResult(
        cube=output_file(path),
        grid=params.grid,
        periods=tuple(item.period for item in params.periods),
        bands=params.bands,
    )


def _write_layer(cube: Any, layer: Layer, params: CubeParams, pool: Executor) -> None:
    size = params.chunk_px
    dataset = create_dataset(cube, layer, params.grid, size)
    items = ((band, window) for band in range(len(layer.files)) for window in strips(params.grid, size))
    digest = hashlib.sha256()
    read = partial(_read_strip, layer, size)
    for strip in in_order(pool, read, items, waiting=params.execution.threads + 1):
        for number, (chunk, packed) in enumerate(zip(strip.chunks, strip.packed, strict=True)):
            digest.update(chunk.data)
            place = (strip.window.row_off, strip.window.col_off + number * size)
            dataset.id.write_direct_chunk((strip.band, *place) if layer.is_stack else place, packed)
    dataset.attrs["sha256"] = digest.hexdigest()


def _read_strip(layer: Layer, size: int, item: tuple[int, Window]) -> Strip:
    band, window = item
    with open_raster(local_path(layer.files[band])) as source:
        rows = source.read(1, window=window)
    chunks = split(rows, size, layer.nodata or 0)
    return Strip(band, window, chunks, [pack(chunk) for chunk in chunks])


if __name__ == "__main__":
    main(CubeParams, run)
