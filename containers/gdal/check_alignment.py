"""Refuse periods that do not lie on each other: by their headers, and by what is on the ground."""

import csv
import heapq
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import output_file
from containers.base.contract.step import StepError, StepWarning
from containers.base.raster import open_raster, read_band, tile_windows
from containers.base.step import local_path, main, progress
from containers.gdal.contract.mosaic import CheckAlignmentParams, CheckAlignmentResult, PairShift, PeriodLayers
from containers.gdal.header import Header, header_of, require_equal_headers
from containers.gdal.registration import filled, median_shift, phase_shift, texture

WINDOW_SIZES_PX = (256, 128, 64)
"""Larger windows measure finer; a small or patchy mosaic needs smaller ones to have enough of them."""
ENOUGH_WINDOWS = 9
MAX_WINDOWS = 25
MAX_CANDIDATES = 200


def candidates(shape: tuple[int, int], size: int) -> list[Window]:
    """Whole windows, evenly spread over the raster where there are too many."""
    size = min(size, *shape)
    whole = [window for window in tile_windows(shape, size) if window.width == window.height == size]
    return whole[:: -(-len(whole) // MAX_CANDIDATES)]


def textured_windows(
    periods: tuple[PeriodLayers, ...], layer: str, windows: list[Window], nodata: float | None
) -> list[list[NDArray[Any]]]:
    """The windows with most texture in every period: per window one array (y, x) per period."""
    best: list[tuple[float, int, list[NDArray[Any]]]] = []
    for number, window in enumerate(windows):
        arrays = [read_band(local_path(period.layers[layer]), window) for period in periods]
        strength = texture(arrays, nodata)
        if strength > 0:
            add = heapq.heappush if len(best) < MAX_WINDOWS else heapq.heappushpop
            add(best, (strength, number, arrays))
    return [arrays for _, _, arrays in best]


def comparable_windows(periods: tuple[PeriodLayers, ...], layer: str, header: Header) -> list[list[NDArray[Any]]]:
    """Textured windows of the largest size that gives enough of them."""
    found: list[list[NDArray[Any]]] = []
    for tried, size in enumerate(WINDOW_SIZES_PX, start=1):
        windows = candidates((header.height, header.width), size)
        found = textured_windows(periods, layer, windows, header.nodata)
        progress(tried, len(WINDOW_SIZES_PX), f"{len(found)} textured windows of {size} cells")
        if len(found) >= ENOUGH_WINDOWS:
            break
    return found


def run(params: CheckAlignmentParams, out: Path) -> CheckAlignmentResult:
    periods = params.periods
    headers = _headers(periods)
    require_equal_headers(headers)
    if params.reference_layer not in periods[0].layers:
        raise StepError(
            "unknown_band",
            f"There is no layer {params.reference_layer!r}; there are {sorted(periods[0].layers)}.",
            "Name one of these as reference_layer.",
        )
    reference = headers[periods[0].period, params.reference_layer]
    windows = comparable_windows(periods, params.reference_layer, reference) if len(periods) > 1 else []
    shifts = tuple(_shifts(periods, windows, reference.nodata))
    _require_small_shifts(shifts, params.max_shift_px)
    return CheckAlignmentResult(
        grid=reference.grid,
        shifts=shifts,
        table=output_file(_write_table(out / "alignment.csv", headers)),
        warnings=tuple(_warnings(shifts)),
    )


def _headers(periods: tuple[PeriodLayers, ...]) -> dict[tuple[str, str], Header]:
    headers = {}
    for period in periods:
        if period.layers.keys() != periods[0].layers.keys():
            raise StepError(
                "grid_mismatch",
                f"{periods[0].period} has the layers {sorted(periods[0].layers)}, "
                f"{period.period} {sorted(period.layers)}.",
                "Mosaic the same layers in every period.",
            )
        for layer, file in period.layers.items():
            with open_raster(local_path(file)) as dataset:
                headers[period.period, layer] = header_of(dataset)
    return headers


def _shifts(
    periods: tuple[PeriodLayers, ...], windows: list[list[NDArray[Any]]], nodata: float | None
) -> Iterator[PairShift]:
    images = [[filled(window, nodata) for window in arrays] for arrays in windows]
    for first, second in combinations(range(len(periods)), 2):
        shift_px, n_windows = median_shift([phase_shift(window[first], window[second]) for window in images])
        yield PairShift(
            first=periods[first].period, second=periods[second].period, shift_px=shift_px, n_windows=n_windows
        )


def _require_small_shifts(shifts: tuple[PairShift, ...], max_shift_px: float) -> None:
    large = [
        f"{pair.first} and {pair.second} by {pair.shift_px:.2f} px" for pair in shifts if pair.shift_px > max_shift_px
    ]
    if large:
        raise StepError(
            "grid_mismatch",
            f"Periods are shifted against each other: {', '.join(large)} (limit {max_shift_px} px).",
            "Leave out the scenes that are badly registered: their products carry geometric quality flags.",
        )


def _warnings(shifts: tuple[PairShift, ...]) -> Iterator[StepWarning]:
    blind = [f"{pair.first} and {pair.second}" for pair in shifts if not pair.n_windows]
    if blind:
        yield StepWarning(
            code="shift_unknown",
            reason=f"No window of {', '.join(blind)} has enough data and texture in common to measure a shift.",
            hint="Compare the quick-looks by eye.",
        )


def _write_table(path: Path, headers: dict[tuple[str, str], Header]) -> Path:
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("period", "layer", *Header._fields))
        table.writerows((*key, *header) for key, header in headers.items())
    return path


if __name__ == "__main__":
    main(CheckAlignmentParams, run)
