"""A vegetation index at every clear observation: dates along the first axis, cells along the others."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.legend import INDEX_NODATA
from containers.base.contract.step import StepError
from containers.base.grid import grid_of, offset_in, part_of, window_of
from containers.base.raster import BLOCK_PX, create_cog, open_raster, read_band
from containers.base.step import local_path, main, progress
from containers.gdal.acquisitions import in_time, require_fit
from containers.gdal.contract.series import INDEX_BANDS, Seen, SeriesParams, SeriesResult
from containers.gdal.indices import index_of
from containers.gdal.pipeline import in_order
from containers.gdal.series_file import CHUNK_PX, EPOCH, Header, Writer, chunk_windows, create_series
from containers.gdal.sky_lookup import SkyLookup

_BLOCK_BYTES = 192 << 20
"""Values that are held at once, whatever the number of dates."""


class Placed(NamedTuple):
    """The index of one acquisition in one block: nodata where it is not clear."""

    date: int
    """Position along the dates."""
    place: tuple[slice, slice]
    """Within the block."""
    values: NDArray[np.int16]


def day_of(item: Seen) -> int:
    """The date in UTC as days since 1970-01-01."""
    return (item.acquired.astimezone(UTC).date() - EPOCH).days


def overlap(grid: Grid, block: Window, item: Seen) -> tuple[Window, tuple[slice, slice]] | None:
    """The part of a block of `grid` that an acquisition's window covers: in its own cells, and in the block's."""
    row, col = offset_in(grid, item.grid)
    top, left = max(block.row_off, row), max(block.col_off, col)
    bottom = min(block.row_off + block.height, row + item.grid.height)
    right = min(block.col_off + block.width, col + item.grid.width)
    if bottom <= top or right <= left:
        return None
    place = (
        slice(top - block.row_off, bottom - block.row_off),
        slice(left - block.col_off, right - block.col_off),
    )
    return Window(left - col, top - row, right - left, bottom - top), place


def put(values: NDArray[np.int16], placed: Placed) -> None:
    """Set what is still empty: of several acquisitions of one date, the first clear one wins, cell by cell."""
    target = values[placed.date][placed.place]
    np.copyto(target, placed.values, where=target == INDEX_NODATA)


def block_cols(width: int, n_dates: int) -> int:
    """So many columns that a block of `BLOCK_PX` rows fits `_BLOCK_BYTES`: a multiple of `BLOCK_PX`."""
    fitting = _BLOCK_BYTES // (n_dates * BLOCK_PX * np.dtype(np.int16).itemsize)
    return min(-(-width // BLOCK_PX), max(1, fitting // BLOCK_PX)) * BLOCK_PX


def run(params: SeriesParams, out: Path) -> SeriesResult:
    require_fit(params)
    acquisitions = in_time(params.seen)
    days = np.unique([day_of(item) for item in acquisitions]).astype(np.int32)
    header = Header(params.grid, params.index, days)
    windows = list(chunk_windows(params.grid, BLOCK_PX, block_cols(params.grid.width, len(days))))
    clear = on_land = 0
    path, counts_path = out / "series.h5", out / "observations.tif"
    counts_cog = create_cog(counts_path, params.grid, dtype="uint16", nodata=None, bands=("observations",))
    with (
        create_series(path, header, ("values", "land")) as sink,
        counts_cog as counts,
        ThreadPoolExecutor(params.execution.threads) as pool,
    ):
        for done, block in enumerate(windows, start=1):
            land = _read_land(params, block)
            values = _read_block(params, acquisitions, header, block, pool)
            values[:, land == 0] = INDEX_NODATA
            count = (values != INDEX_NODATA).sum(axis=0, dtype=np.uint16)
            counts.write(count, 1, window=block)
            _write_block(sink, block, values, land, pool)
            clear, on_land = clear + int(count.sum()), on_land + int(land.sum())
            progress(done, len(windows), f"{params.index} of {len(days)} dates")
        if not clear:
            raise StepError(
                "no_valid_pixels",
                f"No land cell is clear in any of {len(acquisitions)} acquisitions of {len(days)} dates.",
                "Widen the period or loosen the mask.",
            )
    return SeriesResult(
        series=output_file(path),
        grid=params.grid,
        index=params.index,
        dates=header.dates,
        observations=output_file(counts_path),
        clear_share=clear / (on_land * len(days)),
    )


def _read_block(
    params: SeriesParams, acquisitions: list[Seen], header: Header, block: Window, pool: ThreadPoolExecutor
) -> NDArray[np.int16]:
    """(date, rows, columns) of the index, nodata where it was not seen."""
    values = np.full((len(header.days), int(block.height), int(block.width)), INDEX_NODATA, dtype=np.int16)
    sky = SkyLookup(part_of(params.grid, block))
    read = partial(_read_acquisition, params, header, block, sky)
    for placed in in_order(pool, read, acquisitions, waiting=params.execution.threads + 1):
        if placed:
            put(values, placed)
    return values


def _read_acquisition(params: SeriesParams, header: Header, block: Window, sky: SkyLookup, item: Seen) -> Placed | None:
    if (found := overlap(params.grid, block, item)) is None:
        return None
    window, place = found
    classes = sky.classes(item.mask, place)
    usable = np.isin(classes, params.usable)
    if not usable.any():
        return None
    bands = {name: read_band(local_path(item.bands[name]), window) for name in INDEX_BANDS[params.index]}
    values = np.where(usable, index_of(params.index, bands), np.int16(INDEX_NODATA))
    return Placed(int(np.searchsorted(header.days, day_of(item))), place, values)


def _read_land(params: SeriesParams, block: Window) -> NDArray[np.uint8]:
    if params.land is None:
        return np.ones((int(block.height), int(block.width)), dtype=np.uint8)
    path = local_path(params.land)
    with open_raster(path) as source:
        window = window_of(grid_of(source), part_of(params.grid, block))
        land: NDArray[np.uint8] = (source.read(1, window=window) == 1).astype(np.uint8)
    return land


def _write_block(
    sink: Writer, block: Window, values: NDArray[np.int16], land: NDArray[np.uint8], pool: ThreadPoolExecutor
) -> None:
    for chunks in pool.map(lambda part: sink.packed("values", *part), _parts(block, values)):
        sink.write(chunks)
    sink.write(sink.packed("land", block, land))


def _parts(block: Window, values: NDArray[np.int16]) -> Iterator[tuple[Window, NDArray[np.int16]]]:
    """One row of chunks after the other."""
    for row in range(0, int(block.height), CHUNK_PX):
        rows = values[:, row : row + CHUNK_PX]
        yield Window(block.col_off, block.row_off + row, block.width, rows.shape[1]), rows


if __name__ == "__main__":
    main(SeriesParams, run)
