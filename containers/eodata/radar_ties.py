"""The geolocation grid: where some pixels of an image lie on the ground."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from pyproj.enums import TransformDirection
from scipy.ndimage import map_coordinates

from containers.eodata.radar_geometry import Frame, Located, located
from containers.eodata.radar_ground import RadarGround, to_geographic
from containers.eodata.radar_orbit import Array

_ACROSS: Final = 21
_ALONG: Final = 6
_ROUNDS: Final = 12


class TiePoints(NamedTuple):
    """Pixels and their places, line by line: (n,) each."""

    line: npt.NDArray[np.int64]
    sample: npt.NDArray[np.int64]
    time_s: Array
    range_m: Array
    place: Located


def tie_points(frame: Frame, ground: RadarGround) -> TiePoints:
    """Places of 21 samples of 6 lines, at the height of the relief there; in layover at that of one of its slopes."""
    lines = np.rint(np.linspace(0, frame.lines - 1, _ALONG)).astype(np.int64)
    samples = np.rint(np.linspace(0, frame.samples - 1, _ACROSS)).astype(np.int64)
    line, sample = (each.ravel() for each in np.meshgrid(lines, samples, indexing="ij"))
    time_s = frame.times_s(line)
    range_m = frame.slant_ranges_m(sample.astype(np.float64))
    height = np.full(len(line), frame.height_m)
    for _ in range(_ROUNDS):
        height = (height + _height(located(frame.orbit, time_s, range_m, height), ground, frame.height_m)) / 2
    return TiePoints(line, sample, time_s, range_m, located(frame.orbit, time_s, range_m, height))


def _height(place: Located, ground: RadarGround, beyond_m: float) -> Array:
    """Height of the relief at places, bilinear; beyond the grid that of the plain."""
    grid = ground.grid
    east, north = to_geographic(grid.epsg).transform(
        place.longitude_deg, place.latitude_deg, direction=TransformDirection.INVERSE
    )
    row = (grid.north_m - north) / grid.resolution_m - 0.5
    column = (east - grid.west_m) / grid.resolution_m - 0.5
    return map_coordinates(ground.heights_m, [row, column], output=np.float64, order=1, mode="constant", cval=beyond_m)


def corners(frame: Frame) -> list[tuple[float, float]]:
    """Longitude and latitude of the image's corners at its mean height: first near, first far, last far, last near.

    They lie one pixel outside, so that the outlines of neighbouring slices overlap.
    """
    lines = np.array([-1, -1, frame.lines, frame.lines])
    samples = np.array([-1.0, frame.samples, frame.samples, -1.0])
    place = located(frame.orbit, frame.times_s(lines), frame.slant_ranges_m(samples), np.full(4, frame.height_m))
    return list(zip(place.longitude_deg.tolist(), place.latitude_deg.tolist(), strict=True))
