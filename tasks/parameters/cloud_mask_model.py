"""The form of the flow `cloud_mask_model`."""

import datetime as dt
import re

from pydantic import Field, model_validator

from containers.base.contract.model import Contract
from containers.gdal.contract.mask import MaskRules
from tasks.catalogue.backgrounds import Backgrounds
from tasks.parameters.source import Source
from tasks.parameters.vegetation_productivity import L1C_SOURCE

SCENE_CLASSES = {
    3: "shadow",
    4: "clear/vegetation",
    5: "clear/not vegetated",
    6: "clear/water",
    8: "cloud",
    9: "cloud",
    10: "cirrus",
    11: "snow",
}
"""Codes of the Sentinel-2 scene classification, which the simulated archive's true classes use; others are unused."""


class MaskLabels(Contract):
    """What an interpreter says of the pixels: rasters per scene, or a table that is finished."""

    table: str = Field(
        default="", description="Parquet or CSV of labelled pixels (docs/cloud_mask_model.md); empty: label rasters"
    )
    folder: str = Field(default="", description="Folder of label rasters, each named as its product, with suffix .tif")
    codes: dict[int, str] = Field(
        default=SCENE_CLASSES,
        description="Label code to cloud, cirrus, shadow, snow, clear or clear/<surface>; other codes are unused",
    )
    pixels_per_scene: int = Field(default=4_000, ge=10, description="Pixels drawn per scene, half of them cloudy")


class TrainingScenes(Contract):
    """Which acquisitions are read: the labelled ones, and those that show the ground behind their clouds."""

    aoi: str = Field(
        default="",
        description="Area: 'west,south,east,north' in degrees, WKT, GeoJSON or a vector file; empty: the tiles",
    )
    tiles: tuple[str, ...] = Field(default=(), description="MGRS tiles, such as 33UUP; empty: all over the area")
    first: dt.date = Field(description="First day of the search")
    last: dt.date = Field(description="Last day of the search")
    min_valid_share: float = Field(
        default=0.05, ge=0, le=1, description="Smallest share of the area within the tile that a scene must cover"
    )

    @model_validator(mode="after")
    def _can_search(self) -> "TrainingScenes":
        if not (self.aoi or self.tiles):
            raise ValueError("give scenes.aoi or scenes.tiles: the labelled scenes have to be found")
        if wrong := [tile for tile in self.tiles if not re.fullmatch(r"\d{2}[C-HJ-NP-X][A-HJ-NP-Z]{2}", tile)]:
            raise ValueError(f"scenes.tiles {wrong} are no MGRS tiles, such as 33UUP")
        if self.first >= self.last:
            raise ValueError(f"scenes.first={self.first} is not before scenes.last={self.last}")
        return self


class MaskTraining(Contract):
    """How the forest is trained and measured."""

    trees: int = Field(default=500, ge=1, le=5_000, description="Trees of the forest")
    test_share: float = Field(default=0.3, gt=0, lt=1, description="Share of the dates kept for testing")
    cutoff: float = Field(default=0.29, ge=0, le=1, description="Probability above which a cell is cloud")
    seed: int = Field(default=0, ge=0, description="Seed of the draw of pixels, of the split and of the forest")


class CloudMaskModelParams(Contract):
    """A cloud-mask model, trained on labelled scenes and measured on others."""

    name: str = Field(default="cloud-mask-model", description="Name of the product: the folder it is published in")
    source: Source = L1C_SOURCE
    labels: MaskLabels
    scenes: TrainingScenes | None = Field(
        default=None, description="Where the label rasters' scenes are; not for a table"
    )
    rules: MaskRules = Field(default=MaskRules(), description="How components are computed; as in later runs")
    backgrounds: Backgrounds = Backgrounds()
    resolution_m: float = Field(default=60.0, ge=10, le=120, description="Cell size of the mask in metres")
    background_resolution_m: float = Field(
        default=240.0, ge=10, le=960, description="Cell size of background images: a multiple of the mask's"
    )
    training: MaskTraining = MaskTraining()
    output: str = Field(default="", description="Folder for the published model; empty: <state>/products")

    @model_validator(mode="after")
    def _can_run(self) -> "CloudMaskModelParams":
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", self.name):
            raise ValueError(f"name {self.name!r} must be letters, digits, '_', '.', '-' only: it names a folder")
        if bool(self.labels.table) == bool(self.labels.folder):
            raise ValueError("give labels.table, a finished table, or labels.folder with label rasters, not both")
        if self.labels.folder and self.scenes is None:
            raise ValueError("give scenes: where and when the scenes of labels.folder were taken")
        if self.background_resolution_m % self.resolution_m:
            raise ValueError("background_resolution_m must be a multiple of resolution_m")
        return self
