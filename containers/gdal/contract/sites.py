"""Spectra of survey sites along time: one file with one site dimension, and what is wrong with it.

NetCDF-4 after CF 1.11. Dimensions `time` (one per slice), `site`, `band`. `reflectance(time, site, band)` float32, NaN
where there is none; `cloud`, `shadow`, `snow` (time, site) int8, 1, 0, −1 not known; per slice `product_id`, `tile`,
`platform`, `level`, `orbit` (0 not known), `baseline`, `source`, `simulated`, `mask_share` (of the sites, those without
a value or with cloud, shadow or snow), `unmasked`; per site `site_id`, `class_code`, `group`, `massif`, `polygon_id`,
`tile_of_site`, `epsg` (0 not known), `x_m`, `y_m`, `lon`, `lat`. Texts that are not known are empty.
"""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult
from containers.gdal.contract.cut import ProductSource, Slice

DuplicateDates = Literal["clearest", "all"]


class SiteSpectraResult(StepResult):
    dataset: File = Field(description="NetCDF-4, see the module's description")
    sites: int = Field(ge=1)
    slices: int = Field(ge=1)


class SiteSpectraParams(StepParams):
    """Read the cell of every site in every slice of one tile."""

    step: ClassVar[str] = "gdal.site_spectra"
    result: ClassVar[type[StepResult]] = SiteSpectraResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)

    sites: File = Field(description="GeoParquet of the step `survey`")
    slices: tuple[Slice, ...] = Field(min_length=1, description="Of one tile")

    @model_validator(mode="after")
    def _are_of_one_tile(self) -> "SiteSpectraParams":
        if len(tiles := sorted({item.tile for item in self.slices})) > 1:
            raise ValueError(f"slices are of the tiles {', '.join(tiles)}: give those of one")
        return self


class SpectraFields(Contract):
    """Names in a NetCDF file of spectra that another system wrote, upper and lower case alike."""

    site_id: str = Field(default="Id_sitesAS", description="Variable of the site's name")
    class_code: str = Field(default="Typo_Veget", description="Variable of the vegetation class; absent: no classes")
    group: tuple[str, ...] = Field(
        default=("ALPAGE", "nom_massif"),
        description="Variables of what sites have in common: the first that is not empty, else the letters of the id",
    )
    massif: str = Field(default="nom_massif", description="Variable of the massif")
    x_m: str = Field(default="x", description="Variable of the easting")
    y_m: str = Field(default="y", description="Variable of the northing")


class ImportSpectraParams(StepParams):
    """Take a file of spectra in as a dataset: nodata (−1.0, −0.1) becomes NaN, bands go by their names."""

    step: ClassVar[str] = "gdal.import_spectra"
    result: ClassVar[type[StepResult]] = SiteSpectraResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)

    spectra: File = Field(description="NetCDF-4: a dataset of ours, or B02 … B12 (time, site) with site columns")
    fields: SpectraFields = SpectraFields()
    source: ProductSource = Field(default="maja", description="Who made the reflectance, where the file does not say")
    simulated: bool = Field(default=False, description="Whether the spectra are simulated, where the file does not say")
    epsg: int = Field(
        default=0, ge=0, description="CRS of easting and northing, where the file does not say; 0: not known"
    )


class SiteDatasetResult(StepResult):
    dataset: File = Field(description="NetCDF-4, see the module's description")
    table: File = Field(description="Parquet: one row per site, slice and band that has a value, with the site's class")
    report: dict[str, File] = Field(
        description="CSV: classes, observations (site, month), gaps (site), suspicious (spectra), slices, duplicates"
    )
    figures: dict[str, File] = Field(description="PNG: classes, observations, spectra")
    sites: int = Field(ge=1)
    slices: int = Field(ge=1)


class SiteDatasetParams(StepParams):
    """Join datasets of tiles and years to one."""

    step: ClassVar[str] = "gdal.site_dataset"
    result: ClassVar[type[StepResult]] = SiteDatasetResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048)

    parts: tuple[File, ...] = Field(min_length=1, description="NetCDF-4 datasets")
    duplicate_dates: DuplicateDates = Field(
        default="clearest",
        description="Two slices of one tile and day: the one with the smaller mask share is kept, or both are",
    )
    max_gap_days: int = Field(default=45, ge=1, description="Longer gaps of a site between April and October are told")
