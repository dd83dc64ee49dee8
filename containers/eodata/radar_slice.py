"""One slice of a pass: its part of the image, its times, its names."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from containers.base.contract.radar import Polarisation
from containers.eodata.radar_geometry import Frame
from containers.eodata.radar_pass import RadarPass
from containers.eodata.radar_xml import Content

_PRODUCT_LETTERS: Final[dict[tuple[Polarisation, ...], str]] = {
    ("vv", "vh"): "DV", ("vv",): "SV", ("hh", "hv"): "DH", ("hh",): "SH",
}  # fmt: skip


def stamp(time: datetime) -> str:
    """As the metadata write a time: UTC, microseconds, no zone."""
    return f"{time:%Y-%m-%dT%H:%M:%S.%f}"


@dataclass(frozen=True)
class Slice:
    """What the metadata of one product say."""

    pass_: RadarPass
    frame: Frame
    """The slice's lines."""
    epoch: datetime
    """UTC of time 0 of the orbit."""
    number: int
    """From 1."""
    polarisations: tuple[Polarisation, ...]

    def at(self, time_s: float) -> datetime:
        """UTC of a time of the orbit, to the microsecond."""
        return self.epoch + timedelta(seconds=time_s)

    def line_time(self, line: int) -> str:
        return stamp(self.at(self.frame.first_line_s + line * self.frame.line_s))

    @property
    def start(self) -> datetime:
        return self.at(self.frame.first_line_s)

    @property
    def stop(self) -> datetime:
        return self.at(self.frame.first_line_s + (self.frame.lines - 1) * self.frame.line_s)

    @property
    def name(self) -> str:
        """Product name without .SAFE."""
        return self.pass_.product_name(self.start, self.stop, _PRODUCT_LETTERS[self.polarisations])

    @property
    def folder(self) -> str:
        return self.pass_.folder(self.name)

    def stem(self, polarisation: Polarisation) -> str:
        """Name of the files of one polarisation, without suffix."""
        image = self.polarisations.index(polarisation) + 1
        return (
            f"{self.pass_.platform}-iw-grd-{polarisation}-{self.start:%Y%m%dt%H%M%S}-{self.stop:%Y%m%dt%H%M%S}"
            f"-{self.pass_.absolute_orbit:06d}-{self.pass_.datatake}-{image:03d}"
        ).lower()

    def header(self, polarisation: str) -> dict[str, Content]:
        """The head of every annotation file."""
        return {
            "missionId": self.pass_.platform,
            "productType": "GRD",
            "polarisation": polarisation.upper(),
            "mode": "IW",
            "swath": "IW",
            "startTime": stamp(self.start),
            "stopTime": stamp(self.stop),
            "absoluteOrbitNumber": self.pass_.absolute_orbit,
            "missionDataTakeId": int(self.pass_.datatake, 16),
            "imageNumber": f"{[each.upper() for each in self.polarisations].index(polarisation.upper()) + 1:03d}",
        }
