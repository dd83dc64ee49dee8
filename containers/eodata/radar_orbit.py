"""The orbit of a simulated Sentinel-1, in Earth-fixed coordinates (EPSG:4978)."""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import root

from containers.base.contract.radar import Direction

Array = npt.NDArray[np.float64]

SEMI_MAJOR_M: Final = 6_378_137.0
SEMI_MINOR_M: Final = 6_356_752.314245
ECCENTRICITY_2: Final = 1 - (SEMI_MINOR_M / SEMI_MAJOR_M) ** 2
_RADIUS_M: Final = SEMI_MAJOR_M + 693_000
_INCLINATION: Final = math.radians(98.18)
_MOTION: Final = math.sqrt(3.986004418e14 / _RADIUS_M**3)
"""Mean motion in rad/s."""
_EARTH_RATE: Final = 7.292115e-5


class State(NamedTuple):
    """Position, velocity and acceleration in m, m/s, m/s²: (…, 3)."""

    position: Array
    velocity: Array
    acceleration: Array


@dataclass(frozen=True)
class Orbit:
    """A circular orbit, seen from the rotating Earth."""

    argument_rad: float
    """Angle from the ascending node at time 0."""
    node_rad: float
    """Longitude of the ascending node at time 0."""

    def state(self, time_s: Array) -> State:
        """Where the satellite is, how fast, and how it is accelerated."""
        time_s = np.asarray(time_s, np.float64)
        angle = self.argument_rad + _MOTION * time_s
        turn = _RADIUS_M * np.exp(1j * (self.node_rad - _EARTH_RATE * time_s))
        plane = np.cos(angle) + 1j * math.cos(_INCLINATION) * np.sin(angle)
        along = -np.sin(angle) + 1j * math.cos(_INCLINATION) * np.cos(angle)
        rate = -1j * _EARTH_RATE
        height = _RADIUS_M * math.sin(_INCLINATION) * np.sin(angle)
        climb = _RADIUS_M * math.sin(_INCLINATION) * np.cos(angle)
        return State(
            _stacked(turn * plane, height),
            _stacked(turn * (rate * plane + _MOTION * along), _MOTION * climb),
            _stacked(turn * ((rate**2 - _MOTION**2) * plane + 2 * rate * _MOTION * along), -(_MOTION**2) * height),
        )

    @property
    def node_s(self) -> float:
        """Time of the last passage of the ascending node, before time 0."""
        return -(self.argument_rad % (2 * math.pi)) / _MOTION

    def heading_deg(self, time_s: float) -> float:
        """Direction of flight, clockwise from north, −180 to 180."""
        position, velocity, _ = self.state(np.array(time_s))
        up = position / np.linalg.norm(position)
        east = np.cross([0.0, 0.0, 1.0], up)
        return math.degrees(math.atan2(velocity @ east, velocity @ np.cross(up, east)))


def _stacked(horizontal: npt.NDArray[np.complex128], vertical: Array) -> Array:
    return np.stack([horizontal.real, horizontal.imag, vertical], axis=-1)


def orbit_over(longitude_deg: float, latitude_deg: float, direction: Direction, incidence_deg: float) -> Orbit:
    """The orbit that sees a place on the ellipsoid at time 0, to the right, at zero Doppler, at an incidence angle."""
    latitude, longitude = math.radians(latitude_deg), math.radians(longitude_deg)
    up = normal(longitude_deg, latitude_deg)
    place = geocentric(longitude_deg, latitude_deg, 0.0)

    def misses(unknown: Array) -> Array:
        position, velocity, _ = Orbit(*unknown).state(np.array(0.0))
        sight = position - place
        incidence = math.acos(sight @ up / float(np.linalg.norm(sight)))
        along = sight @ velocity / float(np.linalg.norm(velocity)) / _RADIUS_M
        return np.array([along, incidence - math.radians(incidence_deg)])

    incidence = math.radians(incidence_deg)
    aside = incidence - math.asin(SEMI_MAJOR_M / _RADIUS_M * math.sin(incidence))
    argument = math.asin(math.sin(latitude) / math.sin(_INCLINATION))
    if direction == "descending":
        argument, aside = math.pi - argument, -aside
    node = longitude - math.atan2(math.cos(_INCLINATION) * math.sin(argument), math.cos(argument))
    found = root(misses, [argument, node - aside / math.cos(latitude)], tol=1e-13)
    return Orbit(*map(float, found.x))


def normal(longitude_deg: float | Array, latitude_deg: float | Array) -> Array:
    """Unit vectors away from the ellipsoid: (…, 3)."""
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    return np.stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=-1
    )


def geocentric(longitude_deg: float | Array, latitude_deg: float | Array, height_m: float | Array) -> Array:
    """Earth-fixed coordinates of places on WGS 84: (…, 3)."""
    up = normal(longitude_deg, latitude_deg)
    curvature_m = SEMI_MAJOR_M / np.sqrt(1 - ECCENTRICITY_2 * up[..., 2] ** 2)
    across = np.asarray(curvature_m + height_m)[..., None] * up
    across[..., 2] -= ECCENTRICITY_2 * curvature_m * up[..., 2]
    return across
