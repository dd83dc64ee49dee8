"""Reference sample and design-based area estimates."""

from typing import ClassVar, Final

from pydantic import Field, model_validator

from containers.base.contract.files import File
from containers.base.contract.legend import CLASSES
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult

REGION_SEPARATOR = ";"
"""Joins the ids of the regions that hold a point of a sample."""
LAND_COVER: Final = {cover.name.lower(): int(cover) for cover in CLASSES}
"""Class name to code."""


class SampleResult(StepResult):
    sample: File = Field(
        description="CSV: point_id, x_m, y_m, stratum, inclusion_probability, region_id (several joined by ;), "
        "<period>… (reference class), map_<period>… (mapped class)"
    )
    strata: File = Field(description="CSV: stratum, cells, area_ha, points; the row unknown is not sampled")
    stratum_map: File | None = Field(default=None, description="Stratum codes, uint8, COG; names are its tags")


class Drawing(Contract):
    """How many points are drawn, and where."""

    regions: File | None = None
    region_id_field: str = "region_id"
    points: int = Field(default=1500, ge=10, description="Total sample size")
    min_per_stratum: int = Field(default=50, ge=2, description="Points in every stratum, as far as the total reaches")
    buffer_m: float = Field(default=60.0, ge=0, description="Width of the stratum around mapped change in metres")
    seed: int = Field(default=0, ge=0, description="Seed of the draw")


class SampleParams(Drawing, StepParams):
    """Draw a stratified random sample of cells from a class history; read the reference class where truth is given.

    Strata: stable per class; new impervious and new green per pair of periods (pooled over pairs where the points do
    not reach); other change; and, where omitted change hides, stable cells near mapped change or likely to have
    changed. Cells that are unknown in any period are outside the sampling frame, and their area is reported.
    """

    step: ClassVar[str] = "gdal.sample"
    result: ClassVar[type[StepResult]] = SampleResult
    resources: ClassVar[Resources] = Resources(memory_mb=1536)

    classes: dict[str, File] = Field(min_length=2, description="Period to class raster, in the order of time")
    change_probability: File | None = Field(
        default=None, description="Probability of any change, uint8 × 1/250, nodata 255: sets doubtful cells apart"
    )
    doubt: float = Field(
        default=0.01, gt=0, le=1, description="Change probability from which a stable cell is doubtful"
    )
    reference: dict[str, File] = Field(
        default={}, description="Period to a raster of reference classes; empty: left blank"
    )

    @model_validator(mode="after")
    def _reference_periods_are_mapped(self) -> "SampleParams":
        if unknown := set(self.reference) - set(self.classes):
            raise ValueError(f"reference periods {sorted(unknown)} are not among the mapped ones {list(self.classes)}")
        return self


class SampleClassesParams(Drawing, StepParams):
    """Draw a stratified random sample of cells from one map of classes; read the reference class where it is given.

    Strata: every mapped class, doubtful cells apart; with `beside`, that class, cells near it, and the other class.
    Cells of any other code are unknown: outside the sampling frame, and their area is reported.
    """

    step: ClassVar[str] = "gdal.sample_classes"
    result: ClassVar[type[StepResult]] = SampleResult
    resources: ClassVar[Resources] = Resources(memory_mb=1536)

    mapped: File = Field(description="Class codes, uint8")
    classes: dict[str, int] = Field(
        min_length=1, description="Class name to its code; classes that are never mapped may be in the reference"
    )
    doubtful: int | None = Field(
        default=None, ge=0, le=255, description="Code of cells whose class the map leaves open"
    )
    outside: int | None = Field(default=None, ge=0, le=255, description="Code of cells that are no part of the map")
    beside: str = Field(
        default="", description="Of two classes the rare one, which is overlooked near where it is mapped (`buffer_m`)"
    )
    period: str = Field(pattern=r"^[A-Za-z0-9_-]+$", description="As in the counts that areas are estimated from")
    reference: File | None = Field(
        default=None, description="The true class, in any CRS; empty: the column is left blank"
    )
    reference_names: dict[int, str] = Field(
        default={}, description="Code in the reference to class, where its codes are not the map's"
    )

    @model_validator(mode="after")
    def _strata_are_told_apart(self) -> "SampleClassesParams":
        if self.beside and (self.beside not in self.classes or len(self.classes) != 2 or self.doubtful is not None):
            raise ValueError(f"beside={self.beside!r} needs a map of two classes, one of them that: {self.classes}")
        if taken := {"unknown", "doubtful"} & set(self.classes):
            raise ValueError(f"{sorted(taken)} are names of strata, not of classes")
        codes = [*self.classes.values(), *(code for code in (self.doubtful, self.outside) if code is not None)]
        if len(set(codes)) < len(codes) or not all(0 <= code <= 255 for code in codes):
            raise ValueError(f"codes must be 0 to 255 and differ: {codes}")
        if strange := sorted(set(self.reference_names.values()) - set(self.classes)):
            raise ValueError(f"reference_names has {strange}, which are no classes: {list(self.classes)}")
        return self


class AreasResult(StepResult):
    estimates: File = Field(
        description="CSV: region_id, period, indicator, value, lower, upper, standard_error, unit, interval_basis, "
        "pixel_count_ha, unknown_share, n_points, n_change_points"
    )
    accuracy: File | None = Field(
        default=None, description="CSV: overall, user's and producer's accuracy with 95 % intervals"
    )


class AreasParams(StepParams):
    """Stratified estimators of area and accuracy with regions as domains (Olofsson et al. 2014; Stehman 2014).

    Without a sample the interval is empty and `interval_basis` is `none`: pixel counts are no estimate.
    """

    step: ClassVar[str] = "gdal.areas"
    result: ClassVar[type[StepResult]] = AreasResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)

    classes: dict[str, int] = Field(
        default=LAND_COVER,
        min_length=1,
        description="Class name to its code in the sample: the indicators <class> and new_<class> are told by it",
    )
    counts: File = Field(
        description="CSV of the zonal step: region_id, period, indicator, cells, unknown_cells, total_cells"
    )
    cell_area_ha: float = Field(gt=0, description="Area of one cell in hectares")
    sample: File | None = Field(default=None, description="Reference sample, as made by gdal.sample and filled in")
    strata: File | None = Field(default=None, description="Strata of that sample with their cells")
    doubtful: int | None = Field(
        default=None, description="Code in the sample of cells whose class the map leaves open: of no class as mapped"
    )
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
