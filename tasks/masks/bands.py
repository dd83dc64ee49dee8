"""Which bands a cloud mask looks at."""

from typing import Final, Literal

from containers.base.contract.scene import BandName, Level
from containers.base.sentinel2 import BANDS
from containers.gdal.contract.mask import Engine

_L1C_BANDS: Final = tuple(band.name for band in BANDS)
_L2A_BANDS: Final[tuple[BandName, ...]] = ("green", "red", "nir08", "swir16")
"""What the scene classification of L2A leaves to be looked at: snow and dark ground."""
_OMNICLOUDMASK_BANDS: Final[tuple[BandName, ...]] = ("green", "red", "nir")
"""What OmniCloudMask looks at."""


def mask_bands(level: Level, engine: Literal["auto"] | Engine) -> tuple[BandName, ...]:
    """All of L1C; of L2A what its classification leaves open, or what the engine looks at."""
    if level == "L1C":
        return _L1C_BANDS
    return _OMNICLOUDMASK_BANDS if engine == "omnicloudmask" else _L2A_BANDS
