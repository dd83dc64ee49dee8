"""The form of the flow `cloud_removal`."""

import datetime as dt
import re
from typing import Any, Literal

from pydantic import Field, model_validator

from containers.base.contract.model import Contract
from containers.base.contract.radar import Direction, Polarisation, RadarEngine, Speckle
from containers.base.contract.scene import BandName
from containers.gdal.contract.burn import BurnRules
from containers.gdal.contract.dataset import Scaling, Tiling
from containers.gdal.contract.mask import MaskRules
from containers.tensorflow.contract.removal import Preset
from tasks.parameters.source import Source

Stage = Literal["pairs", "download", "radar", "optical", "tiles", "dataset", "train", "predict", "mosaic", "burn"]
Criterion = Literal["begin", "end", "least_cloudy"]


class DateWindow(Contract):
    """When one optical image is looked for, and which of those found is taken."""

    start: dt.date = Field(description="First day of the search")
    end: dt.date = Field(description="Last day of the search")
    criterion: Criterion = Field(default="least_cloudy", description="The earliest, the latest or the clearest one")
    max_cloud: float = Field(
        default=20.0, ge=0, le=100, description="Largest hidden share of the area in percent, by the mask"
    )
    product: str = Field(default="", description="Name of the Sentinel-2 product to take instead of searching")

    @model_validator(mode="after")
    def _in_order(self) -> "DateWindow":
        if self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}")
        return self


class RemovalArea(Contract):
    """Where."""

    aoi: str = Field(
        default="",
        description="'west,south,east,north' in degrees, WKT, GeoJSON or a vector file in any CRS; empty: the common "
        "footprint of radar and optical products",
    )
    epsg: int | None = Field(default=None, description="UTM zone of the grid; empty: that of the area's centre")
    resolution_m: float = Field(default=10.0, ge=10, le=60, description="Cell size of the grid in metres")


class RadarSource(Contract):
    """Where Sentinel-1 products are looked up."""

    provider: Literal["stac", "odata", "items"] = Field(default="stac", description="Kind of catalogue")
    endpoint: str = Field(
        default="https://stac.dataspace.copernicus.eu/v1",
        description="Address of the catalogue, or the path of the item collection",
    )
    collection: str = Field(default="sentinel-1-grd", description="Collection in that catalogue")


class Pairing(Contract):
    """Which radar pass belongs to an optical image."""

    direction: Direction | None = Field(
        default=None, description="Pass of the orbit; empty: whichever serves all dates"
    )
    relative_orbit: int | None = Field(default=None, ge=1, le=175, description="Track; empty: whichever serves all")
    max_gap_days: float = Field(default=6.0, gt=0, le=60, description="Largest time between radar and optical image")
    polarisations: tuple[Polarisation, ...] = Field(default=("vv", "vh"), min_length=1, description="Polarisations")
    filters: dict[str, Any] = Field(default={}, description="More properties that a radar item must have, by name")


class Radar(Contract):
    """How backscatter is made."""

    engine: RadarEngine = Field(default="sarsen", description="sarsen: open, runs anywhere; snap: ESA's, in production")
    speckle: Speckle = Speckle()
    multilook: int = Field(default=2, ge=1, le=10, description="Looks in range and in azimuth")
    dem: tuple[str, ...] = Field(
        default=(), description="DEM rasters; empty: the Copernicus DEM of the archive, by the area"
    )
    dem_heights: Literal["geoid", "ellipsoid"] = Field(default="geoid", description="What its heights count from")
    geoid: str = Field(default="", description="Raster of the geoid's undulation in metres, for heights above it")
    dem_margin_m: float = Field(
        default=5_000.0, ge=0, le=50_000, description="Width of the DEM's strip around the area: twice the relief"
    )
    orbit_files: str = Field(default="", description="Folder of orbit files (EOF) for the engine snap")


class Learning(Contract):
    """The network."""

    model_href: str = Field(default="", description="Folder of a trained model; empty: train one")
    preset: Preset = Field(default="adaptive", description="Configuration to start from: see docs/cloud_removal.md")
    overrides: dict[str, Any] = Field(default={}, description="Keys of that configuration that are set otherwise")
    max_tiles: int | None = Field(default=None, ge=1, description="Training tiles used at most, for a quick try")
    compare_with: tuple[Literal["radar", "optical"], ...] = Field(
        default=("radar", "optical"), description="Networks of fewer inputs that are trained to be compared with"
    )
    seed: int = Field(default=0, ge=0, description="Seed of weights, order and augmentation")
    allow_simulated_model: bool = Field(
        default=False, description="Let a model that was trained on simulated data predict real scenes"
    )
    overlap_px: int = Field(default=32, ge=0, le=256, description="Overlap of predicted windows in cells")


class BurnRegions(Contract):
    """The regions that burned area is reported for."""

    path: str = Field(default="", description="Polygon file; empty: the area as a whole")
    id_field: str = Field(default="NUTS_ID", description="Attribute with the region's identifier")
    name_field: str = Field(default="NAME_LATN", description="Attribute with the region's name")


class RemovalTruth(Contract):
    """What the ground looked like, where somebody knows."""

    image: str = Field(default="", description="Raster of the last date without clouds: bands by their descriptions")
    burned: str = Field(default="", description="Raster of truly burned cells: 1 burned, 0 not")
    points: int = Field(default=1000, ge=10, description="Reference points read from it, for the intervals of areas")
    seed: int = Field(default=0, ge=0, description="Seed of their draw")


class CloudRemovalParams(Contract):
    """What the ground looked like under the cloud, and what burned: from Sentinel-1 and Sentinel-2 of two dates."""

    name: str = Field(default="cloud-removal", description="Name of the product: the folder it is published in")
    area: RemovalArea = RemovalArea()
    source: Source = Source()
    radar_source: RadarSource = RadarSource()
    dates: tuple[DateWindow, ...] = Field(
        min_length=2,
        max_length=3,
        description="The images in the order of time: the last one is rebuilt from the one before and radar of both; "
        "with three, the first two make more to learn from",
    )
    bands: tuple[BandName, ...] = Field(
        default=("red", "green", "blue", "nir", "nir08", "swir16", "swir22"),
        min_length=1,
        description="Bands that are rebuilt; burned area needs nir08 and swir22",
    )
    mask: MaskRules = MaskRules()
    pairing: Pairing = Pairing()
    radar: Radar = Radar()
    tiling: Tiling = Tiling()
    scaling: Scaling = Scaling()
    learning: Learning = Learning()
    burn: BurnRules = BurnRules()
    regions: BurnRegions = BurnRegions()
    land_cover: str = Field(default="", description="Class raster by which severity is told apart")
    land_cover_names: dict[int, str] = Field(default={}, description="Its codes to names")
    truth: RemovalTruth = RemovalTruth()
    until: Stage = Field(default="burn", description="Last stage to run")
    output: str = Field(default="", description="Folder for the published product; empty: <state>/products")

    @model_validator(mode="after")
    def _can_run(self) -> "CloudRemovalParams":
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", self.name):
            raise ValueError(f"name {self.name!r} must be letters, digits, '_', '.', '-' only: it names a folder")
        starts = [window.start for window in self.dates]
        if starts != sorted(starts):
            raise ValueError(f"dates must be in the order of time: {[str(start) for start in starts]}")
        if self.source.level != "L2A":
            raise ValueError("source.level must be L2A: surface reflectance is rebuilt")
        if self.until == "burn" and (missing := {"nir08", "swir22"} - set(self.bands)) and self.burn.index != "dndvi":
            raise ValueError(f"burn.index {self.burn.index} needs the bands {sorted(missing)}")
        return self
