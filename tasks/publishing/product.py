"""What a run publishes, in terms that every flow shares: layers on one grid, periods, sources."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.scene import Scene
from containers.gdal.contract.cut import MajaProduct
from tasks.periods import Period

SourceProduct = Scene | MajaProduct


class Layer(Contract):
    """One raster of the product, a COG."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", description="Names its file and its STAC item")
    title: str
    file: File
    grid: Grid | None = Field(default=None, description="Its own grid; None: that of the product")
    periods: tuple[str, ...] = Field(min_length=1, description="Labels of the periods that it was made from, in order")
    bands: tuple[str, ...] = Field(min_length=1, description="What each band holds")
    nodata: int | Literal["nan"] | None
    dtype: Literal["uint8", "uint16", "int16", "float32"] = "uint8"
    scale: float = Field(default=1.0, description="Quantity = value × scale")
    units: tuple[str, ...] = Field(default=(), description="Unit of each band; empty: none has one")
    classes: dict[int, str] = Field(default={}, description="Value to its meaning; empty for quantities")


class Product(Contract):
    """The facts that catalogue, tables and report agree on."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    title: str
    description: str
    keywords: tuple[str, ...] = ()
    simulated: bool = Field(description="Whether any source is simulated")
    grid: Grid = Field(description="Of every layer that has none of its own")
    periods: tuple[Period, ...] = Field(min_length=1)
    layers: tuple[Layer, ...] = Field(min_length=1)
    scenes: dict[str, tuple[SourceProduct, ...]] = Field(description="Period to the scenes that were read")
    documents: dict[str, File] = Field(default={}, description="File name to a table, model or project to hand out")
    software: dict[str, str] = Field(default={}, description="Software to its version")
    parameters: dict[str, Any] = Field(default={}, description="The parameters of the flow")

    def period(self, label: str) -> Period:
        return next(period for period in self.periods if period.label == label)

    def grid_of(self, layer: Layer) -> Grid:
        return layer.grid or self.grid

    def scenes_of(self, layer: Layer) -> Iterator[SourceProduct]:
        """The source products that a layer descends from."""
        for label in layer.periods:
            yield from self.scenes.get(label, ())


class Publication(Contract):
    """Where a product was published: places on the machine that the flow ran on."""

    name: str
    folder: str
    report: str
    map: str = Field(description="Picture of change")
    catalogue: str
    tables: str = Field(description="DuckDB file with the table regional_data")
    content_id: str = Field(description="SHA-256 of everything that the product was made of")
    is_new: bool = Field(description="False where the same product had been published before")

    def __str__(self) -> str:
        return f"Published in {self.folder}"
