"""Heights over the area, and what they say of the ground: slope and aspect."""

from typing import ClassVar, Literal

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.step import Resources, StepParams, StepResult


class DemResult(StepResult):
    dem: File = Field(description="Heights above the WGS 84 ellipsoid in metres, float32 GeoTIFF, EPSG:4326, no nodata")
    slope: File = Field(description="Slope in degrees on the grid, float32 COG, nodata NaN (Horn 1981)")
    aspect: File = Field(description="Bearing that the slope faces, degrees clockwise from north; −1 flat, nodata NaN")


class DemParams(StepParams):
    """Join DEM tiles around the grid and bring their heights to the ellipsoid."""

    step: ClassVar[str] = "gdal.dem"
    result: ClassVar[type[StepResult]] = DemResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048, network=True, connections=2)

    tiles: tuple[File, ...] = Field(
        min_length=1, description="DEM rasters with declared CRS: of the store, or COGs of the archive such as CopDEM"
    )
    heights: Literal["geoid", "ellipsoid"] = Field(default="geoid", description="What the heights count from")
    geoid: File | None = Field(
        default=None, description="Geoid undulation in metres, EPSG:4326, such as EGM2008; needed for heights=geoid"
    )
    grid: Grid
    margin_m: float = Field(default=2_000.0, ge=0, le=50_000, description="Width of the strip around the grid")
