"""What burned between two dates: indices, severity, perimeters, and how well a simulated image tells them."""

from typing import ClassVar, Literal

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult

BurnIndex = Literal["ndvi", "evi", "msavi", "bai", "nbr"]
SeverityIndex = Literal["dnbr", "rbr", "dndvi"]


class Reflectances(Contract):
    """One image on the grid: band name to COG, int16 × 1e-4, nodata −32768."""

    bands: dict[str, File] = Field(min_length=1)


class BurnRules(Contract):
    """How a burn is told."""

    index: SeverityIndex = Field(default="dnbr", description="Difference index of the severity classes")
    table: str = Field(
        default="", description="Severity table below containers/gdal/rules; empty: the index's own, cited there"
    )
    burned_from: str = Field(default="low", description="Lowest severity class that counts as burned")
    median_px: int = Field(default=3, ge=1, le=9, description="Edge of the median filter on the index, odd; 1: none")
    min_area_ha: float = Field(default=0.5, ge=0, le=1000, description="Smaller perimeters are left out")


class BurnResult(StepResult):
    indices: dict[str, File] = Field(description="ndvi, nbr, … of both dates and the differences, float32 COGs, NaN")
    severity: File = Field(description="Severity classes, uint8 COG, legend in its tags, nodata 0")
    burned: File = Field(description="1 burned, 0 not, uint8 COG, nodata 255")
    perimeters: File = Field(description="GeoPackage: perimeter, area_ha, mean of the index; on the grid's CRS")
    areas: File = Field(description="CSV: class, name, cells, area_ha, share")


class BurnParams(StepParams):
    """Indices before and after, severity by table, burned cells and their perimeters."""

    step: ClassVar[str] = "gdal.burn"
    result: ClassVar[type[StepResult]] = BurnResult
    resources: ClassVar[Resources] = Resources(memory_mb=1536)
    data_files: ClassVar[tuple[str, ...]] = ("rules/burn_severity.toml",)

    before: Reflectances
    after: Reflectances
    grid: Grid
    rules: BurnRules = BurnRules()


class CompareBurnsResult(StepResult):
    confusion: File = Field(description="CSV: severity classes of the truth (rows) against the simulated (columns)")
    scores: File = Field(
        description="CSV: where (all | hidden | seen), precision, recall, f1, iou, accuracy, kappa of burned, macro "
        "precision and macro recall of severity, cells, burned_cells, scar_hidden_share"
    )
    figure: File = Field(description="PNG of the confusion")


class CompareBurnsParams(StepParams):
    """Burned cells and severity of a true and of a simulated image, over all cells, hidden ones and seen ones apart."""

    step: ClassVar[str] = "gdal.compare_burns"
    result: ClassVar[type[StepResult]] = CompareBurnsResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)

    truth_severity: File
    truth_burned: File
    severity: File
    burned: File
    sky: File = Field(description="Sky classes at t1: what hid the ground")


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
    seed: int = Field(default=2, ge=0, description="Seed of the sample and of the clusters")


class SharesResult(StepResult):
    shares: File = Field(
        description="CSV: by (land_cover | slope | aspect), class, name, severity, cells, area_ha, share_of_class"
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
