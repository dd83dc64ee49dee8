"""Aligned acquisitions of one tile and period reduced to one clear image, row block by row block."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import output_file
from containers.base.contract.legend import REFLECTANCE_NODATA, REFLECTANCE_SCALE
from containers.base.contract.step import StepError, StepWarning
from containers.base.raster import BLOCK_PX, create_cog, grown, read_band, row_windows
from containers.base.step import local_path, main, progress
from containers.gdal.clear import clear_cells, halo_px
from containers.gdal.contract.align import AlignResult
from containers.gdal.contract.composite import CompositeParams, CompositeResult, MaskRule
from containers.gdal.pipeline import in_order
from containers.gdal.reduction import Reduced, best, first_per_date, median

OBSERVATIONS, SOURCE_DATE = "observations", "source_date"
_STACK_BYTES = 96 << 20
"""Reflectance that one thread holds at once."""
_SLICE_ROWS = 32
"""Rows that are reduced at once: what sorting needs besides stays small, and in the processor's cache."""


def days_since_1970(acquired: datetime) -> int:
    """The date in UTC as a number."""
    return (acquired.astimezone(UTC).date() - date(1970, 1, 1)).days


def rows_per_block(params: CompositeParams) -> int:
    """So few rows that memory stays the same however many acquisitions there are; a power of two, like the tiles."""
    first = params.acquisitions[0]
    row_bytes = first.grid.width * len(first.bands) * len(params.acquisitions) * np.dtype(np.int16).itemsize
    fitting = min(BLOCK_PX, max(8, _STACK_BYTES // row_bytes))
    return 1 << fitting.bit_length() - 1


def run(params: CompositeParams, out: Path) -> CompositeResult:
    first = params.acquisitions[0]
    _require_one_window(params.acquisitions)
    windows = list(row_windows(first.grid.shape, rows_per_block(params)))
    clear_count = valid_count = 0
    with ExitStack() as outputs, ThreadPoolExecutor(params.execution.threads) as pool:
        sinks = [outputs.enter_context(cog) for cog in _outputs(params, out)]
        blocks = in_order(pool, partial(_reduce_block, params), windows, waiting=params.execution.threads + 1)
        for done, (window, (valid, block)) in enumerate(zip(windows, blocks, strict=True), start=1):
            for sink, layer in zip(sinks, (*block.bands, block.observations, block.source_date), strict=True):
                sink.write(layer, 1, window=window)
            clear_count += int((block.observations > 0).sum())
            valid_count += valid
            progress(done, len(windows), f"{params.tile} {params.period}")
    if not clear_count:
        raise StepError(
            "no_valid_pixels",
            f"{params.tile} has no clear cell in {params.period} among {len(params.acquisitions)} acquisitions.",
            "Widen the period, raise the cloud limit, or leave the tile out.",
        )
    return CompositeResult(
        tile=params.tile,
        period=params.period,
        grid=first.grid,
        bands={name: output_file(out / f"{name}.tif") for name in first.bands},
        observations=output_file(out / f"{OBSERVATIONS}.tif"),
        source_date=output_file(out / f"{SOURCE_DATE}.tif"),
        # The tile's cells are known from the first acquisition: valid ones, and their share in the tile.
        clear_share=min(1.0, clear_count * first.valid_share / valid_count),
        warnings=tuple(_warnings(params.acquisitions)),
    )


def _reduce_block(params: CompositeParams, window: Window) -> tuple[int, Reduced]:
    """The reduced block, and how many valid cells the first acquisition has in it."""
    names = params.acquisitions[0].bands
    stack = np.stack([_read_bands(item, names, window) for item in params.acquisitions])
    valid = (stack != REFLECTANCE_NODATA).all(axis=1)
    clear = valid & np.stack([_read_clear(item, window, params.mask) for item in params.acquisitions])
    days = np.array([days_since_1970(item.acquired) for item in params.acquisitions], dtype=np.int32)
    clear = first_per_date(clear, days)
    reduce = {"best": best, "median": median}[params.method]
    slices = [slice(row, row + _SLICE_ROWS) for row in range(0, int(window.height), _SLICE_ROWS)]
    parts = [reduce(stack[:, :, rows], clear[:, rows], days) for rows in slices]
    return int(valid[0].sum()), Reduced(*(np.concatenate(layers, axis=-2) for layers in zip(*parts, strict=True)))


def _read_bands(item: AlignResult, names: Iterable[str], window: Window) -> NDArray[np.int16]:
    return np.stack([read_band(local_path(item.bands[name]), window) for name in names])


def _read_clear(item: AlignResult, window: Window, rule: MaskRule) -> NDArray[np.bool_]:
    if item.scl is None:
        return np.ones((int(window.height), int(window.width)), dtype=bool)
    outer, inner = grown(window, halo_px(rule, item.grid.resolution_m), item.grid.shape)
    return clear_cells(read_band(local_path(item.scl), outer), rule, item.grid.resolution_m)[inner]


def _outputs(params: CompositeParams, out: Path) -> Iterator[AbstractContextManager[Any]]:
    grid, threads = params.acquisitions[0].grid, params.execution.threads
    tags = {"PERIOD": params.period, "TILE": params.tile}
    for name in params.acquisitions[0].bands:
        yield create_cog(
            out / f"{name}.tif",
            grid,
            dtype="int16",
            nodata=REFLECTANCE_NODATA,
            bands=(name,),
            scale=REFLECTANCE_SCALE,
            tags=tags,
            threads=threads,
        )
    for name, dtype, nodata in ((OBSERVATIONS, "uint8", None), (SOURCE_DATE, "int32", 0)):
        yield create_cog(
            out / f"{name}.tif", grid, dtype=dtype, nodata=nodata, bands=(name,), tags=tags, threads=threads
        )


def _require_one_window(acquisitions: tuple[AlignResult, ...]) -> None:
    first = acquisitions[0]
    for other in acquisitions[1:]:
        if other.grid != first.grid or other.bands.keys() != first.bands.keys():
            raise StepError(
                "grid_mismatch",
                f"{first.acquired:%Y-%m-%d} has {list(first.bands)} on {first.grid!r}, "
                f"{other.acquired:%Y-%m-%d} has {list(other.bands)} on {other.grid!r}.",
                "Align all acquisitions of a tile to the same grid and bands.",
            )


def _warnings(acquisitions: tuple[AlignResult, ...]) -> Iterator[StepWarning]:
    bare = [f"{item.acquired:%Y-%m-%d}" for item in acquisitions if item.scl is None]
    if bare:
        yield StepWarning(
            code="no_scene_classification",
            reason=f"Clouds were not masked on {', '.join(bare)}: there is no scene classification.",
            hint="Use L2A products, or check these dates by eye.",
        )


if __name__ == "__main__":
    main(CompositeParams, run)
