"""What a classifier of vegetation types sees: index curves on one time axis, seasons, terrain."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult
from containers.gdal.contract.cut import Slice
from containers.gdal.contract.fill import Filling

TypeIndex = Literal[
    "ndvi", "evi", "msavi2", "ndmi", "nbr", "ndre", "ndsi", "ndti", "psri", "tcb", "tcg", "tcw"
]  # fmt: skip
_COMMON_YEAR = 2001
"""29 February is no day of the time axis, which is the same in every year."""

FeatureSet = Literal["curves", "bands", "medians", "season", "terrain"]


class FeatureRecipe(Contract):
    """How features are made of a year of spectra. A model keeps its own."""

    sets: tuple[FeatureSet, ...] = Field(
        default=("curves", "bands", "medians", "season"),
        min_length=1,
        description="curves: gap-filled indices on the time axis; bands: gap-filled reflectance; medians: of bands and "
        "indices per period; season: start, peak, end; terrain: height, slope, aspect, solar exposure",
    )
    indices: tuple[TypeIndex, ...] = Field(
        default=("ndvi", "ndmi", "ndsi", "ndti", "psri", "ndre"),
        description="Formulas: containers/gdal/type_indices.py",
    )
    first: str = Field(default="04-01", pattern=r"^\d{2}-\d{2}$", description="First day of the time axis, MM-DD")
    last: str = Field(default="10-31", pattern=r"^\d{2}-\d{2}$", description="Last day of the time axis, MM-DD")
    every_days: int = Field(default=10, ge=1, le=60, description="Days between two dates of the axis")
    periods: int = Field(default=8, ge=1, le=24, description="Periods of equal length that medians are taken of")
    filling: Filling = Filling(engine="linear", dip=0)
    min_observations: int = Field(default=4, ge=1, description="Sites and cells seen less often have no features")
    mask_snow: bool = Field(
        default=False,
        description="Leave out spectra of snow. It hides the vegetation, but when it melts tells what grows there",
    )

    @field_validator("first", "last")
    @classmethod
    def _is_a_day(cls, day: str) -> str:
        date.fromisoformat(f"{_COMMON_YEAR}-{day}")
        return day

    @model_validator(mode="after")
    def _in_order(self) -> "FeatureRecipe":
        if self.first >= self.last:
            raise ValueError(f"first={self.first} is not before last={self.last}")
        return self


class Terrain(Contract):
    """Heights and slopes on a grid."""

    height: File = Field(description="Metres, float32, any CRS; the pixel that holds the place is read")
    slope: File = Field(description="Degrees")
    aspect: File = Field(description="Degrees clockwise from north; −1 flat")


class SiteFeaturesResult(StepResult):
    features: File = Field(
        description="Parquet, one row per site and year: site_id, year, class_code, group, massif, polygon_id, source, "
        "simulated, observations, then one float32 column per feature; columns named `plain …` are for the plain "
        "forest that classifiers are compared with; metadata `recipe` is the recipe as JSON"
    )
    names: tuple[str, ...] = Field(min_length=1, description="The features, in the order of the columns")
    left_out: dict[str, int] = Field(default={}, description="Reason to the number of sites and years without features")


class SiteFeaturesParams(StepParams):
    """Features of survey sites, one row per site and year."""

    step: ClassVar[str] = "gdal.site_features"
    result: ClassVar[type[StepResult]] = SiteFeaturesResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048)

    dataset: File = Field(description="NetCDF-4 of the step `site_dataset` or `import_spectra`")
    recipe: FeatureRecipe = FeatureRecipe()
    terrain: tuple[Terrain, ...] = Field(default=(), description="Needed by the set terrain: one per tile")


class PastureFeaturesResult(StepResult):
    features: File = Field(
        description="HDF5: `values` (feature, y, x) float32, NaN outside and where seen too little; `inside` (y, x) "
        "uint8, 1 in the outline; `feature`, the names; attributes pasture_id, year, source, simulated, recipe, grid"
    )
    grid: Grid
    names: tuple[str, ...]
    cells: int = Field(ge=0, description="Cells inside the outline")
    known: int = Field(ge=0, description="Cells with features")


class PastureFeaturesParams(StepParams):
    """Features of every cell of one pasture in one year: the same numbers as those of a site in that cell."""

    step: ClassVar[str] = "gdal.pasture_features"
    result: ClassVar[type[StepResult]] = PastureFeaturesResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048)

    slices: tuple[Slice, ...] = Field(min_length=1, description="Of one tile, over the year and what filling needs")
    outline: File = Field(description="GeoParquet with a row per pasture: pasture_id, geometry in any CRS")
    pasture_id: str
    grid: Grid = Field(description="Window of the tile's 10 m grid around the pasture")
    year: int = Field(ge=2015, le=2100)
    recipe: FeatureRecipe = FeatureRecipe()
    terrain: Terrain | None = Field(default=None, description="Needed by the set terrain")

    @model_validator(mode="after")
    def _has_terrain(self) -> "PastureFeaturesParams":
        if "terrain" in self.recipe.sets and self.terrain is None:
            raise ValueError("the recipe has the set terrain: give the terrain of the tile")
        return self
