"""What the name of a Sentinel-1 product says (Sentinel-1 Product Specification, S1-RS-MDA-52-7441, section 3.4.1)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from containers.base.contract.radar import Polarisation

_NAME: Final = re.compile(
    r"^(?P<platform>S1[A-D])_(?P<mode>S[1-6]|IW|EW|WV)_(?P<kind>[A-Z]{3}[FHM_])_[0-2][SA]"
    r"(?P<polarisation>SH|SV|DH|DV|HH|HV|VH|VV)_(?P<start>\d{8}T\d{6})_(?P<stop>\d{8}T\d{6})"
    r"_(?P<orbit>\d{6})_(?P<datatake>[0-9A-F]{6})(?:_[0-9A-F]{4})?(?P<cog>_COG)?(?:\.SAFE)?$"
)
_POLARISATIONS: Final[dict[str, tuple[Polarisation, ...]]] = {
    "SV": ("vv",),
    "SH": ("hh",),
    "DV": ("vv", "vh"),
    "DH": ("hh", "hv"),
    "VV": ("vv",),
    "VH": ("vh",),
    "HH": ("hh",),
    "HV": ("hv",),
}


@dataclass(frozen=True)
class RadarName:
    """The parts of a product's name."""

    name: str
    """Without .SAFE. Some catalogues leave out the four digits that tell reprocessed products apart."""
    platform: str
    mode: str
    """Such as IW."""
    kind: str
    """Type and resolution class, such as GRDH."""
    polarisations: tuple[Polarisation, ...]
    start: datetime
    stop: datetime
    absolute_orbit: int
    datatake: str
    """Hexadecimal; shared by all slices of a datatake."""
    is_cog: bool
    """Whether its measurements were rewritten as cloud-optimised GeoTIFF, pixels unchanged."""


def parse_radar_name(name: str) -> RadarName | None:
    """The parts of a product name with or without .SAFE; None where it is not one of Sentinel-1."""
    match = _NAME.match(name)
    if match is None:
        return None
    try:
        start, stop = (
            datetime.strptime(match[each], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) for each in ("start", "stop")
        )
    except ValueError:
        return None
    return RadarName(
        name=name.removesuffix(".SAFE"),
        platform=match["platform"],
        mode=match["mode"],
        kind=match["kind"],
        polarisations=_POLARISATIONS[match["polarisation"]],
        start=start,
        stop=stop,
        absolute_orbit=int(match["orbit"]),
        datatake=match["datatake"],
        is_cog=match["cog"] is not None,
    )
