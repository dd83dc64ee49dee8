"""One pass of a simulated Sentinel-1 over the area: when, by which satellite, on which orbit."""

import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from containers.base.contract.radar import Direction

Damage = Literal["", "zero_filled", "missing_annotation"]

_FIRST_RELATIVE: Final = {"S1A": 73, "S1B": 27, "S1C": 172}
"""Satellite to the absolute orbit that is relative orbit 1."""
_S1C_MOVED: Final = datetime(2026, 6, 9)
"""Sentinel-1C was then moved along its orbit, and counts its tracks differently since."""
_KNOWN_ORBIT: Final = {
    "S1A": (36_201, datetime(2021, 1, 19, 3, 16)),
    "S1B": (30_148, datetime(2021, 12, 23, 5, 11)),
    "S1C": (4_227, datetime(2025, 9, 21, 20, 7)),
}
"""Satellite to an absolute orbit and when it was flown."""
_ORBITS_OF_CYCLE: Final = 175
_CYCLE: Final = timedelta(days=12)


def relative_orbit(platform: str, absolute_orbit: int) -> int:
    """Track number within the repeat cycle of 175 orbits."""
    return (absolute_orbit - _FIRST_RELATIVE[platform]) % _ORBITS_OF_CYCLE + 1


def absolute_orbit(platform: str, relative: int, start: datetime) -> int:
    """The orbit number nearest to the one flown at `start` (UTC) that lies on a relative orbit."""
    known, at = _KNOWN_ORBIT[platform]
    flown = known + (start.replace(tzinfo=None) - at) / _CYCLE * _ORBITS_OF_CYCLE
    first = _FIRST_RELATIVE[platform] + relative - 1
    return first + round((flown - first) / _ORBITS_OF_CYCLE) * _ORBITS_OF_CYCLE


@dataclass(frozen=True)
class RadarPass:
    """One datatake over the area, delivered in one product or cut along the track into several slices."""

    start: datetime
    """Sensing start of the first line, UTC."""
    platform: str
    absolute_orbit: int
    relative_orbit: int
    direction: Direction
    datatake: str
    """Mission datatake id, 6 hexadecimal digits."""
    slices: int = 1
    damage: Damage = ""
    """`zero_filled`: the first slice's images hold only 0. `missing_annotation`: its catalogue item lists a calibration
    file that the archive lacks."""

    def __post_init__(self) -> None:
        if self.platform not in _FIRST_RELATIVE:
            raise ValueError(f"platform={self.platform} is none of {sorted(_FIRST_RELATIVE)}")
        if (due := relative_orbit(self.platform, self.absolute_orbit)) != self.relative_orbit:
            raise ValueError(f"orbit {self.absolute_orbit} of {self.platform} lies on {due}, not {self.relative_orbit}")
        if len(self.datatake) != 6 or set(self.datatake) - set("0123456789ABCDEF"):
            raise ValueError(f"datatake={self.datatake} is not six hexadecimal digits")
        if self.platform == "S1C" and self.start.replace(tzinfo=None) >= _S1C_MOVED:
            raise ValueError(f"S1C on {self.start:%Y-%m-%d}: only its orbit before {_S1C_MOVED:%Y-%m-%d} is simulated")
        if self.slices < 1:
            raise ValueError(f"slices={self.slices} is below 1")

    def product_name(self, start: datetime, stop: datetime, polarisations: str) -> str:
        """Name of a slice without .SAFE; `polarisations` is DV, SV, DH or SH. Ends in a sum over everything else."""
        known = (
            f"{self.platform}_IW_GRDH_1S{polarisations}_{start:%Y%m%dT%H%M%S}_{stop:%Y%m%dT%H%M%S}"
            f"_{self.absolute_orbit:06d}_{self.datatake}"
        )
        return f"{known}_{binascii.crc_hqx(f'{known} {start.isoformat()}'.encode(), 0xFFFF):04X}"

    def folder(self, name: str) -> str:
        """Key of a slice in the bucket."""
        return f"Sentinel-1/SAR/IW_GRDH_1S/{self.start:%Y/%m/%d}/{name}.SAFE"
