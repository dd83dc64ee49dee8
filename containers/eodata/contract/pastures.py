"""What an archive of alpine pastures has beyond others: mountains, snow that melts, vegetation types, a survey."""

from pydantic import Field

from containers.base.contract.model import Contract


class Pastures(Contract):
    """Mountains with pastures on which vegetation types grow, each in its place and time; a survey of them."""

    count: int = Field(default=12, ge=4, le=60, description="Pastures")
    floor_m: float = Field(default=1150.0, ge=0, le=3000, description="Lowest ground above the geoid in metres, about")
    height_m: float = Field(default=1500.0, ge=100, le=3000, description="Highest ground above that in metres, about")
    points: int = Field(default=36, ge=8, le=400, description="Surveyed points per pasture")
    polygons: int = Field(default=4, ge=1, le=60, description="Surveyed polygons per pasture")
    wrong_labels: float = Field(default=0.12, ge=0, le=0.4, description="Share of surveyed sites of a wrong type")
    theia_dates: int = Field(
        default=0, ge=0, le=40, description="Dates per year that the first tile's archive also holds as THEIA products"
    )
