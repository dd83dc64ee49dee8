"""Reference sample and design-based area estimates."""

from typing import ClassVar

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.step import Resources, StepParams, StepResult


class SampleResult(StepResult):
    sample: File = Field(description="CSV: point_id, x_m, y_m, stratum, inclusion_probability, region_id, <period>…")
    strata: File = Field(description="CSV: stratum, cells, area_ha, points")


class SampleParams(StepParams):
    """Draw a stratified random sample of cells from a stratum map; read the reference class where a truth raster is given.

    Strata are the cells' from–to history over all periods, grouped: stable per class, new impervious, new green,
    other change, and a buffer around change, where omitted change hides.
    """

    step: ClassVar[str] = "gdal.sample"
    result: ClassVar[type[StepResult]] = SampleResult
    resources: ClassVar[Resources] = Resources(memory_mb=1536)

    classes: dict[str, File] = Field(min_length=2, description="Period to class raster")
    regions: File | None = None
    region_id_field: str = "nuts_id"
    reference: dict[str, File] = Field(default={}, description="Period to a raster of reference classes; empty: left blank")
    points: int = Field(default=1500, ge=10, description="Total sample size")
    min_per_stratum: int = Field(default=75, ge=2)
    buffer_m: float = Field(default=60.0, ge=0, description="Width of the stratum around mapped change in metres")
    seed: int = 0


class AreasResult(StepResult):
    estimates: File = Field(
        description="CSV: region_id, period, indicator, value, lower, upper, standard_error, unit, interval_basis, "
        "pixel_count_ha, unknown_share, n_points, n_change_points"
    )
    accuracy: File | None = Field(default=None, description="CSV: overall, user's and producer's accuracy with 95 % intervals")


class AreasParams(StepParams):
    """Stratified estimators of area and accuracy with regions as domains (Olofsson et al. 2014; Stehman 2014).

    Without a sample the interval is empty and `interval_basis` is `none`: pixel counts are no estimate.
    """

    step: ClassVar[str] = "gdal.areas"
    result: ClassVar[type[StepResult]] = AreasResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)

    counts: File = Field(description="CSV of the zonal step: region_id, period, indicator, cells, unknown_cells, total_cells")
    cell_area_ha: float = Field(gt=0, description="Area of one cell in hectares")
    sample: File | None = Field(default=None, description="Reference sample, as made by gdal.sample and filled in")
    strata: File | None = Field(default=None, description="Strata of that sample with their cells")
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
