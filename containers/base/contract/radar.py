"""One Sentinel-1 product, and backscatter made of it, whatever the engine."""

import datetime as dt
from typing import Literal

from pydantic import Field, model_validator

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.step import StepParams, StepResult

Polarisation = Literal["vv", "vh", "hh", "hv"]
Direction = Literal["ascending", "descending"]
RadarEngine = Literal["sarsen", "snap"]


class RadarProduct(Contract):
    """One slice of a Sentinel-1 datatake: a GRD product in interferometric wide swath mode."""

    id: str = Field(description="Product name without .SAFE")
    platform: str = Field(pattern=r"^S1[A-D]$")
    polarisations: tuple[Polarisation, ...] = Field(min_length=1)
    start: dt.datetime
    stop: dt.datetime
    datatake: str = Field(pattern=r"^[0-9A-F]{6}$", description="Mission datatake id, shared by all its slices")
    absolute_orbit: int = Field(ge=1, description="Orbit number since launch")
    relative_orbit: int = Field(ge=1, le=175, description="Track number within the repeat cycle")
    direction: Direction = Field(description="Pass of the orbit")
    footprint: str = Field(description="Outline of the slice as WKT, EPSG:4326")
    files: dict[str, File] = Field(
        default={}, description="Path below the .SAFE folder to the archive object; empty until the product is located"
    )
    simulated: bool = False


class SafeFolder(Contract):
    """A product that lies in the store: every file of its .SAFE folder."""

    id: str = Field(description="Product name without .SAFE")
    files: dict[str, File] = Field(min_length=1, description="Path below the .SAFE folder to the file")


class Speckle(Contract):
    """How speckle is filtered, in linear power and before anything is resampled."""

    filter: Literal["lee_sigma", "refined_lee", "none"] = Field(default="lee_sigma", description="Speckle filter")
    window_px: int = Field(
        default=9, ge=5, le=17, description="Edge of the Lee Sigma window in pixels of the product, odd"
    )
    target_window_px: int = Field(default=5, ge=3, le=5, description="Edge of its target window in pixels, odd")
    sigma: float = Field(default=0.9, ge=0.5, le=0.9, description="Share of the speckle distribution that is averaged")
    looks: float = Field(default=4.4, ge=1, le=100, description="Equivalent number of looks of the product")


class BackscatterResult(StepResult):
    """Terrain-flattened gamma nought (Small 2011) on the grid, linear power."""

    engine: RadarEngine = Field(description="What computed it")
    engine_version: str
    acquired: dt.datetime
    direction: Direction
    relative_orbit: int
    platform: str
    grid: Grid
    bands: dict[Polarisation, File] = Field(
        description="Polarisation to COG, float32, gamma nought, linear power, above 0; nodata NaN"
    )
    incidence: File = Field(description="Local incidence angle in degrees, float32 COG, nodata NaN")
    valid_share: float = Field(ge=0, le=1, description="Share of the grid's cells that hold data")
    simulated: bool


class Backscatter(StepParams):
    """What every radar engine is asked: one pass over the area, on the grid of the optical images."""

    slices: tuple[RadarProduct, ...] = Field(min_length=1, description="Slices of one datatake, in the order of time")
    folders: tuple[SafeFolder, ...] = Field(min_length=1, description="Their products in the store, in the same order")
    polarisations: tuple[Polarisation, ...] = Field(default=("vv", "vh"), min_length=1)
    grid: Grid = Field(description="The analysis grid: a UTM zone, 10 m")
    dem: File = Field(description="Heights above the WGS 84 ellipsoid in metres, float32 GeoTIFF, EPSG:4326")
    speckle: Speckle = Speckle()
    multilook: int = Field(default=2, ge=1, le=10, description="Looks in range and in azimuth")
    noise_removal: bool = Field(default=True, description="Subtract thermal noise")
    border_px: int = Field(default=0, ge=0, le=2000, description="More pixels cut at the edges of the swath")

    @model_validator(mode="after")
    def _one_pass(self) -> "Backscatter":
        if [each.id for each in self.slices] != [each.id for each in self.folders]:
            raise ValueError("folders must be those of the slices, in their order")
        passes = {(each.datatake, each.relative_orbit, each.direction) for each in self.slices}
        if len(passes) > 1:
            raise ValueError(f"slices are of different passes: {sorted(map(str, passes))}")
        for each in self.slices:
            if missing := set(self.polarisations) - set(each.polarisations):
                raise ValueError(f"{each.id} has no polarisation {sorted(missing)}; it has {each.polarisations}")
        return self
