"""A series without gaps: every cell's curve at the output dates, with its quality and uncertainty."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window
from threadpoolctl import threadpool_limits

from containers.base.contract.files import output_file
from containers.base.contract.legend import INDEX_NODATA, INDEX_SCALE
from containers.base.contract.step import StepError
from containers.base.step import local_path, main, progress
from containers.gdal.contract.fill import Filling, FillParams, FillResult
from containers.gdal.curve_engines import fitted
from containers.gdal.pipeline import in_order
from containers.gdal.series_file import (
    CHUNK_PX,
    EPOCH,
    Header,
    LayerName,
    Packed,
    Series,
    Writer,
    chunk_windows,
    create_series,
    open_series,
)
from containers.gdal.smoothers import Array, Days
from containers.gdal.uncertainty import Calibration, calibrate, noise, standard_deviation

_MAX_OUTSIDE_DAYS = 92
"""No engine is trusted further beyond the first and the last date than a quarter of a year."""
_BLOCK_COLS = 8 * CHUNK_PX
_BATCH_CELLS = 4096
"""Cells that are computed at once: enough that threads seldom wait for each other, few enough for the cache."""
_SAMPLE_CELLS, _CELLS_PER_WINDOW = 512, 16
"""On which the uncertainty is calibrated."""
_MAX_UNCERTAINTY = 1.0


class Filled(NamedTuple):
    """(date out, cell) of one batch or block."""

    values: NDArray[np.int16]
    quality: NDArray[np.int8]
    uncertainty: NDArray[np.int16]


def output_days(params: FillParams, days: Days) -> Days:
    """Days since 1970-01-01 of the output. Raises `bad_dates` where the series does not bear them."""
    first, last = ((day - EPOCH).days for day in (params.first, params.last))
    seen = [EPOCH + timedelta(days=int(day)) for day in (days[0], days[-1])]
    if len(days) < 2:
        raise StepError(
            "bad_dates", f"The series has one date only, {seen[0]}: there is no gap to fill.", "Widen the period."
        )
    if days[0] - first > _MAX_OUTSIDE_DAYS or last - days[-1] > _MAX_OUTSIDE_DAYS:
        raise StepError(
            "bad_dates",
            f"{params.first} to {params.last} is asked for, the observations are of {seen[0]} to {seen[1]}: more than "
            f"{_MAX_OUTSIDE_DAYS} days are outside.",
            "Observe a margin before the first and after the last day, or ask for less.",
        )
    asked = np.arange(first, last + 1, params.every_days or 1, dtype=np.int32)
    asked = asked if params.every_days else np.intersect1d(asked, days).astype(np.int32)
    if not len(asked):
        raise StepError(
            "bad_dates", f"No observation lies between {params.first} and {params.last}.", "Give every_days."
        )
    return asked


def fill_cells(
    filling: Filling, calibration: Calibration, days: Days, out_days: Days, values: NDArray[np.int16]
) -> Filled:
    """Fill `values` (date, cell), int16 × `INDEX_SCALE`, at `out_days`."""
    seen = values != INDEX_NODATA
    index = np.where(seen, values * INDEX_SCALE, 0.0)
    curve = fitted(filling, days, out_days, index, seen)
    deviation = standard_deviation(calibration, noise(days, index, seen, calibration.variance), curve.reach)
    return Filled(
        _scaled(curve.values), curve.quality, _scaled(np.where(curve.quality == 0, np.nan, deviation), _MAX_UNCERTAINTY)
    )


def _scaled(values: Array, most: float = 1.0) -> NDArray[np.int16]:
    scaled = np.clip(np.rint(values / INDEX_SCALE), -most / INDEX_SCALE, most / INDEX_SCALE)
    return np.where(np.isfinite(scaled), scaled, INDEX_NODATA).astype(np.int16)


def sampled(series: Series) -> NDArray[np.int16]:
    """Some cells from all over the series, (date, cell): of every window that is visited, evenly many.

    Windows are visited in a fixed order that is spread over the grid, until there are enough cells. Raises
    `no_valid_pixels` where nothing was ever seen.
    """
    windows = list(chunk_windows(series.header.grid, CHUNK_PX, CHUNK_PX))
    order = np.argsort(np.arange(len(windows)) * 0.6180339887 % 1)
    share = max(_CELLS_PER_WINDOW, -(-_SAMPLE_CELLS // len(windows)))
    parts: list[NDArray[np.int16]] = []
    for number in order:
        values = series.read("values", windows[number]).reshape(len(series.header.days), -1)
        observed = np.flatnonzero((values != INDEX_NODATA).any(axis=0))
        parts.append(values[:, observed[:: max(1, len(observed) // share)][:share]])
        if sum(part.shape[1] for part in parts) >= _SAMPLE_CELLS:
            break
    cells = np.concatenate(parts, axis=1)
    if not cells.shape[1]:
        raise StepError(
            "no_valid_pixels",
            f"No cell was seen on any of the {len(series.header.days)} dates.",
            "Widen the period or loosen the mask.",
        )
    return cells


def run(params: FillParams, out: Path) -> FillResult:
    path, counts = out / "filled.h5", Counter[int]()
    with (
        # Threads work on blocks of their own: BLAS would start as many again for each of its small products.
        threadpool_limits(limits=1, user_api="blas"),
        open_series(local_path(params.series)) as series,
        ThreadPoolExecutor(params.execution.threads) as pool,
    ):
        source = series.header
        target = Header(source.grid, source.index, output_days(params, source.days))
        cells = sampled(series)
        seen = cells != INDEX_NODATA
        calibration = calibrate(params.filling, source.days, np.where(seen, cells * INDEX_SCALE, 0.0), seen)
        windows = list(chunk_windows(source.grid, CHUNK_PX, _BLOCK_COLS))
        with create_series(path, target, ("values", "quality", "uncertainty", "land")) as sink:
            fill = partial(_fill_block, params.filling, calibration, series, target, sink)
            blocks = in_order(pool, fill, windows, waiting=params.execution.threads + 1)
            for done, (chunks, found) in enumerate(blocks, start=1):
                sink.write(chunks)
                counts.update(found)
                progress(done, len(windows), f"filled by {params.filling.engine}")
    return FillResult(filled=output_file(path), grid=target.grid, dates=target.dates, shares=dict(_shares(counts)))


def _fill_block(
    filling: Filling, calibration: Calibration, series: Series, target: Header, sink: Writer, window: Window
) -> tuple[list[Packed], Counter[int]]:
    """The packed chunks of one window, and how often it has each quality on land."""
    land = series.read("land", window)
    on_land = np.flatnonzero(land)
    values = series.read("values", window).reshape(len(series.header.days), -1)
    shape = (len(target.days), int(window.height), int(window.width))
    block = Filled(
        np.full((shape[0], land.size), INDEX_NODATA, dtype=np.int16),
        np.zeros((shape[0], land.size), dtype=np.int8),
        np.full((shape[0], land.size), INDEX_NODATA, dtype=np.int16),
    )
    for first in range(0, len(on_land), _BATCH_CELLS):
        cells = on_land[first : first + _BATCH_CELLS]
        batch = fill_cells(filling, calibration, series.header.days, target.days, values[:, cells])
        for (_, layer), (_, part) in zip(_named(block), _named(batch), strict=True):
            layer[:, cells] = part
    codes, numbers = np.unique(block.quality[:, on_land], return_counts=True)
    chunks = sink.packed("land", window, land)
    for name, layer in _named(block):
        chunks += sink.packed(name, window, layer.reshape(shape))
    return chunks, Counter(dict(zip(codes.tolist(), numbers.tolist(), strict=True)))


def _named(block: Filled) -> Iterator[tuple[LayerName, NDArray[Any]]]:
    yield "values", block.values
    yield "quality", block.quality
    yield "uncertainty", block.uncertainty


def _shares(counts: Counter[int]) -> Iterator[tuple[str, float]]:
    total = counts.total()
    for code, number in sorted(counts.items()):
        yield str(code), number / total


if __name__ == "__main__":
    main(FillParams, run)
