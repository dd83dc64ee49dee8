"""What burned between two dates: indices, severity, perimeters, and how well a simulated image tells them."""

from itertools import pairwise
from typing import ClassVar, Final, Literal

from pydantic import Field, model_validator

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult

BurnIndex = Literal["ndvi", "evi", "msavi", "bai", "nbr"]
SeverityIndex = Literal["dnbr", "rbr", "dndvi"]
BURN_BANDS: Final[dict[BurnIndex, tuple[str, ...]]] = {
    "ndvi": ("red", "nir"),
    "evi": ("blue", "red", "nir"),
    "msavi": ("red", "nir"),
    "bai": ("red", "nir"),
    "nbr": ("nir08", "swir22"),
}
"""Index to the bands that it needs. NBR takes both at 20 m: B8A and B12."""
SEVERITY_OF: Final[dict[SeverityIndex, BurnIndex]] = {"dnbr": "nbr", "rbr": "nbr", "dndvi": "ndvi"}
"""Difference index to the index that it is made of."""


class Reflectances(Contract):
    """One image on the grid: band name to COG, int16 × 1e-4, nodata −32768."""

    bands: dict[str, File] = Field(min_length=1)
    sky: File | None = Field(
        default=None, description="Sky classes on the grid: cells under cloud, cirrus and shadow are unknown"
    )


class SeverityClass(Contract):
    """Values from `low` up to, but not including, `high`; of the highest class `high` is part."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40, description="Name, such as moderate_low")
    low: float = Field(ge=-1e6, le=1e6, description="Lowest value of the index")
    high: float = Field(ge=-1e6, le=1e6, description="Where the next class begins")
    colour: str = Field(default="", pattern=r"^(#[0-9A-Fa-f]{6})?$", description="#rrggbb; empty: from a ramp")


class SeverityTable(Contract):
    """Classes in rising order, each beginning where the one before ends. Their codes in rasters are 1, 2, …"""

    classes: tuple[SeverityClass, ...] = Field(min_length=2, max_length=100, description="From the lowest up")

    @model_validator(mode="after")
    def _ascending_without_gaps(self) -> "SeverityTable":
        for one in self.classes:
            if not one.low < one.high:
                raise ValueError(f"class {one.name}: low={one.low} must be below high={one.high}")
        for one, following in pairwise(self.classes):
            if one.high != following.low:
                raise ValueError(f"class {following.name} begins at {following.low}, {one.name} ends at {one.high}")
        names = [one.name for one in self.classes]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"classes occur twice: {repeated}")
        return self


class BurnRules(Contract):
    """How a burn is told."""

    index: SeverityIndex = Field(default="dnbr", description="Difference index of the severity classes")
    table: str = Field(
        default="",
        description="Name of a severity table in containers/gdal/rules/burn_severity.toml; empty: the index's own",
    )
    own_table: SeverityTable | None = Field(default=None, description="A severity table of your own instead")
    burned_from: str = Field(default="low", description="Lowest severity class that counts as burned")
    median_px: int = Field(default=3, ge=1, le=9, description="Edge of the median filter on the index, odd; 1: none")
    min_area_ha: float = Field(default=0.5, ge=0, le=1000, description="Smaller perimeters are left out")
    indices: tuple[BurnIndex, ...] = Field(
        default=("ndvi", "evi", "msavi", "bai", "nbr"), description="Indices that are written, as far as bands allow"
    )

    @model_validator(mode="after")
    def _can_be_followed(self) -> "BurnRules":
        if self.median_px % 2 == 0:
            raise ValueError(f"median_px={self.median_px} must be odd, so that the filter has a middle")
        if self.own_table and self.table:
            raise ValueError(f"give table={self.table!r} or own_table, not both")
        if self.own_table and self.burned_from not in {one.name for one in self.own_table.classes}:
            raise ValueError(
                f"burned_from={self.burned_from!r} is no class of own_table: "
                f"{[one.name for one in self.own_table.classes]}"
            )
        return self


class BurnResult(StepResult):
    indices: dict[str, File] = Field(
        description="<index>_before, <index>_after, d<index> (before − after), rbr, and the filtered index of the "
        "severity, <index>_median: float32 COGs, nodata NaN"
    )
    severity: File = Field(description="Severity classes, uint8 COG, CLASS_<code> in its tags, nodata 0")
    burned: File = Field(description="1 burned, 0 not, uint8 COG, nodata 255")
    perimeters: File = Field(
        description="GeoPackage, layer perimeters, on the grid's CRS: id, area_ha, mean_<index>; largest first"
    )
    areas: File = Field(description="CSV: class, name, cells, area_ha, share; class 0 is unknown")
    counts: File = Field(
        description="CSV as gdal.areas reads it: region_id (ALL), region_name, period, indicator (burned), cells, "
        "unknown_cells, total_cells"
    )
    names: dict[int, str] = Field(description="Severity code to name")
    colours: dict[int, str] = Field(description="Severity code to colour")


class BurnParams(StepParams):
    """Indices before and after, severity by table, burned cells and their perimeters."""

    step: ClassVar[str] = "gdal.burn"
    result: ClassVar[type[StepResult]] = BurnResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048)
    data_files: ClassVar[tuple[str, ...]] = ("rules/burn_severity.toml",)

    before: Reflectances
    after: Reflectances
    grid: Grid
    rules: BurnRules = BurnRules()
    period: str = Field(default="after", pattern=r"^[A-Za-z0-9_-]+$", description="Name of the time in the tables")


class CompareBurnsResult(StepResult):
    confusion: File = Field(
        description="CSV: where (all | hidden | seen), truth, then one column of cells per simulated class: "
        "severity classes of the truth (rows) against the simulated (columns)"
    )
    scores: File = Field(
        description="CSV: where (all | hidden | seen); precision, recall, f1, iou, accuracy, kappa of burned; "
        "severity_accuracy, macro_precision, macro_recall of severity; cells, burned_cells, unknown_cells, "
        "scar_hidden_share. Empty where a figure is not defined"
    )
    figure: File = Field(description="PNG of the confusion")
    f1: dict[str, float | None] = Field(description="F1 of burned, by where")
    scar_hidden_share: float | None = Field(description="Share of the true scar that is hidden; empty: no scar")


class CompareBurnsParams(StepParams):
    """Burned cells and severity of a true and of a simulated image, over all cells, hidden ones and seen ones apart.

    Hidden are cloud, cirrus and shadow, seen are clear and snow; where the sky is unknown, cells count in `all` only.
    """

    step: ClassVar[str] = "gdal.compare_burns"
    result: ClassVar[type[StepResult]] = CompareBurnsResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)

    truth_severity: File
    truth_burned: File
    severity: File
    burned: File
    sky: File = Field(description="Sky classes at t1: what hid the ground")


BURN_CLASSES: Final = {"burned": 1, "unburned": 0}
"""Class name to the code of burned rasters and of samples of them: give it to gdal.sample_classes and gdal.areas."""


class ChangeMapResult(StepResult):
    change: File = Field(description="1 changed, 0 not, uint8 COG, nodata 255")
    share: float = Field(ge=0, le=1, description="Share of the cells with data that changed")


class ChangeMapParams(StepParams):
    """PCA of difference blocks and k-means with two clusters (Celik 2009, doi 10.1109/LGRS.2009.2025059)."""

    step: ClassVar[str] = "gdal.change_map"
    result: ClassVar[type[StepResult]] = ChangeMapResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048)

    before: Reflectances
    after: Reflectances
    block_px: int = Field(default=4, ge=2, le=16, description="Edge of the blocks in cells")
    components: int = Field(default=3, ge=1, le=16, description="Principal components kept")
    erosion_px: int = Field(default=2, ge=0, le=10, description="Radius of the final erosion by a diamond in cells")
    sample_blocks: int = Field(
        default=20_000, ge=100, le=200_000, description="Blocks that PCA and clusters learn from"
    )
    seed: int = Field(default=2, ge=0, description="Seed of the sample and of the clusters")


class SharesResult(StepResult):
    shares: File = Field(
        description="CSV: by (land_cover | slope | aspect), class, name, severity, cells, area_ha, share_of_class: "
        "among the cells of the class whose severity is known; empty for unknown severity"
    )


class SharesParams(StepParams):
    """Severity by land cover, slope and aspect. Class codes are taken by nearest neighbour, never interpolated."""

    step: ClassVar[str] = "gdal.shares"
    result: ClassVar[type[StepResult]] = SharesResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)
    data_files: ClassVar[tuple[str, ...]] = ("rules/terrain_classes.toml",)

    severity: File
    grid: Grid
    slope: File | None = None
    aspect: File | None = None
    land_cover: File | None = Field(default=None, description="A class raster in any CRS")
    land_cover_names: dict[int, str] = Field(default={}, description="Code to name")

    @model_validator(mode="after")
    def _something_to_tell_apart_by(self) -> "SharesParams":
        if not (self.slope or self.aspect or self.land_cover):
            raise ValueError("give slope, aspect or land_cover: there is nothing to tell severity apart by")
        return self
