"""A season metric against its reference years, and its trend, block by block."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import output_file
from containers.base.contract.step import StepError, StepWarning
from containers.base.grid import require_grid
from containers.base.raster import BLOCK_PX, create_cog, open_raster, tile_windows
from containers.base.step import local_path, main, progress
from containers.gdal.contract.productivity import METRICS, NODATA, Metrics, TrendParams, TrendResult
from containers.gdal.theil_sen import MIN_YEARS, trend

ANOMALY_BANDS: Final = ("difference", "z")
TREND_BANDS: Final = ("slope", "lower", "upper", "p_value")
MIN_SPREAD_YEARS: Final = 3
"""Reference years that a standard deviation needs."""
_PAIRED_CELLS = 4 << 20
"""Slopes of pairs of years that are held at once."""

Values = NDArray[np.float32]


def anomalies(values: Values, is_reference: NDArray[np.bool_]) -> Values:
    """Difference from the mean of the reference years, and the same in their standard deviations.

    `values` are (year, cell), NaN where missing; the result is (year, 2, cell). `z` is NaN where fewer than three
    reference years have a value, or all have the same.
    """
    reference = values[is_reference]
    known = np.isfinite(reference)
    count = known.sum(axis=0)
    mean = np.where(count > 0, np.where(known, reference, 0).sum(axis=0) / np.maximum(count, 1), np.nan)
    squares = np.where(known, (reference - mean) ** 2, 0).sum(axis=0)
    spread = np.sqrt(squares / np.maximum(count - 1, 1))
    usable = (count >= MIN_SPREAD_YEARS) & (spread > 0)
    difference = values - mean
    z = np.divide(difference, spread, out=np.full_like(difference, np.nan), where=usable)
    return np.stack([difference, z], axis=1).astype(np.float32)


def run(params: TrendParams, out: Path) -> TrendResult:
    """Raises `unknown_band` for a metric that there is not, `bad_dates` for reference years that there are not."""
    years = np.array([season.year for season in params.seasons])
    _require_known(params, years)
    has_trend = len(years) >= MIN_YEARS
    paths = [out / f"anomaly_{params.metric}_{year}.tif" for year in years]
    windows = list(tile_windows(params.grid.shape, BLOCK_PX))
    with ExitStack() as files:
        sources = [files.enter_context(open_raster(local_path(season.raster))) for season in params.seasons]
        for source in sources:
            require_grid(source, params.grid)
        sinks = [files.enter_context(_cog(path, ANOMALY_BANDS, params)) for path in paths]
        slopes = files.enter_context(_cog(out / "trend.tif", TREND_BANDS, params)) if has_trend else None
        for done, window in enumerate(windows, start=1):
            values = np.stack([_read(source, window, params) for source in sources])
            _write_block(values, years, params, window, sinks, slopes)
            progress(done, len(windows), params.metric)
    return TrendResult(
        anomalies=tuple(
            Metrics(year=year, raster=output_file(path)) for year, path in zip(years.tolist(), paths, strict=True)
        ),
        trend=output_file(out / "trend.tif") if has_trend else None,
        grid=params.grid,
        warnings=tuple(_warnings(params)),
    )


def _write_block(
    values: Values, years: NDArray[np.integer], params: TrendParams, window: Window, sinks: list[Any], slopes: Any
) -> None:
    shape = values.shape[1:]
    cells = values.reshape(len(years), -1)
    for sink, layers in zip(sinks, anomalies(cells, np.isin(years, params.reference_years)), strict=True):
        sink.write(_stored(layers, shape), window=window)
    if slopes is not None:
        size = max(1, _PAIRED_CELLS // len(years) ** 2)
        parts = [cells[:, first : first + size].astype(np.float64) for first in range(0, cells.shape[1], size)]
        layers = np.concatenate([np.stack(trend(years, part)) for part in parts], axis=1)
        slopes.write(_stored(layers, shape), window=window)


def _stored(layers: NDArray[np.floating], shape: tuple[int, ...]) -> Values:
    return np.nan_to_num(layers.astype(np.float32), nan=NODATA).reshape(-1, *shape)


def _read(source: Any, window: Window, params: TrendParams) -> Values:
    """The metric, (y, x), NaN where it is missing or its quality is too low."""
    bands = [METRICS.index(name) + 1 for name in (params.metric, "quality")]
    values, quality = source.read(bands, window=window)
    return np.where((values == NODATA) | (quality < params.worst_quality), np.float32(np.nan), values)


def _cog(path: Path, bands: tuple[str, ...], params: TrendParams) -> Any:
    threads, tags = params.execution.threads, {"METRIC": params.metric}
    return create_cog(path, params.grid, dtype="float32", nodata=NODATA, bands=bands, tags=tags, threads=threads)


def _require_known(params: TrendParams, years: NDArray[np.integer]) -> None:
    if params.metric not in METRICS:
        raise StepError("unknown_band", f"There is no metric {params.metric!r}.", f"Take one of {', '.join(METRICS)}.")
    if (np.diff(years) <= 0).any():
        raise StepError("bad_dates", f"Years do not ascend: {years.tolist()}.", "Give each year once, in order.")
    if missing := sorted(set(params.reference_years) - set(years.tolist())):
        raise StepError(
            "bad_dates",
            f"Reference years {missing} are not among the seasons of {years.tolist()}.",
            "Compute these seasons too, or leave the years out.",
        )


def _warnings(params: TrendParams) -> Iterator[StepWarning]:
    n_years, n_reference = len(params.seasons), len(set(params.reference_years))
    if n_years < MIN_YEARS:
        yield StepWarning(
            code="too_few_years",
            reason=f"{n_years} years have no trend: it takes {MIN_YEARS}.",
            hint="Add years; anomalies are computed all the same.",
        )
    if n_reference < MIN_SPREAD_YEARS:
        yield StepWarning(
            code="too_few_reference_years",
            reason=f"{n_reference} reference years have no standard deviation: the band z is nodata.",
            hint=f"Give at least {MIN_SPREAD_YEARS} reference years.",
        )


if __name__ == "__main__":
    main(TrendParams, run)
