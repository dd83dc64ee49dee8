"""The form of the flow `vegetation_productivity`."""

import re

from pydantic import Field, model_validator

from containers.base.contract.model import Contract
from containers.gdal.contract.fill import Filling
from containers.gdal.contract.mask import MaskRules
from containers.gdal.contract.productivity import METRICS, Place, Season
from containers.gdal.contract.series import IndexName
from tasks.catalogue.backgrounds import Backgrounds
from tasks.parameters.source import Source

L1C_SOURCE = Source(collection="sentinel-2-l1c", level="L1C")


class SeriesTime(Contract):
    """Which years, and how far the search reaches beyond them."""

    years: tuple[int, ...] = Field(min_length=1, description="Years with a season each, such as 2019, 2020")
    days_before: int = Field(
        default=92, ge=0, le=366, description="Days of scenes before the first year: seasons begin there"
    )
    days_after: int = Field(default=92, ge=0, le=366, description="Days of scenes after the last year")


class Area(Contract):
    """Where: a coarse outline to search by, and the precise land to keep."""

    aoi: str = Field(
        default="",
        description="Coarse area for the search: 'west,south,east,north' in degrees, WKT, GeoJSON or a vector file; "
        "empty: the land, else the regions",
    )
    land: str = Field(
        default="", description="Vector file of the precise land; cells elsewhere are no data; empty: all is land"
    )
    epsg: int = Field(default=3035, description="EPSG code of the analysis grid; equal-area for statistics")
    resolution_m: float = Field(default=20.0, gt=0, description="Cell size of the analysis grid in metres")
    window_px: int = Field(
        default=2048, ge=256, le=16_384, multiple_of=256, description="The grid is worked on in windows of this size"
    )


class Visibility(Contract):
    """Which scenes are read, and how clouds are told from ground."""

    max_cloud: float = Field(default=90.0, ge=0, le=100, description="Largest cloud share by metadata in percent")
    min_valid_share: float = Field(
        default=0.05, ge=0, le=1, description="Smallest share of the AOI within the tile that a scene must cover"
    )
    rules: MaskRules = MaskRules()
    backgrounds: Backgrounds = Backgrounds()
    model_href: str = Field(default="", description="File of a trained mask model; empty: the engine without one")
    weights_href: str = Field(default="", description="Weights of the engine s2cloudless or omnicloudmask")
    allow_simulated_model: bool = Field(
        default=False, description="Let a model that was trained on simulated scenes mask real ones"
    )
    imported_masks: str = Field(
        default="", description="Folder of masks that were exported before: they are used instead of computing them"
    )
    resolution_m: float = Field(default=60.0, ge=10, le=120, description="Cell size of the mask in metres")
    background_resolution_m: float = Field(
        default=240.0, ge=10, le=960, description="Cell size of background images: a multiple of the mask's"
    )


class Comparison(Contract):
    """What a year is compared with."""

    metric: str = Field(default="integral", description=f"One of {', '.join(METRICS[:-1])}")
    reference_years: tuple[int, ...] = Field(default=(), description="Years that make the mean; empty: all of the run")
    worst_quality: int = Field(default=4, ge=1, le=10, description="Cells of lower quality are left out")

    @model_validator(mode="after")
    def _known_metric(self) -> "Comparison":
        if self.metric not in METRICS[:-1]:
            raise ValueError(f"metric {self.metric!r} is none of {', '.join(METRICS[:-1])}")
        return self


class SeriesRegions(Contract):
    """The regions that curves and tables are made for."""

    path: str = Field(description="Polygon file, such as the GISCO NUTS file")
    id_field: str = Field(default="NUTS_ID", description="Attribute with the region's identifier")
    name_field: str = Field(default="NAME_LATN", description="Attribute with the region's name")


class VegetationProductivityParams(Contract):
    """How the vegetation did, per cell, region and year: an index series without clouds, and its seasons."""

    name: str = Field(default="vegetation-productivity", description="Name of the product: its folder")
    area: Area = Area()
    source: Source = L1C_SOURCE
    time: SeriesTime
    index: IndexName = Field(default="ndvi", description="Vegetation index")
    visibility: Visibility = Visibility()
    # The curve itself: on the date of an observation, its noise would move the season's start and end.
    filling: Filling = Filling(observed_wins=False)
    every_days: int = Field(
        default=10, ge=0, le=60, description="Days between the filled dates; 0: the dates of the observations"
    )
    season: Season = Season()
    comparison: Comparison = Comparison()
    regions: SeriesRegions
    places: tuple[Place, ...] = Field(default=(), max_length=200, description="Points to draw the series of")
    output: str = Field(default="", description="Folder for the published product; empty: <state>/products")

    @model_validator(mode="after")
    def _can_run(self) -> "VegetationProductivityParams":
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", self.name):
            raise ValueError(f"name {self.name!r} must be letters, digits, '_', '.', '-' only: it names a folder")
        if self.visibility.background_resolution_m % self.visibility.resolution_m:
            raise ValueError("visibility.background_resolution_m must be a multiple of visibility.resolution_m")
        years = self.time.years
        if list(years) != list(range(min(years), max(years) + 1)):
            raise ValueError(f"time.years must be consecutive and ascend: {list(years)}")
        if strange := set(self.comparison.reference_years) - set(years):
            raise ValueError(f"comparison.reference_years {sorted(strange)} are not among time.years")
        return self
