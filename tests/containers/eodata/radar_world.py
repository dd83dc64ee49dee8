"""A small ground for radar tests."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from containers.base.contract.grid import Grid
from containers.eodata.radar_ground import RadarGround
from containers.eodata.radar_pass import RadarPass, absolute_orbit

START = datetime(2021, 6, 3, 5, 17, 12, 345678, tzinfo=UTC)
HEIGHT_M = 450.0


def square(cells: int) -> Grid:
    return Grid(epsg=3035, resolution_m=10, west_m=4_460_000, north_m=2_840_000, width=cells, height=cells)


def plain(cells: int, vv: float = 0.1, vh: float = 0.02) -> RadarGround:
    """A level ground of one scattering."""
    heights = np.full((cells, cells), HEIGHT_M, np.float32)
    return RadarGround(
        square(cells),
        heights,
        {"vv": np.full((cells, cells), vv, np.float32), "vh": np.full((cells, cells), vh, np.float32)},
    )


def hill(cells: int, height_m: float = 180, width_m: float = 400) -> npt.NDArray[np.float32]:
    """Heights of a Gaussian hill in the middle."""
    y, x = (np.mgrid[:cells, :cells] - cells / 2) * 10
    return (HEIGHT_M + height_m * np.exp(-(x**2 + y**2) / (2 * width_m**2))).astype(np.float32)


def descending(**changes: Any) -> RadarPass:
    """Relative orbit 95 has the middle of the area at an incidence of 41 degrees."""
    usual = {
        "start": START, "platform": "S1A", "relative_orbit": 95, "absolute_orbit": absolute_orbit("S1A", 95, START),
        "direction": "descending", "datatake": "04A1B2",
    }  # fmt: skip
    return RadarPass(**(usual | changes))


def ascending(**changes: Any) -> RadarPass:
    """Relative orbit 44: 34 degrees."""
    return descending(
        **{"relative_orbit": 44, "absolute_orbit": absolute_orbit("S1A", 44, START), "direction": "ascending"} | changes
    )
