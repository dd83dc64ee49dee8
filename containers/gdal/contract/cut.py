"""One acquisition of one tile, cut to stencils: bands and mask layers on the tile's own pixel grid.

A *tile cube* is the slices of one tile; a *slice* is one acquisition of it; a *band* is reflectance, a *layer* a mask
of cloud, shadow or snow that the product says; a *mask* is what a rule makes of layers.
"""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.scene import BandName, Level, Scene
from containers.base.contract.step import Resources, StepParams, StepResult

ProductSource = Literal["esa", "maja"]
LayerName = Literal["cloud", "shadow", "snow"]
LAYERS: tuple[LayerName, ...] = ("cloud", "shadow", "snow")
"""Bands of a slice's layers, in this order: 1 yes, 0 no, 255 not known."""
LAYER_UNKNOWN = 255
TEN_BANDS: tuple[BandName, ...] = (
    "blue", "green", "red", "rededge071", "rededge075", "rededge078", "nir", "nir08", "swir16", "swir22",
)  # fmt: skip


class MajaProduct(Contract):
    """One THEIA L2A product (MAJA) in its ZIP, and the snow product (LIS) of its date."""

    id: str = Field(description="Product name without .zip")
    platform: str = Field(pattern=r"^S2[A-D]$")
    tile: str = Field(pattern=r"^\d{2}[A-Z]{3}$", description="MGRS tile, such as 31TGK")
    acquired: datetime
    version: str = Field(description="Processing version of the name, such as 1-4")
    archive: File
    snow: File | None = Field(default=None, description="ZIP of the snow product; None: there is none of that date")
    simulated: bool = False

    @property
    def baseline(self) -> str:
        """What stands for the processing baseline of ESA's products."""
        return self.version


class Slice(StepResult):
    """What the stencils let through of one acquisition of one tile."""

    source: ProductSource
    product_ids: tuple[str, ...] = Field(min_length=1, description="Products that it was cut from")
    platform: str
    tile: str
    acquired: datetime
    level: Level
    orbit: int | None = Field(description="Relative orbit; None where the product does not say")
    baseline: str = Field(description="Processing baseline or version")
    simulated: bool
    grid: Grid = Field(description="Window of the tile's 10 m pixel grid around the stencils")
    bands: File = Field(
        description="Tiled GeoTIFF, int16 × 1e-4, nodata −32768, bands by their descriptions, which are band names; "
        "blocks that no stencil touches are sparse"
    )
    layers: File = Field(description="The same grid, uint8: bands cloud, shadow, snow; 1 yes, 0 no, 255 not known")
    shares: dict[str, float] = Field(
        description="valid: share of the stencils' cells inside the tile with data; cloud, shadow, snow: share of the "
        "valid ones"
    )
    unmasked: tuple[LayerName, ...] = Field(default=(), description="Layers that the product lacks: not known anywhere")


class CutParams(StepParams):
    """Cut one product: bands by name at 10 m (coarser ones repeated, never interpolated), layers nearest."""

    step: ClassVar[str] = "gdal.cut"
    result: ClassVar[type[StepResult]] = Slice
    resources: ClassVar[Resources] = Resources(memory_mb=2048, network=True, connections=2)
    data_files: ClassVar[tuple[str, ...]] = (
        "rules/scl_layers.toml", "rules/maja_layers.toml", "rules/l1c_layers.toml",
    )  # fmt: skip

    parts: tuple[Scene, ...] = Field(default=(), description="ESA: one product, or the halves of one datatake")
    quality_masks: tuple[File, ...] = Field(
        default=(), description="L1C: MSK_CLASSI_B00.jp2 or MSK_CLOUDS_B00.gml, one per part"
    )
    maja: MajaProduct | None = Field(default=None, description="THEIA: the product")
    stencils: File = Field(description="GeoParquet of polygons and points in any CRS: everything cut lies in them")
    bands: tuple[BandName, ...] = Field(default=TEN_BANDS, min_length=1)
    missing_masks: Literal["refuse", "flag"] = Field(
        default="refuse", description="A product without a mask is refused, or its layers are told to be not known"
    )

    @model_validator(mode="after")
    def _is_one_product(self) -> "CutParams":
        if bool(self.parts) == bool(self.maja):
            raise ValueError("give either parts (ESA) or maja (THEIA)")
        return self
