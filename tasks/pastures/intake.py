"""What a user hands to `pasture_types`, checked and taken into the store before any compute is spent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import geopandas
import numpy as np
import shapely
from pydantic import Field
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.gdal.contract.survey import SurveyFile
from containers.tensorflow.contract.types import TypesModel
from tasks.aoi import GEOGRAPHIC_EPSG, read_aoi
from tasks.disk import disk_errors
from tasks.parameters.pasture_types import PastureTypesParams
from tasks.pastures.spectra import take_types_model
from tasks.pastures.stencils import take_pastures
from tasks.pastures.survey_files import take_survey_files
from tasks.periods import Period, make_periods, with_margins
from tasks.settings import get_settings
from tasks.store import Store, open_store
from tasks.user_files import take_file, take_optional_file

_BLOCK_DEG: Final = 0.02
"""Around sites that lie apart from pastures, blocks of this size are searched: a handful, however many sites."""


class PastureInputs(Contract):
    """A run's inputs: the area, the years, and files that are now in the store."""

    aoi: str = Field(description="Pastures, and blocks around the survey's sites: WKT, EPSG:4326")
    years: tuple[Period, ...]
    searched: Period = Field(description="The years with their margins")
    pastures: File = Field(description="GeoParquet: pasture_id, pasture_name, geometry")
    survey: tuple[SurveyFile, ...]
    spectra: File | None
    model: TypesModel | None
    dem: tuple[File, ...]
    true_types: dict[str, File] = Field(description="Tile to raster")

    @property
    def area(self) -> MultiPolygon:
        return MultiPolygon(shapely.get_parts(shapely.from_wkt(self.aoi)).tolist())


@disk_errors()
def take_in_pastures(params: PastureTypesParams) -> PastureInputs:
    """Check outlines, years and files. Raises `bad_aoi`, `bad_dates`, `bad_sample`, `missing_file`, `disk_full`."""
    store = open_store(get_settings())
    pastures = take_pastures(store, params.pastures)
    survey = take_survey_files(store, params.survey.paths)
    years = make_periods("year", params.time.years)
    return PastureInputs(
        aoi=_area(store, pastures, survey),
        years=years,
        searched=with_margins(years, days_before=params.time.days_before, days_after=params.time.days_after),
        pastures=pastures,
        survey=survey,
        spectra=take_optional_file(store, params.spectra),
        model=take_types_model(store, Path(params.learning.model_href)) if params.learning.model_href else None,
        dem=tuple(take_file(store, path) for path in params.terrain.dem),
        true_types={tile: take_file(store, path) for tile, path in params.truth.types.items()},
    )


def _area(store: Store, pastures: File, survey: tuple[SurveyFile, ...]) -> str:
    """Pastures, and blocks of a lattice that hold sites. Whether sites are where they should be, the survey tells."""
    outlines = geopandas.read_parquet(store.path_of(pastures))
    blocks = [block for file in survey for block in _blocks(geopandas.read_parquet(store.path_of(file.file)))]
    whole = shapely.union_all([*outlines.geometry, *blocks])
    return shapely.to_wkt(read_aoi(shapely.to_wkt(whole, rounding_precision=7)), rounding_precision=7)


def _blocks(sites: geopandas.GeoDataFrame) -> Iterator[BaseGeometry]:
    if sites.crs is None:
        return
    bounds = sites.to_crs(GEOGRAPHIC_EPSG).bounds
    known = bounds[
        np.isfinite(bounds).all(axis=1) & bounds["minx"].between(-180, 180) & bounds["miny"].between(-90, 90)
    ]
    cells = np.floor(known / _BLOCK_DEG).astype(int).drop_duplicates()
    for west, south, east, north in cells.itertuples(index=False):
        yield shapely.box(west * _BLOCK_DEG, south * _BLOCK_DEG, (east + 1) * _BLOCK_DEG, (north + 1) * _BLOCK_DEG)
