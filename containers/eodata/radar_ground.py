"""The ground as the radar meets it."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pyproj import Transformer

from containers.base.contract.grid import Grid
from containers.base.contract.radar import Polarisation


class RadarGround(NamedTuple):
    """Relief and scattering of an area on a grid of EPSG:3035, cells of 10 m."""

    grid: Grid
    heights_m: npt.NDArray[np.float32]
    """Heights of the cell centres above the WGS 84 ellipsoid: (y, x)."""
    gamma0: dict[Polarisation, npt.NDArray[np.float32]]
    """Gamma nought, linear power, per cell (y, x): what terrain flattening should give back."""


@lru_cache(maxsize=8)
def to_geographic(epsg: int) -> Transformer:
    """From a grid's plane to longitude and latitude on WGS 84, and back by direction INVERSE."""
    return Transformer.from_crs(epsg, 4326, always_xy=True)
