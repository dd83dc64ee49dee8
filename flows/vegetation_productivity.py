"""How the vegetation did, in spite of clouds: per cell, region and year. Method: docs/vegetation_productivity.md."""

from prefect import flow

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.gdal.contract.fill import FillParams, FillResult
from containers.gdal.contract.land import LandParams
from containers.gdal.contract.mask import MaskResult
from containers.gdal.contract.merge import MergeParams, Piece
from containers.gdal.contract.observe import Observation
from containers.gdal.contract.productivity import (
    AnimationParams,
    CurvesParams,
    CurvesResult,
    FilledWindow,
    PointsParams,
    PointsResult,
    ProductivityParams,
    TrendParams,
    TrendResult,
)
from containers.gdal.contract.series import Seen, SeriesParams, SeriesResult
from tasks import gdal, ledger
from tasks.catalogue.rules import Acquisition
from tasks.failures import CLOUDED, usable
from tasks.masks.tile_batches import MaskBatch, ObserveBatch, by_tile_and_year, mask_tile, observe_tile, seen_in_time
from tasks.parameters.vegetation_productivity import VegetationProductivityParams
from tasks.publishing.product import Publication
from tasks.runner import FLOW_OPTIONS
from tasks.scene_memory import remember_read, scene_ledger
from tasks.vegetation.intake import SeriesInputs, take_in_series
from tasks.vegetation.product import SeriesProducts, WindowProducts
from tasks.vegetation.publish import publish_vegetation_productivity
from tasks.vegetation.scenes import find_acquisitions, index_bands, mask_bands
from tasks.windows import filled_span, windows_of


@flow(name="vegetation_productivity", flow_run_name="{params.name}", **FLOW_OPTIONS)
def vegetation_productivity(params: VegetationProductivityParams) -> Publication:
    """An index series without clouds, its seasons, and how each year compares, from a Sentinel-2 archive."""
    inputs = take_in_series(params)
    land = land_of(inputs)  # refuses an unfit outline before the archive is read
    acquisitions = find_acquisitions.submit(params, inputs).result()
    observations = observe(params, inputs, acquisitions)
    masks = mask(params, inputs, observations)
    series = clear_series(params, inputs, observations, masks, land)
    filled = fill(params, inputs, series)
    windows = measure_seasons(params, series, filled)
    comparisons = compare_years(params, windows)
    products = SeriesProducts(
        acquisitions=acquisitions,
        masks=masks,
        windows=tuple(
            WindowProducts(series=seen, filled=between, seasons=window.seasons, comparison=comparison)
            for seen, between, window, comparison in zip(series, filled, windows, comparisons, strict=True)
        ),
        rasters=merge(inputs, series, windows, comparisons),
        land=land,
        curves=curves_per_region(params, inputs, windows),
        points=series_at_places(params, windows, simulated=is_simulated(acquisitions)),
        animation=animate(inputs, windows, filled, simulated=is_simulated(acquisitions)),
    )
    publication = publish_vegetation_productivity(params, inputs, products)
    ledger.close_ledger()
    return publication


def land_of(inputs: SeriesInputs) -> File | None:
    """The precise land on the grid, where the user gives it."""
    if inputs.land is None:
        return None
    land: File = gdal.rasterise_land.submit(LandParams(geometry=inputs.land, grid=inputs.grid)).result().land
    return land


def observe(
    params: VegetationProductivityParams, inputs: SeriesInputs, acquisitions: tuple[Acquisition, ...]
) -> tuple[Observation, ...]:
    """Every acquisition, read from the archive once."""
    futures = [
        observe_tile.submit(
            ObserveBatch(
                tile=tile,
                year=year,
                acquisitions=found,
                index_bands=index_bands(params),
                mask_bands=mask_bands(params),
                grid=inputs.grid,
                mask_resolution_m=params.visibility.resolution_m,
                background_resolution_m=params.visibility.background_resolution_m,
            )
        )
        for (tile, year), found in by_tile_and_year(acquisitions).items()
    ]
    observations = tuple(observation for future in futures for observation in future.result())
    remember_read(scene_ledger(inputs), acquisitions, observations)
    return observations


def mask(
    params: VegetationProductivityParams, inputs: SeriesInputs, observations: tuple[Observation, ...]
) -> tuple[MaskResult, ...]:
    """What hides the ground in each observation, in their order."""
    batches = sorted({(each.tile, each.acquired.year) for each in observations})
    futures = [
        mask_tile.submit(
            MaskBatch(
                tile=tile,
                year=year,
                observations=tuple(each for each in observations if (each.tile, each.acquired.year) == (tile, year)),
                neighbours=tuple(each for each in observations if each.tile == tile),
                backgrounds=params.visibility.backgrounds,
                rules=params.visibility.rules,
                model=inputs.model,
                weights=inputs.weights,
                allow_simulated_model=params.visibility.allow_simulated_model,
                imported_masks=params.visibility.imported_masks,
            )
        )
        for tile, year in batches
    ]
    return tuple(result for future in futures for result in future.result())


def clear_series(
    params: VegetationProductivityParams,
    inputs: SeriesInputs,
    observations: tuple[Observation, ...],
    masks: tuple[MaskResult, ...],
    land: File | None,
) -> tuple[SeriesResult, ...]:
    """The index where the ground was seen, one cube per window of the grid; windows never seen are ledger rows."""
    seen = seen_in_time(observations, masks)

    def over(window: Grid) -> tuple[Seen, ...]:
        return tuple(each for each in seen if each.grid.bounds.intersects(window.bounds))

    futures = [
        gdal.index_series.submit(SeriesParams(seen=over(window), index=params.index, grid=window, land=land))
        for window in windows_of(inputs.grid, params.area.window_px)
        if over(window)
    ]
    found = tuple(result for future in futures if (result := usable(future, without=CLOUDED)))
    return found or tuple(future.result() for future in futures)  # where nothing was seen at all, say why


def fill(
    params: VegetationProductivityParams, inputs: SeriesInputs, series: tuple[SeriesResult, ...]
) -> tuple[FillResult, ...]:
    """Values at regular dates, each with quality and uncertainty."""
    first, last = filled_span(inputs.years, inputs.searched, [day for each in series for day in each.dates])
    futures = [
        gdal.fill_series.submit(
            FillParams(series=each.series, first=first, last=last, every_days=params.every_days, filling=params.filling)
        )
        for each in series
    ]
    return tuple(future.result() for future in futures)


def measure_seasons(
    params: VegetationProductivityParams, series: tuple[SeriesResult, ...], filled: tuple[FillResult, ...]
) -> tuple[FilledWindow, ...]:
    """Start, peak, end and integral of each year's season."""
    futures = [
        gdal.season_metrics.submit(
            ProductivityParams(filled=between.filled, series=seen.series, years=params.time.years, season=params.season)
        )
        for seen, between in zip(series, filled, strict=True)
    ]
    return tuple(
        FilledWindow(grid=seen.grid, filled=between.filled, series=seen.series, seasons=future.result().seasons)
        for seen, between, future in zip(series, filled, futures, strict=True)
    )


def compare_years(
    params: VegetationProductivityParams, windows: tuple[FilledWindow, ...]
) -> tuple[TrendResult | None, ...]:
    """Each year against the reference years, and the trend. A year alone has nothing to be compared with."""
    if len(params.time.years) == 1:
        return (None,) * len(windows)
    futures = [
        gdal.compare_years.submit(
            TrendParams(
                seasons=window.seasons,
                grid=window.grid,
                metric=params.comparison.metric,
                reference_years=params.comparison.reference_years or params.time.years,
                worst_quality=params.comparison.worst_quality,
            )
        )
        for window in windows
    ]
    return tuple(future.result() for future in futures)


def merge(
    inputs: SeriesInputs,
    series: tuple[SeriesResult, ...],
    windows: tuple[FilledWindow, ...],
    comparisons: tuple[TrendResult | None, ...],
) -> dict[str, File]:
    """One raster over the whole grid per season, anomaly, trend, and of the observations' count."""
    pieces: dict[str, list[Piece]] = {}

    def add(name: str, grid: Grid, raster: File) -> None:
        pieces.setdefault(name, []).append(Piece(grid=grid, raster=raster))

    for seen, window, comparison in zip(series, windows, comparisons, strict=True):
        add("observations", seen.grid, seen.observations)
        for season in window.seasons:
            add(f"season-{season.year}", window.grid, season.raster)
        for anomaly in comparison.anomalies if comparison else ():
            add(f"anomaly-{anomaly.year}", window.grid, anomaly.raster)
        if comparison and comparison.trend:
            add("trend", window.grid, comparison.trend)
    rasters: dict[str, File] = (
        gdal.merge_windows.submit(
            MergeParams(pieces={name: tuple(parts) for name, parts in pieces.items()}, grid=inputs.grid)
        )
        .result()
        .rasters
    )
    return rasters


def curves_per_region(
    params: VegetationProductivityParams, inputs: SeriesInputs, windows: tuple[FilledWindow, ...]
) -> CurvesResult:
    """Curves and seasons of every region."""
    result: CurvesResult = gdal.region_curves.submit(
        CurvesParams(
            windows=windows,
            regions=inputs.regions,
            region_id_field=params.regions.id_field,
            region_name_field=params.regions.name_field,
        )
    ).result()
    return result


def series_at_places(
    params: VegetationProductivityParams, windows: tuple[FilledWindow, ...], *, simulated: bool
) -> PointsResult | None:
    """Series at the user's points, where there are any."""
    if not params.places:
        return None
    result: PointsResult = gdal.point_series.submit(
        PointsParams(windows=windows, places=params.places, simulated=simulated)
    ).result()
    return result


def animate(
    inputs: SeriesInputs, windows: tuple[FilledWindow, ...], filled: tuple[FillResult, ...], *, simulated: bool
) -> File:
    """The last year as a moving picture."""
    last = min(inputs.years[-1].end, max(day for each in filled for day in each.dates))
    first = inputs.years[-1].start
    animation: File = (
        gdal.animate.submit(AnimationParams(windows=windows, first=first, last=last, simulated=simulated))
        .result()
        .animation
    )
    return animation


def is_simulated(acquisitions: tuple[Acquisition, ...]) -> bool:
    return any(part.simulated for parts in acquisitions for part in parts)
