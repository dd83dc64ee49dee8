"""The form of the flow `pasture_types`."""

import re

from pydantic import Field, model_validator

from containers.base.contract.model import Contract
from containers.gdal.contract.calendar import NEAR_VIEWS
from containers.gdal.contract.cut import ProductSource
from containers.gdal.contract.fill import Filling
from containers.gdal.contract.productivity import Season
from containers.gdal.contract.sites import DuplicateDates, SpectraFields
from containers.gdal.contract.survey import PointRule, SurveyFields
from containers.gdal.contract.type_features import FeatureRecipe
from containers.tensorflow.contract.types import TypeTraining
from tasks.parameters.source import Source


class Pastures(Contract):
    """The stencils: where pastures are."""

    paths: tuple[str, ...] = Field(
        min_length=1, description="Outlines of the pastures: GeoPackages, GeoJSON or Shapefiles, each in any CRS"
    )
    id_field: str = Field(default="pasture_id", description="Attribute with the pasture's identifier")
    name_field: str = Field(default="", description="Attribute with its name; empty: the identifier")


class Survey(Contract):
    """Ground truth: what grows where, as somebody has seen it."""

    paths: tuple[str, ...] = Field(
        default=(), description="Points or polygons of the survey, any CRS; empty: a trained model is used"
    )
    fields: SurveyFields = SurveyFields(class_code="class_code")
    points: PointRule = Field(
        default="pixel", description="pixel: polygons become cells; lower_left: the earlier system's own grid"
    )
    unclassed: tuple[str, ...] = Field(default=("",), description="Codes that are no class; NA is one unless named")


class PastureTime(Contract):
    """Which years, and how far the search reaches beyond them."""

    years: tuple[int, ...] = Field(min_length=1, description="Years with a map each, such as 2023, 2024")
    days_before: int = Field(default=0, ge=0, le=366, description="Days of scenes before the first year")
    days_after: int = Field(default=0, ge=0, le=366, description="Days of scenes after the last year")


class Reflectance(Contract):
    """Whose surface reflectance is used. A model trained on one kind refuses the other."""

    source: ProductSource = Field(default="esa", description="esa: products of the archive; maja: ZIPs of THEIA")
    maja_folder: str = Field(default="", description="maja: folder of THEIA L2A ZIPs")
    snow_folder: str = Field(default="", description="maja: folder of THEIA snow ZIPs")
    max_cloud: float = Field(default=90.0, ge=0, le=100, description="esa: largest cloud share by metadata in percent")
    min_valid_share: float = Field(
        default=0.01, ge=0, le=1, description="esa: smallest share of the pastures within the tile that it must cover"
    )
    unmasked: bool = Field(
        default=False, description="Also use products that lack a mask: their clouds are told as not known"
    )


class TypesLearning(Contract):
    """The classifier."""

    model_href: str = Field(default="", description="Folder of a trained model; empty: train one on the survey")
    training: TypeTraining = TypeTraining()
    allow_simulated_model: bool = Field(
        default=False, description="Let a model that was trained on simulated data classify real pastures"
    )


class TerrainSource(Contract):
    """Heights, where features ask for them."""

    dem: tuple[str, ...] = Field(
        default=(), description="DEM rasters; empty: the Copernicus DEM of the archive, by the area"
    )


class PastureCalendar(Contract):
    """How a pasture's year is told."""

    filling: Filling = NEAR_VIEWS
    season: Season = Season()
    forage_ndvi: float = Field(default=0.4, gt=0, lt=1, description="NDVI from which there is green forage")


class TypesTruth(Contract):
    """What really grows, where somebody knows."""

    types: dict[str, str] = Field(default={}, description="MGRS tile to a raster of true types")
    names: dict[int, str] = Field(default={}, description="Code in those rasters to the type's name")
    points: int = Field(default=1000, ge=10, description="Reference points read from them, for the intervals of areas")
    seed: int = Field(default=0, ge=0, description="Seed of their draw")


class PastureTypesParams(Contract):
    """Which vegetation grows on which alpine pasture, and what the year was like there."""

    name: str = Field(default="pasture-types", description="Name of the product: the folder it is published in")
    pastures: Pastures
    survey: Survey = Survey()
    spectra: str = Field(
        default="",
        description="NetCDF of spectra at survey sites, ours or another system's, to train on in place of a survey",
    )
    spectra_fields: SpectraFields = SpectraFields()
    source: Source = Source()
    time: PastureTime
    reflectance: Reflectance = Reflectance()
    duplicate_dates: DuplicateDates = Field(
        default="clearest", description="Two slices of one tile and day: keep the clearer one, or all"
    )
    features: FeatureRecipe = FeatureRecipe()
    terrain: TerrainSource = TerrainSource()
    learning: TypesLearning = TypesLearning()
    calendar: PastureCalendar = PastureCalendar()
    truth: TypesTruth = TypesTruth()
    output: str = Field(default="", description="Folder for the published product; empty: <state>/products")

    @model_validator(mode="after")
    def _can_run(self) -> "PastureTypesParams":
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", self.name):
            raise ValueError(f"name {self.name!r} must be letters, digits, '_', '.', '-' only: it names a folder")
        given = {
            "survey.paths": self.survey.paths,
            "spectra": self.spectra,
            "learning.model_href": self.learning.model_href,
        }
        if len(named := [name for name, value in given.items() if value]) != 1:
            raise ValueError(f"give one of {', '.join(given)} to know types by; given are {named or 'none'}")
        if (self.reflectance.source == "maja") != bool(self.reflectance.maja_folder):
            raise ValueError("reflectance.maja_folder belongs to reflectance.source: maja, which needs it")
        if list(self.time.years) != sorted(set(self.time.years)):
            raise ValueError(f"time.years must ascend: {list(self.time.years)}")
        return self
