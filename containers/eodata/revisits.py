"""When the satellites pass, and how cloudy it is: some clear dates of a season, or the whole year as it comes."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Final, NamedTuple

import numpy as np

from containers.eodata.acquisitions import Acquisition
from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.noise import Noise
from containers.eodata.place import tile_grid

_REVISIT_DAYS: Final = 5
_ORBIT, _NEXT_ORBIT = 22, 122
_ORBITS_APART: Final = timedelta(days=3, minutes=10)
"""How long before the archive's orbit its neighbour sees the same place."""
_OVERPASS: Final = time(10, 10, 31)
_EARLIER: Final = timedelta(minutes=10)
_CLOUDS_OF_HIDDEN: Final = 0.8


def nominal(params: ArchiveParams) -> list[Acquisition]:
    """Every tile on every date of every year: by date with `phenology`, else the clearest date of a year first."""
    passes = chosen if params.optical_dates else year_round if params.phenology else _spring
    return [
        acquisition for year in params.years for seen in passes(params, year) for acquisition in _datatake(params, seen)
    ]


class Pass(NamedTuple):
    """A satellite flies over."""

    start: datetime
    clouds: float
    next_orbit: bool
    """Seen from the neighbouring orbit, whose swath ends in the westernmost tiles."""
    is_wide: bool = False
    """The swath covers every tile whatever the orbit."""


def _datatake(params: ArchiveParams, seen: Pass) -> Iterator[Acquisition]:
    days = (seen.start.date() - datetime(2015, 6, 23).date()).days
    cut = seen.next_orbit and not seen.is_wide
    for tile in params.tiles:
        baseline = params.baseline(seen.start.year)
        yield Acquisition(
            tile=tile,
            grid=tile_grid(params, tile),
            start=seen.start,
            platform="S2A" if days // _REVISIT_DAYS % 2 else "S2B",
            orbit=_NEXT_ORBIT if seen.next_orbit else _ORBIT,
            absolute_orbit=days * 143 // 10 % 100_000,
            baseline=baseline,
            processed=processed(seen.start, baseline),
            clouds=seen.clouds,
            part="swath" if cut and tile.column == min(each.column for each in params.tiles) else "whole",
        )


def _spring(params: ArchiveParams, year: int) -> Iterator[Pass]:
    """The clearest dates of a season; the third clearest is seen from the neighbouring orbit."""
    for rank, start in enumerate(_dates(params, year)):
        yield Pass(start, 0.02 + 0.72 * (rank / params.dates_per_year) ** 1.2, rank == 2)


def chosen(params: ArchiveParams, year: int) -> Iterator[Pass]:
    """The chosen dates of a year. Shadows hide land too, so fewer clouds than land to hide."""
    for each in params.optical_dates or ():
        if each.day.year == year:
            start = datetime.combine(each.day, _OVERPASS, tzinfo=UTC)
            is_next = each.orbit == _NEXT_ORBIT
            yield Pass(start - is_next * _EARLIER, _CLOUDS_OF_HIDDEN * each.hidden, is_next, is_wide=True)


def year_round(params: ArchiveParams, year: int) -> Iterator[Pass]:
    """Passes spread over the season, every fifth day on each orbit: as many as wanted, drawn one from each stratum."""
    first, last = _season(params, year)
    noise = Noise(params.seed)
    lead = 3 + int(noise.uniform(year, 0, "first date") * 2)
    starts = [(first + timedelta(days=day), False) for day in range(lead, (last - first).days + 1, _REVISIT_DAYS)]
    if len({tile.column for tile in params.tiles}) > 1:
        starts += [(start - _ORBITS_APART, True) for start, _ in starts]
    starts.sort()
    count = min(params.dates_per_year, len(starts))
    drawn_kinds = noise.uniform(year, np.arange(count), "kind of sky")
    for index, rank in enumerate(np.argsort(np.argsort(drawn_kinds))):
        first_of, next_of = index * len(starts) // count, (index + 1) * len(starts) // count
        drawn = int(float(noise.uniform(year, index, "pass")) * (next_of - first_of))
        start, next_orbit = starts[first_of + drawn]
        yield Pass(start, _cloud_cover(noise, start, (float(rank) + 0.5) / count), next_orbit)


def _cloud_cover(noise: Noise, start: datetime, kind: float) -> float:
    """A third of the dates nearly clear, a third broken, a third overcast; more of the last in winter.

    `kind`, 0 to 1, is the rank of the date among those of its year, drawn by lot: dull weeks come as they come.
    """
    share = float(noise.uniform(start.toordinal(), 1, "cloud cover"))
    winter = math.cos(2 * math.pi * (start.timetuple().tm_yday - 5) / 365)
    clear, overcast = 0.33 - 0.07 * winter, 0.33 + 0.07 * winter
    if kind < clear:
        return 0.10 * share**2
    return 0.90 + 0.10 * share if kind > 1 - overcast else 0.10 + 0.80 * share


def _season(params: ArchiveParams, year: int) -> tuple[datetime, datetime]:
    first = datetime.strptime(f"{year}-{params.season_start}T10:10:31", "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    last = datetime.strptime(f"{year}-{params.season_end}", "%Y-%m-%d").replace(tzinfo=UTC)
    return first, last


def _dates(params: ArchiveParams, year: int) -> list[datetime]:
    """The season's dates, clearest first; the third is moved to the neighbouring orbit."""
    first, last = _season(params, year)
    step = max(1, (last - first).days // (params.dates_per_year * _REVISIT_DAYS)) * _REVISIT_DAYS
    noise = Noise(params.seed)
    lead = 3 + int(noise.uniform(year, 0, "first date") * 2)
    dates = [first + timedelta(days=lead + index * step) for index in range(params.dates_per_year)]
    dates.sort(key=lambda date: float(noise.uniform(date.year, date.timetuple().tm_yday, "order of dates")))
    return [date - _ORBITS_APART if rank == 2 else date for rank, date in enumerate(dates)]


def processed(start: datetime, baseline: str) -> datetime:
    """Some hours after sensing, or in the campaign that reprocessed the archive."""
    if baseline.startswith("05") and start.year <= 2022:
        in_common_year = start.replace(day=28) if (start.month, start.day) == (2, 29) else start
        return in_common_year.replace(year=2023) + timedelta(days=30, hours=7, minutes=13)
    return start + timedelta(hours=4, minutes=33, seconds=12)
