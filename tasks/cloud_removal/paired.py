"""The dates of a run: what was chosen, and which radar pass belongs to it."""

from datetime import date

from pydantic import Field

from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.gdal.contract.optical import OpticalResult
from tasks.catalogue.rules import Acquisition
from tasks.cloud_removal.pairing import PairedPass


class PairedDate(Contract):
    """One optical image with its radar pass."""

    tiles: tuple[Acquisition, ...] = Field(min_length=1)
    optical: OpticalResult
    radar: PairedPass

    @property
    def day(self) -> date:
        return self.optical.image.acquired.date()

    @property
    def label(self) -> str:
        return self.day.isoformat()

    def __str__(self) -> str:
        names = ", ".join(part.id for tile in self.tiles for part in tile)
        slices = ", ".join(each.id for each in self.radar.slices)
        return (
            f"{self.label}: {names}, {self.optical.hidden_share:.1%} hidden; {slices}, {self.radar.gap_hours:+.0f} h, "
            f"track {self.radar.relative_orbit} {self.radar.direction}"
        )


class PairedDates(Contract):
    """All dates of a run, in the order of time."""

    zone: str = Field(description="WKT, EPSG:4326")
    grid: Grid
    dates: tuple[PairedDate, ...] = Field(min_length=2)
