"""What an archive may hold beyond a landscape in its seasons: hills, a fire, chosen dates, radar passes."""

import datetime as dt
from typing import Literal

from pydantic import Field, model_validator

from containers.base.contract.model import Contract
from containers.base.contract.radar import Direction


class Relief(Contract):
    """Hills between valleys, in which rivers and lakes lie."""

    floor_m: float = Field(default=420.0, ge=0, le=3000, description="Height of the waters above the geoid in metres")
    height_m: float = Field(default=400.0, ge=10, le=1500, description="Highest ground above them in metres, about")


class Fire(Contract):
    """Land burns on one day: woods, moors and standing crops; neither towns nor waters."""

    day: dt.date = Field(description="Day of the fire; images from the next day on show it")
    share: float = Field(default=0.10, gt=0, le=0.35, description="Share of the tile that burns")
    scars: int = Field(default=2, ge=1, le=4, description="Places where it burns")


class OpticalDate(Contract):
    """One Sentinel-2 acquisition. Skies are drawn by seed until one is about as cloudy as wanted."""

    day: dt.date
    hidden: float = Field(ge=0, le=0.97, description="Share of the area under clouds, cirrus or shadows, within 0.05")
    scar_hidden: float = Field(default=0.0, ge=0, le=0.9, description="Least share of the burned land under them")
    orbit: Literal[22, 122] = Field(default=22, description="Relative orbit")


class RadarDate(Contract):
    """One Sentinel-1 pass over the whole area."""

    start: dt.datetime = Field(description="Sensing start, UTC")
    platform: Literal["S1A", "S1B"] = "S1A"
    relative_orbit: int = Field(ge=1, le=175, description="Track number within the repeat cycle")
    direction: Direction
    slices: int = Field(default=1, ge=1, le=3, description="Products that the pass is cut into, along the track")
    damage: Literal["", "zero_filled", "missing_annotation"] = Field(default="", description="What is wrong with it")

    @model_validator(mode="after")
    def _in_utc(self) -> "RadarDate":
        if self.start.utcoffset() != dt.timedelta(0):
            raise ValueError(f"start={self.start.isoformat()} is not in UTC")
        return self
