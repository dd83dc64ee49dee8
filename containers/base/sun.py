"""Where the sun stands: Meeus, Astronomical Algorithms (2nd ed. 1998), chapters 12, 13 and 25, low accuracy (0.01°)."""

import math
from datetime import UTC, datetime
from typing import Final, NamedTuple

_J2000: Final = datetime(2000, 1, 1, 12, tzinfo=UTC)
_DAYS_PER_CENTURY: Final = 36_525.0


class Sun(NamedTuple):
    """Direction of the sun, without refraction."""

    zenith_deg: float
    azimuth_deg: float
    """Clockwise from north."""


def equatorial(time: datetime) -> tuple[float, float]:
    """Apparent right ascension and declination of the sun in degrees.

    >>> [round(degrees, 2) for degrees in equatorial(datetime(1992, 10, 13, tzinfo=UTC))]  # Meeus, example 25.a
    [198.38, -7.79]
    """
    century = _centuries(time)
    mean_longitude = 280.46646 + 36_000.76983 * century + 0.0003032 * century**2
    anomaly = math.radians(357.52911 + 35_999.05029 * century - 0.0001537 * century**2)
    centre = (
        (1.914602 - 0.004817 * century) * math.sin(anomaly)
        + (0.019993 - 0.000101 * century) * math.sin(2 * anomaly)
        + 0.000289 * math.sin(3 * anomaly)
    )
    node = math.radians(125.04 - 1_934.136 * century)
    longitude = math.radians(mean_longitude + centre - 0.00569 - 0.00478 * math.sin(node))
    obliquity = math.radians(23.439291 - 0.0130042 * century + 0.00256 * math.cos(node))
    ascension = math.atan2(math.cos(obliquity) * math.sin(longitude), math.cos(longitude))
    return math.degrees(ascension) % 360, math.degrees(math.asin(math.sin(obliquity) * math.sin(longitude)))


def sun_at(time: datetime, lon_deg: float, lat_deg: float) -> Sun:
    """The sun over a place. `time` carries its zone."""
    ascension, declination = equatorial(time)
    days = _centuries(time) * _DAYS_PER_CENTURY
    sidereal = 280.46061837 + 360.98564736629 * days
    hour_angle = math.radians(sidereal + lon_deg - ascension)
    latitude, declination = math.radians(lat_deg), math.radians(declination)
    altitude = math.asin(
        math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(declination) * math.cos(hour_angle)
    )
    azimuth = math.atan2(
        math.sin(hour_angle),
        math.cos(hour_angle) * math.sin(latitude) - math.tan(declination) * math.cos(latitude),
    )
    return Sun(90 - math.degrees(altitude), (math.degrees(azimuth) + 180) % 360)


def _centuries(time: datetime) -> float:
    return (time - _J2000).total_seconds() / 86_400 / _DAYS_PER_CENTURY
