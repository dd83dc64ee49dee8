"""What a user hands to `vegetation_productivity`, checked and taken into the store before any compute is spent."""

from pathlib import Path
from typing import Final

import shapely
from pydantic import Field
from shapely.geometry import MultiPolygon

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.step import StepError
from tasks.aoi import analysis_grid, read_aoi
from tasks.disk import disk_errors
from tasks.parameters.vegetation_productivity import VegetationProductivityParams
from tasks.periods import Period, make_periods, with_margins
from tasks.settings import get_settings
from tasks.store import open_store
from tasks.user_files import take_file, take_optional_file

_EARTH_LAND_DEG2: Final = 360 * 180 / 3
"""A third of the globe in square degrees: an outline beyond it is everything *but* the land."""


class SeriesInputs(Contract):
    """A run's inputs: the area, the grid, the time axis, and files that are now in the store."""

    aoi: str = Field(description="WKT, EPSG:4326")
    land_outline: str | None = Field(description="The precise land as WKT, EPSG:4326: scenes off it are not read")
    grid: Grid
    years: tuple[Period, ...]
    searched: Period = Field(description="The years with their margins")
    regions: File
    land: File | None
    model: File | None
    weights: File | None

    @property
    def area(self) -> MultiPolygon:
        return MultiPolygon(shapely.get_parts(shapely.from_wkt(self.aoi)).tolist())


@disk_errors()
def take_in_series(params: VegetationProductivityParams) -> SeriesInputs:
    """Check area, dates and files. Raises `bad_aoi`, `bad_grid`, `bad_dates`, `missing_file`, `disk_full`."""
    store, where = open_store(get_settings()), params.area
    land = read_aoi(Path(where.land)) if where.land else None
    if land is not None and land.area > _EARTH_LAND_DEG2:
        raise StepError(
            "bad_aoi",
            f"{where.land} covers {land.area:.0f} square degrees, more than the land of the Earth: it is inverted.",
            "Give polygons of the land, not of the sea around it.",
        )
    aoi = read_aoi(where.aoi or Path(where.land or params.regions.path))
    if land is not None and not land.intersects(aoi):
        raise StepError(
            "bad_aoi",
            f"The land of {where.land} lies at {_bounds(land)}, the area of interest at {_bounds(aoi)}.",
            "Give land and area of the same place.",
        )
    years = make_periods("year", params.time.years)
    return SeriesInputs(
        aoi=shapely.to_wkt(aoi, rounding_precision=7),
        land_outline=shapely.to_wkt(land, rounding_precision=7) if land is not None else None,
        grid=analysis_grid(aoi, where.epsg, where.resolution_m),
        years=years,
        searched=with_margins(years, days_before=params.time.days_before, days_after=params.time.days_after),
        regions=take_file(store, params.regions.path),
        land=take_optional_file(store, where.land),
        model=take_optional_file(store, params.visibility.model_href),
        weights=take_optional_file(store, params.visibility.weights_href),
    )


def _bounds(area: MultiPolygon) -> str:
    return ", ".join(f"{value:.3f}" for value in area.bounds)
