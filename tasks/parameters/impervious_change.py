"""The form of the flow `impervious_change`."""

import re
from typing import Literal

from pydantic import Field, model_validator

from containers.base.contract.model import Contract
from containers.base.contract.scene import BandName
from containers.gdal.contract.composite import MaskRule
from containers.gdal.contract.consistency import Consistency
from containers.tensorflow.contract.predict import Prediction
from containers.tensorflow.contract.train import Training
from tasks.parameters.source import Source
from tasks.periods import PeriodKind


class Time(Contract):
    """Which years, and which part of each."""

    years: tuple[int, ...] = Field(min_length=1, description="Years, such as 2018, 2019, 2020")
    period: PeriodKind = Field(default="season", description="Length of a period: one map is made for each")
    months: tuple[int, ...] = Field(
        default=(5, 6, 7, 8, 9),
        description="Months of the season, in order (12, 1, 2 crosses New Year), or the months mapped",
    )


class Selection(Contract):
    """Which of the scenes found are used."""

    method: Literal["best", "median"] = Field(
        default="best", description="best: the clearest scene of a tile and period; median: of all clear pixels"
    )
    max_cloud: float = Field(default=60.0, ge=0, le=100, description="Largest cloud share by metadata in percent")
    min_valid_share: float = Field(
        default=0.05, ge=0, le=1, description="Smallest share of the AOI within the tile that a scene must cover"
    )
    max_scenes: int = Field(
        default=3, ge=1, le=100, description="Scenes read per tile and period; best fills its gaps from the next ones"
    )


class Labels(Contract):
    """Land-cover labels to train with. Not needed with a trained model."""

    map: str = Field(default="", description="Path of a label raster or polygon file")
    period: str = Field(default="", description="Period that the labels describe, such as 2018")
    rules: Literal["s2glc", "worldcover", "clcplus", "custom"] = Field(default="s2glc", description="Its legend")
    custom_rules: str = Field(default="", description="r.reclass rules for a legend of your own")
    second_map: str = Field(default="", description="Optional second map: cells where the two disagree are not used")
    second_rules: Literal["s2glc", "worldcover", "clcplus", "custom"] = Field(
        default="clcplus", description="Legend of the second map"
    )


class Regions(Contract):
    """The regions that areas are reported for."""

    path: str = Field(description="Polygon file, such as the GISCO NUTS file")
    id_field: str = Field(default="NUTS_ID", description="Attribute with the region's identifier")
    name_field: str = Field(default="NAME_LATN", description="Attribute with the region's name")
    engine: Literal["grass", "exactextract"] = Field(
        default="grass", description="grass: cells by their centre; exactextract: exact fractions of cells"
    )


class Reference(Contract):
    """The reference sample behind the intervals. Without one, areas carry no interval."""

    sample: str = Field(default="", description="CSV of an interpreted sample: see docs/areas.md")
    strata: str = Field(default="", description="CSV of that sample's strata")
    truth: dict[str, str] = Field(
        default={}, description="Period to a raster of reference classes from which a sample is drawn and read"
    )
    points: int = Field(default=1500, ge=10, description="Size of the sample that is drawn")
    seed: int = Field(default=0, description="Seed of that draw")

    @model_validator(mode="after")
    def _sample_has_strata(self) -> "Reference":
        if bool(self.sample) != bool(self.strata):
            raise ValueError("sample and strata go together: give both files, or neither")
        return self


class ImperviousChangeParams(Contract):
    """Hectares of newly sealed and newly green land per region and year, from a Sentinel-2 archive."""

    name: str = Field(default="impervious-change", description="Name of the product: the folder it is published in")
    aoi: str = Field(
        default="",
        description="Area of interest: 'west,south,east,north' in degrees, WKT, GeoJSON or a vector file; "
        "empty: the regions",
    )
    source: Source = Source()
    time: Time
    bands: tuple[BandName, ...] = Field(default=("red", "swir16", "swir22"), description="Bands that the network sees")
    epsg: int = Field(default=3035, description="EPSG code of the analysis grid; equal-area for statistics")
    resolution_m: float = Field(default=20.0, gt=0, description="Cell size of the analysis grid in metres")
    selection: Selection = Selection()
    mask: MaskRule = MaskRule()
    max_shift_px: float = Field(default=0.5, gt=0, description="Largest accepted shift between periods in cells")
    labels: Labels = Labels()
    training: Training = Training()
    model_href: str = Field(default="", description="Folder of a trained model (weights and card); empty: train one")
    allow_simulated_model: bool = Field(
        default=False, description="Let a model that was trained on simulated data predict real scenes"
    )
    prediction: Prediction = Prediction()
    consistency: Consistency = Consistency()
    regions: Regions
    reference: Reference = Reference()
    output: str = Field(default="", description="Folder for the published product; empty: <state>/products")

    @model_validator(mode="after")
    def _can_run(self) -> "ImperviousChangeParams":
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", self.name):
            raise ValueError(f"name {self.name!r} must be letters, digits, '_', '.', '-' only: it names a folder")
        if not self.model_href and not (self.labels.map and self.labels.period):
            raise ValueError("give labels.map and labels.period to train a model, or the model_href of a trained one")
        return self
