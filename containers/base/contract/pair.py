"""Images of two dates: what a network sees, and what it must tell."""

from datetime import date, datetime

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.radar import BackscatterResult


class OpticalImage(Contract):
    """One date over the whole grid."""

    scene_ids: tuple[str, ...]
    acquired: datetime
    grid: Grid
    bands: dict[str, File] = Field(description="Band name to reflectance COG, int16 × 1e-4, nodata −32768")
    sky: File = Field(description="Sky classes on the grid, uint8 COG, nodata 0, nearest neighbour")


class Pair(Contract):
    """What a network sees, radar of both dates and the optical image of the first, and what it must tell."""

    label: str = Field(pattern=r"^[A-Za-z0-9_-]+$", description="Such as 2020-05-11_2020-06-10")
    radar_t0: BackscatterResult
    radar_t1: BackscatterResult
    optical_t0: OpticalImage
    optical_t1: OpticalImage

    @property
    def dates(self) -> tuple[date, date]:
        return self.optical_t0.acquired.date(), self.optical_t1.acquired.date()
