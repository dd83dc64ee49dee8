"""Pictures that a person looks at: PNG files for the report and the Prefect UI."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult

Colour = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]
Palette = Literal["sequential", "days", "diverging"]


class Picture(Contract):
    name: str = Field(pattern=r"^[a-z0-9_-]+$")
    title: str
    kind: Literal["rgb", "classes", "change", "probability", "count", "continuous"]
    rasters: tuple[File, ...] = Field(
        min_length=1, description="Three for rgb (red, green, blue as displayed), else one"
    )
    labels: dict[int, str] = Field(default={}, description="Value to legend entry for kinds classes and change")
    colours: dict[int, Colour] = Field(
        default={}, description="Value to #rrggbb for kinds classes and change; of other values, the palette's"
    )
    nodata_is_outside: bool = Field(
        default=False, description="Cells without data of kind classes are no part of the map: white, without an entry"
    )
    band: int = Field(default=1, ge=1, le=1000, description="Band of a continuous picture, from 1")
    unit: str = Field(default="", max_length=40, description="What a continuous picture's colour bar is labelled with")
    limits: tuple[float, float] | None = Field(
        default=None,
        description="Values shown darkest and brightest, rgb and continuous, so that pictures can be compared; empty: "
        "2 % to 98 % of the picture",
    )
    decibel: bool = Field(default=False, description="Show ten times the decimal logarithm of a continuous picture")
    palette: Palette = Field(
        default="sequential",
        description="Of a continuous picture: sequential; days of the year; diverging, with its middle at zero",
    )


class QuicklookResult(StepResult):
    pictures: dict[str, File] = Field(description="Picture name to PNG with legend, scale bar and CRS")


class QuicklookParams(StepParams):
    step: ClassVar[str] = "gdal.quicklook"
    result: ClassVar[type[StepResult]] = QuicklookResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)

    pictures: tuple[Picture, ...] = Field(min_length=1)
    max_px: int = Field(default=1000, ge=64, le=8000, description="Longest side; read from overviews")
    regions: File | None = Field(default=None, description="Outlines drawn on top: any vector file, or GeoParquet")
    simulated: bool = Field(default=False, description="Print “simulated” on every picture")
    bare: bool = Field(
        default=False,
        description="Maps alone, with outlines and scale bar: whoever shows them brings title, key and “simulated”",
    )
