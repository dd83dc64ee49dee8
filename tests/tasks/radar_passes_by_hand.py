"""Radar products as rectangles, whose containment can be told by comparing numbers."""

from datetime import UTC, datetime, timedelta

from shapely.geometry import box

from containers.base.contract.radar import Direction, RadarProduct

NOON = datetime(2020, 5, 11, 12, tzinfo=UTC)
SWATH = (11.0, 14.0)
"""West and east of the default product in degrees."""


def radar_product(
    hours: float = 0.0,
    *,
    track: int = 22,
    direction: Direction = "descending",
    south: float = 47.0,
    north: float = 49.0,
    swath: tuple[float, float] = SWATH,
    platform: str = "S1A",
    datatake: str | None = None,
    name: str | None = None,
) -> RadarProduct:
    """A slice whose first line was sensed so many hours after noon of 11 May 2020."""
    start = NOON + timedelta(hours=hours)
    datatake = datatake or f"{round(hours * 60) & 0xFFFFFF:06X}"
    return RadarProduct(
        id=name or f"{platform}_{start:%Y%m%dT%H%M%S}_{track:03}_{datatake}_{south:g}",
        platform=platform,
        polarisations=("vv", "vh"),
        start=start,
        stop=start,
        datatake=datatake,
        absolute_orbit=1,
        relative_orbit=track,
        direction=direction,
        footprint=box(swath[0], south, swath[1], north).wkt,
    )
