"""What each year was like on one pasture, from the slices of its tile."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import File, output_file
from containers.base.contract.step import StepError, StepWarning
from containers.base.raster import write_cog
from containers.base.step import local_path, main, progress
from containers.gdal.calendar_tables import write_curve, write_events, write_trend
from containers.gdal.contract.calendar import CalendarParams, CalendarResult
from containers.gdal.contract.productivity import NODATA
from containers.gdal.pasture_curve import pasture_curve
from containers.gdal.pasture_events import compared, season_events, snow_event
from containers.gdal.pasture_views import Summary, pasture_cells, summary, views
from containers.gdal.season import first_of_january
from containers.gdal.smoothers import Array, Days
from containers.gdal.snow_free import SnowFree, SnowWatch

LEAST_SEEN: Final = 0.3
"""Share of a pasture's cells that must be clear for their mean to stand for it."""
_SNOW_COVERED: Final = 0.5
_BASE_QUANTILE: Final = 0.05
_MIDWINTER, _MIDWINTER_SOUTH = 14, 195
"""Days after 1 January."""
_NEAR_DAYS, _FAR_DAYS = 45, 170
_WHOLE: Final = 0.999
_FIRST_SOUTHERN: Final = 32_700


def curve_points(seen: Sequence[Summary], *, south: bool = False) -> tuple[Days, Array]:
    """Days and NDVI that the curve goes through.

    Means where enough is clear; where snow covers the pasture, its base, the lowest twentieth of the means: the
    vegetation under snow is at rest (the winter NDVI of Beck et al. 2006, doi:10.1016/j.rse.2005.10.021). So it is in
    the middle of a winter that nobody has seen: a curve left to itself would go on falling, and dry too late.
    """
    means = [view.mean for view in seen if view.clear_share >= LEAST_SEEN]
    base = float(np.quantile(means, _BASE_QUANTILE)) if means else np.nan
    points = {
        view.day: view.mean if view.clear_share >= LEAST_SEEN else base
        for view in seen
        if view.clear_share >= LEAST_SEEN or view.snow_share >= _SNOW_COVERED
    }
    points |= dict.fromkeys(unseen_winters(list(points), south=south), base)
    days = sorted(points)
    return np.array(days, dtype=np.int32), np.array([points[day] for day in days])


def unseen_winters(days: Sequence[int], *, south: bool) -> Iterator[int]:
    """The middle of each winter that begins or ends a season seen, with no view near it; days since 1970.

    >>> [int(day) for day in unseen_winters([18_800, 18_900], south=False)]
    [18642, 19007]
    """
    if not days:
        return
    years = np.array([days[0], days[-1]], "datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
    for year in range(years[0], years[1] + 2):
        middle = first_of_january(int(year)) + (_MIDWINTER_SOUTH if south else _MIDWINTER)
        if _NEAR_DAYS < min(abs(day - middle) for day in days) <= _FAR_DAYS:
            yield middle


def run(params: CalendarParams, out: Path) -> CalendarResult:
    """Raises `bad_parameters`, `bad_regions`, `grid_mismatch`, `unknown_band`, `no_valid_pixels`."""
    if len(tiles := sorted({one.tile for one in params.slices})) > 1:
        raise StepError("bad_parameters", f"The slices are of several tiles: {tiles}.", "Give those of one tile.")
    inside, share = pasture_cells(local_path(params.outline), params.pasture_id, params.grid)
    south = params.grid.epsg >= _FIRST_SOUTHERN
    watch = SnowWatch(params.years, int(inside.sum()), south=south)
    seen: list[Summary] = []
    for view in views(params.slices, params.grid, inside):
        watch.see(view.day, view.snow, view.clear)
        seen.append(summary(view))
        progress(len(seen), len(params.slices), "views")
    points = curve_points(seen, south=south)
    _require_views(seen, params.pasture_id)
    curve = pasture_curve(params.filling, *points)
    snow = {year: watch.of(year) for year in params.years}
    events = season_events(curve, points[0], params.years, params.season, params.forage_ndvi)
    events = compared([*(snow_event(year, found) for year, found in snow.items()), *events])
    return CalendarResult(
        events=write_events(params.pasture_id, events, out / "events.csv"),
        curve=write_curve(params.pasture_id, curve, seen, LEAST_SEEN, out / "curve.csv"),
        trend=write_trend(params.pasture_id, events, out / "trend.csv"),
        snow_free=dict(_written_maps(snow, inside, params, out)),
        grid=params.grid,
        warnings=(*_unmasked(params), *_cut(params, share)),
    )


def _require_views(seen: Sequence[Summary], pasture_id: str) -> None:
    enough = sum(view.clear_share >= LEAST_SEEN for view in seen)
    if enough < 2:
        raise StepError(
            "no_valid_pixels",
            f"Of {len(seen)} days, {enough} show {LEAST_SEEN:.0%} or more of the pasture {pasture_id!r} clear and free "
            "of snow: there is no curve.",
            "Widen the period, or look at the layers of the slices.",
        )


def _written_maps(
    snow: dict[int, SnowFree], inside: NDArray[np.bool_], params: CalendarParams, out: Path
) -> Iterator[tuple[str, File]]:
    """Year to map; years in which no cell is told have none."""
    for year, found in snow.items():
        if np.isfinite(found.day).any():
            days = np.full(params.grid.shape, NODATA, dtype=np.float32)
            days[inside] = np.nan_to_num(found.day, nan=NODATA)
            path = write_cog(out / f"snow_free_{year}.tif", days, params.grid, nodata=NODATA, bands=("snow_free",))
            yield str(year), output_file(path)


def _unmasked(params: CalendarParams) -> Iterator[StepWarning]:
    lacking = [one for one in params.slices if one.unmasked]
    if lacking:
        layers = ", ".join(sorted({layer for one in lacking for layer in one.unmasked}))
        yield StepWarning(
            code="unmasked",
            reason=f"{len(lacking)} of {len(params.slices)} slices say nothing of {layers}: they are not used.",
            hint="Give products with masks, or snow products of these dates.",
        )


def _cut(params: CalendarParams, share: float) -> Iterator[StepWarning]:
    if share < _WHOLE:
        yield StepWarning(
            code="pasture_cut",
            reason=f"{share:.0%} of the pasture {params.pasture_id!r} lie in the window: its days are of that part.",
            hint="The rest lies in another tile, or the window is too small.",
        )


if __name__ == "__main__":
    main(CalendarParams, run)
