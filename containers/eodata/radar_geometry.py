"""Where a point of the ground lies in a radar image, and the other way round."""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from pyproj import Transformer

from containers.eodata.radar_orbit import Array, Orbit, geocentric, normal

LIGHT_M_S: Final = 299_792_458.0
PIXEL_M: Final = 10.0
"""Spacing of lines and of samples, nominal on the ground."""
_COEFFICIENTS: Final = 9
_FIT_DEGREE: Final = _COEFFICIENTS - 1
_FIT_POINTS: Final = 200
_ITERATIONS: Final = 4
_SECANTS: Final = 8
_TO_GEODETIC: Final = Transformer.from_crs(4978, 4979, always_xy=True)


class Located(NamedTuple):
    """Places on the ground: degrees, metres; angles at them and at the satellite in degrees."""

    longitude_deg: Array
    latitude_deg: Array
    height_m: Array
    incidence_deg: Array
    """Between the ellipsoid's normal and the line of sight."""
    elevation_deg: Array
    """Between the satellite's nadir and the line of sight."""


class GroundRange(NamedTuple):
    """Polynomials between slant range and ground range, coefficients from degree 0 up."""

    origin_m: float
    """Slant range that `to_ground` counts from: that of ground range 0."""
    to_ground: Array
    to_slant: Array

    def ground_m(self, slant_m: Array) -> Array:
        return _polynomial(slant_m - self.origin_m, self.to_ground)

    def slant_m(self, ground_m: Array) -> Array:
        return _polynomial(ground_m, self.to_slant)


@dataclass(frozen=True)
class Frame:
    """A ground range image: line 0 is the earliest, sample 0 the nearest; numbers count pixel centres."""

    orbit: Orbit
    first_line_s: float
    line_s: float
    lines: int
    samples: int
    conversion: GroundRange
    height_m: float
    """Mean height of the ground above the ellipsoid."""

    @property
    def middle_s(self) -> float:
        return self.first_line_s + self.line_s * (self.lines - 1) / 2

    def times_s(self, lines: npt.NDArray[np.int64]) -> Array:
        """Zero-Doppler times of lines."""
        return self.first_line_s + lines.astype(np.float64) * self.line_s

    def slant_ranges_m(self, samples: Array) -> Array:
        return self.conversion.slant_m(samples * PIXEL_M)

    def pixels(self, time_s: Array, range_m: Array) -> tuple[Array, Array]:
        """Line and sample of zero-Doppler times and slant ranges, with fractions."""
        return (time_s - self.first_line_s) / self.line_s, self.conversion.ground_m(range_m) / PIXEL_M

    def incidence_deg(self, samples: Array) -> Array:
        """Incidence angle on the ellipsoid raised to the mean height, in the middle of the image."""
        times, heights = np.full(len(samples), self.middle_s), np.full(len(samples), self.height_m)
        return located(self.orbit, times, self.slant_ranges_m(samples), heights).incidence_deg

    def part(self, first: int, last: int) -> "Frame":
        """Lines `first` to `last` (exclusive)."""
        return replace(self, first_line_s=self.first_line_s + first * self.line_s, lines=last - first)


def zero_doppler_s(orbit: Orbit, points: Array) -> Array:
    """When points (…, 3) lie at right angles to the flight: Newton's method from time 0, within some minutes of it."""
    time_s = np.zeros(points.shape[:-1])
    for _ in range(_ITERATIONS):
        position, velocity, acceleration = orbit.state(time_s)
        sight = points - position
        doppler = np.einsum("...i,...i", sight, velocity)
        slope = np.einsum("...i,...i", sight, acceleration) - np.einsum("...i,...i", velocity, velocity)
        time_s -= doppler / slope
    return time_s


def located(orbit: Orbit, time_s: Array, range_m: Array, height_m: Array) -> Located:
    """Places to the right of the track at zero Doppler, slant range and height above the ellipsoid: (n,) each.

    The line of sight turns about the direction of flight until it meets the height (secant method).
    """
    position, velocity, _ = orbit.state(time_s)
    ahead = velocity / np.linalg.norm(velocity, axis=-1, keepdims=True)
    down = -position + np.einsum("...i,...i", position, ahead)[..., None] * ahead
    down /= np.linalg.norm(down, axis=-1, keepdims=True)
    right = np.cross(ahead, -down)

    def met(look: Array) -> tuple[Array, Array]:
        ground = position + range_m[:, None] * (np.cos(look)[:, None] * down + np.sin(look)[:, None] * right)
        geodetic = np.stack(_TO_GEODETIC.transform(*ground.T))
        return ground, geodetic

    distance = np.linalg.norm(position, axis=-1)
    radius = np.linalg.norm(geocentric(0.0, 45.0, 0.0)) + height_m
    before = np.arccos((range_m**2 + distance**2 - radius**2) / (2 * range_m * distance))
    look = before + 1e-4
    missed_before = met(before)[1][2] - height_m
    for _ in range(_SECANTS):
        missed = met(look)[1][2] - height_m
        change = np.where(missed == missed_before, 1, missed - missed_before)
        before, look, missed_before = look, look - missed * (look - before) / change, missed
    ground, (longitude, latitude, _) = met(look)
    sight = (position - ground) / range_m[:, None]
    incidence = np.arccos(np.einsum("...i,...i", sight, normal(longitude, latitude)))
    nadir = np.arccos(np.einsum("...i,...i", sight, position / distance[:, None]))
    return Located(longitude, latitude, height_m, np.degrees(incidence), np.degrees(nadir))


def ground_range(orbit: Orbit, near_m: float, far_m: float, height_m: float) -> GroundRange:
    """Ground range: the way along the ellipsoid raised to a height, from the nearest slant range on, at time 0."""
    slant = np.linspace(near_m, far_m, _FIT_POINTS)
    place = located(orbit, np.zeros(_FIT_POINTS), slant, np.full(_FIT_POINTS, height_m))
    points = geocentric(place.longitude_deg, place.latitude_deg, height_m)
    ground = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return GroundRange(float(near_m), _fitted(slant - near_m, ground), _fitted(ground, slant))


def _polynomial(x: Array, coefficients: Array) -> Array:
    value = np.zeros_like(x)
    for coefficient in coefficients[::-1]:
        value = value * x + coefficient
    return value


def _fitted(x: Array, y: Array) -> Array:
    fit = np.polynomial.Polynomial.fit(x, y, _FIT_DEGREE).convert().coef
    padded: Array = np.zeros(_COEFFICIENTS)
    padded[: len(fit)] = fit
    return padded


def line_interval_s(orbit: Orbit, place: Array) -> float:
    """Time in which the zero-Doppler line moves by one pixel over a place (3,) at time 0."""
    position, velocity, acceleration = orbit.state(np.array(0.0))
    sight = place - position
    turning = (velocity @ velocity - sight @ acceleration) / np.linalg.norm(velocity)
    return float(PIXEL_M / turning)
