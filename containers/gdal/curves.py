"""Curves and season metrics per region, weighted by the exact part of every cell that a region covers."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import File, output_file
from containers.base.contract.legend import INDEX_NODATA
from containers.base.contract.step import StepWarning
from containers.base.grid import part_of
from containers.base.regions import read_regions
from containers.base.step import local_path, main, progress
from containers.gdal.contract.productivity import CurvesParams, CurvesResult, FilledWindow
from containers.gdal.coverage import coverages, regions_at
from containers.gdal.region_sums import CurvePoint, RegionSums, SeasonFigure
from containers.gdal.season import date_of
from containers.gdal.series_file import CHUNK_PX, chunk_windows, open_series
from containers.gdal.windows import OpenWindow, grid_of_windows, opened, require_same_days

_BLOCK_ROWS, _BLOCK_COLS = 2 * CHUNK_PX, 8 * CHUNK_PX
_SHOWN = 10


class Block(NamedTuple):
    """A part of a window, and the regions that reach into it."""

    window: Window
    regions: list[int]


class RegionRows(NamedTuple):
    """What one region comes to."""

    curve: list[CurvePoint]
    seasons: dict[int, dict[str, SeasonFigure]]
    cells: float


def nearest_dates(days: NDArray[np.integer], observed: NDArray[np.integer]) -> NDArray[np.intp]:
    """For every observation the number of the curve's date that is nearest, −1 beyond half a step of its ends."""
    edges = (days[1:] + days[:-1]) / 2
    nearest = np.searchsorted(edges, observed)
    step = np.diff(days).max(initial=1)
    outside = (observed < days[0] - step / 2) | (observed > days[-1] + step / 2)
    return np.where(outside, -1, nearest)


def run(params: CurvesParams, out: Path) -> CurvesResult:
    """Every block is read once; a region's sums are kept from its first block to its last. Raises `bad_regions`."""
    grid = grid_of_windows(params.windows)
    regions, warnings = read_regions(
        local_path(params.regions), grid, id_field=params.region_id_field, name_field=params.region_name_field
    )
    days = _common_days(params.windows)
    rows = dict(_summed(params, regions, days))
    empty = [regions["region_id"][row] for row in sorted(rows) if not any(point.cells for point in rows[row].curve)]
    return CurvesResult(
        curves=_write(out / "curves.parquet", list(_curve_rows(regions, rows, days))),
        seasons=_write(out / "seasons.parquet", list(_season_rows(regions, rows, grid.cell_area_ha))),
        warnings=(*warnings, *_without_data(empty)),
    )


def _common_days(windows: tuple[FilledWindow, ...]) -> NDArray[np.int32]:
    with open_series(local_path(windows[0].filled)) as first:
        days = first.header.days
    for window in windows[1:]:
        with open_series(local_path(window.filled)) as other:
            require_same_days(days, other.header.days)
    return days


def _summed(params: CurvesParams, regions: GeoDataFrame, days: NDArray[np.int32]) -> Iterator[tuple[int, RegionRows]]:
    """Row of a region to its figures, as soon as its last block has been read."""
    blocks = [_blocks(window, regions) for window in params.windows]
    waiting = Counter(row for window in blocks for block in window for row in block.regions)
    years = tuple(sorted({season.year for window in params.windows for season in window.seasons}))
    for row in set(range(len(regions))) - set(waiting):
        yield row, _finished(RegionSums(len(days), years), years)
    sums: dict[int, RegionSums] = {}
    total, done = sum(map(len, blocks)), 0
    for window, parts in zip(params.windows, blocks, strict=True):
        with opened(window) as source:
            nearest = nearest_dates(days, source.series.header.days)
            for block in parts:
                for row in block.regions:
                    sums.setdefault(row, RegionSums(len(days), years))
                _add_block(source, block, regions, nearest, sums)
                waiting.subtract(block.regions)
                for row in [row for row in block.regions if not waiting[row]]:
                    yield row, _finished(sums.pop(row), years)
                progress(done := done + 1, total, "curves per region")


def _finished(sums: RegionSums, years: tuple[int, ...]) -> RegionRows:
    return RegionRows(sums.curve(), {year: sums.season(year) for year in years}, sums.cells)


def _blocks(window: FilledWindow, regions: GeoDataFrame) -> list[Block]:
    """Blocks that no region reaches into are not read."""
    places = chunk_windows(window.grid, _BLOCK_ROWS, _BLOCK_COLS)
    blocks = [Block(place, regions_at(regions, part_of(window.grid, place))) for place in places]
    return [block for block in blocks if block.regions]


def _add_block(
    source: OpenWindow, block: Block, regions: GeoDataFrame, nearest: NDArray[np.intp], sums: dict[int, RegionSums]
) -> None:
    values = source.filled.read("values", block.window)
    seen = source.series.read("values", block.window) != INDEX_NODATA
    observed: NDArray[np.bool_] = np.zeros(values.shape, dtype=bool)
    for step, layer in zip(nearest, seen, strict=True):
        if step >= 0:
            observed[step] |= layer
    values, observed = values.reshape(len(values), -1), observed.reshape(len(values), -1)
    metrics = {
        year: raster.read(window=block.window).reshape(raster.count, -1) for year, raster in source.seasons.items()
    }
    for region, cells, shares in coverages(regions, block.regions, part_of(source.grid, block.window)):
        sums[region].cells += float(shares.sum())
        for step, (value, seen_then) in enumerate(zip(values, observed, strict=True)):
            sums[region].add_curves(step, value[cells], seen_then[cells], shares)
        for year, layers in metrics.items():
            sums[region].add_metrics(year, layers[:, cells], shares)


def _curve_rows(
    regions: GeoDataFrame, rows: dict[int, RegionRows], days: NDArray[np.int32]
) -> Iterator[dict[str, object]]:
    for row in sorted(rows):
        for day, point in zip(days, rows[row].curve, strict=True):
            yield {"region_id": regions["region_id"][row], "date": date_of(day), **point._asdict()}


def _season_rows(
    regions: GeoDataFrame, rows: dict[int, RegionRows], cell_area_ha: float
) -> Iterator[dict[str, object]]:
    for row in sorted(rows):
        for year, figures in rows[row].seasons.items():
            for metric, figure in figures.items():
                yield {
                    "region_id": regions["region_id"][row],
                    "region_name": regions["region_name"][row],
                    "year": year,
                    "metric": metric,
                    "area_ha": rows[row].cells * cell_area_ha,
                    **figure._asdict(),
                }


def _write(path: Path, rows: list[dict[str, object]]) -> File:
    table = pd.DataFrame(rows)
    figures = [name for name in ("mean", "p10", "p90", "deviation", "quality", "observed_share") if name in table]
    table.astype(dict.fromkeys(figures, "float64")).to_parquet(path, index=False, compression="zstd")
    return output_file(path)


def _without_data(regions: list[str]) -> Iterator[StepWarning]:
    if regions:
        more = f" and {len(regions) - _SHOWN} more" if len(regions) > _SHOWN else ""
        yield StepWarning(
            code="regions_without_data",
            reason=f"{len(regions)} regions have no cell with a value: {', '.join(regions[:_SHOWN])}{more}.",
            hint="Their rows are empty. They may be water, outside the land, or in a part that was never seen.",
        )


if __name__ == "__main__":
    main(CurvesParams, run)
