"""How green plants cover the ground on any day: a pure function of date, cover type and the parcel's own attributes.

`canopy = lowest · standing + gain · growth`. Lowest and gain depend on the parcel's vigour, `standing` and
`growth` (both 0 to 1) on its timing in that year. Weather makes years differ: in the days on which plants start and
end, for each cover type a little differently, and in how far they grow. Arable land is green before sowing and again in
autumn by the same lowest cover whatever grows in between, so that a year's end meets the next one's start.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from containers.eodata.cover import Cover
from containers.eodata.noise import FloatArray, Noise
from containers.eodata.spectra import DEVIATE, LEVELS

Index = npt.NDArray[np.unsignedinteger[Any]] | npt.NDArray[np.signedinteger[Any]]


class Course(NamedTuple):
    """The year of a cover type. Days of the year; spreads are days per standard deviate of a parcel's timing."""

    lowest: float
    peak: float
    spread: float
    """Of both covers per deviate of vigour."""
    start: float
    rise: float
    """Days in which growth goes from a half to three quarters, divided by 1.1."""
    end: float
    fall: float
    start_spread: float = 5.0
    end_spread: float = 6.0
    decline: float = 0.14
    """Share of the growth that is lost between full growth and the end."""
    sown: float | None = None
    """Day on which the field is tilled for this crop; None for plants that stay through the winter."""
    is_harvested: bool = False
    is_mown: bool = False


def _crop(peak: float, start: float, rise: float, harvest: float, spread: float, sown: float | None = None) -> Course:
    """A crop that turns yellow and is harvested within days."""
    return Course(_WINTER_GREEN, peak, 0.09, start, rise, harvest, 5.0, 5.0, spread, 0.10, sown, is_harvested=True)


_WINTER_GREEN: Final = 0.20
"""Cover of winter crops, of catch crops and of weeds between two crops."""
_BARE: Final = Course(0, 0, 0, 120, 10, 280, 10)
COURSES: Final[dict[Cover, Course]] = {
    **dict.fromkeys(Cover, _BARE),
    Cover.WINTER_CEREAL: _crop(0.90, 102, 12, 205, 6),
    Cover.RAPESEED: _crop(0.93, 90, 11, 198, 5),
    Cover.SPRING_CEREAL: _crop(0.86, 124, 9, 218, 7, sown=82),
    Cover.MAIZE: _crop(0.90, 166, 9, 266, 9, sown=112),
    Cover.ROOT_CROP: _crop(0.90, 158, 10, 282, 11, sown=100),
    Cover.FALLOW: Course(0.22, 0.55, 0.12, 115, 18, 280, 20, 9, 12),
    Cover.GRASSLAND: Course(0.34, 0.95, 0.08, 96, 13, 300, 17, 6, 8, is_mown=True),
    Cover.VINEYARD: Course(0.14, 0.48, 0.08, 132, 10, 285, 10),
    Cover.BROADLEAF: Course(0.14, 0.96, 0.04, 113, 6, 289, 9, 4, 6, 0.18),
    Cover.CONIFER: Course(0.91, 0.97, 0.03, 125, 14, 300, 16, 5, 6),
    Cover.MOOR: Course(0.55, 0.84, 0.09, 130, 15, 280, 18),
    Cover.MARSH: Course(0.26, 0.82, 0.12, 126, 12, 272, 15, 7, 8),
    Cover.PEATBOG: Course(0.45, 0.76, 0.10, 126, 15, 276, 16),
    Cover.GARDEN: Course(0.42, 0.76, 0.12, 98, 14, 303, 18, 9, 9),
    Cover.TREES: Course(0.35, 0.90, 0.07, 113, 7, 290, 10, 6, 7),
    Cover.REGROWTH: Course(0.34, 0.72, 0.12, 110, 14, 288, 16, 8, 10),
}
_ARABLE: Final = [kind for kind, course in COURSES.items() if course.is_harvested]
_DEVIATES: Final = DEVIATE[None, :]
_BLOOMING: Final = np.array([kind is Cover.RAPESEED for kind in Cover], dtype=np.float32)[:, None]
_YELLOW_BEFORE: Final = 16.0
"""Days before harvest on which half of the leaves have turned."""


@dataclass(frozen=True)
class Year:
    """The weather of a growing season, in what it does to plants."""

    start_days: FloatArray
    """Cover type to days by which growth starts later."""
    end_days: FloatArray
    vigour: FloatArray
    """Factor on the growth above the lowest cover."""

    @classmethod
    def of(cls, seed: int, year: int) -> "Year":
        """Anomalies shared by all plants, and those of each cover type."""
        noise, kinds = Noise(seed), np.arange(len(Cover))

        def deviates(salt: str, shared: float, own: float) -> FloatArray:
            common = 2 * float(noise.uniform(year, 0, f"season {salt}")) - 1
            each = 2 * noise.uniform(year, kinds + 1, f"season {salt}") - 1
            return np.float32(shared * common) + np.float32(own) * each

        return cls(
            deviates("start", 11, 5), deviates("end", 9, 5), np.clip(1 + deviates("vigour", 0.10, 0.07), 0.7, 1.15)
        )


class Greenness(NamedTuple):
    """Look-up tables of one day, (cover type, level), flattened."""

    standing: FloatArray
    """By timing."""
    growth: FloatArray
    """By timing."""
    straw: FloatArray
    """Share of the bare ground under straw and stubble, by timing."""
    bloom: FloatArray
    """Share of the canopy in yellow bloom, by timing."""
    lowest: FloatArray
    """Canopy cover by vigour."""
    gain: FloatArray
    """Canopy cover that growth adds to what stands, by vigour."""

    @classmethod
    def on(cls, day_of_year: float, year: Year) -> "Greenness":
        """Tables for a day; 1 January is day 1."""
        courses = list(COURSES.values())

        def column(name: str) -> FloatArray:
            return np.array([getattr(course, name) for course in courses], dtype=np.float32)[:, None]

        start = column("start") + year.start_days[:, None] + column("start_spread") * _DEVIATES
        end: FloatArray = column("end") + year.end_days[:, None] + column("end_spread") * _DEVIATES
        rise = expit((day_of_year - start) / column("rise"))
        harvested = np.array([course.is_harvested for course in courses])[:, None]
        fall = np.where(
            harvested, _harvest(np.float32(day_of_year) - end), 1 - expit((day_of_year - end) / column("fall"))
        )
        full = start + 2.6 * column("rise")
        past_full = np.clip((day_of_year - full) / np.maximum(end - full, 1), 0, 1)
        growth = rise * fall * (1 - column("decline") * past_full) * _mowing(day_of_year, year)
        bloom = np.exp(-(((day_of_year - start - 38) / 11) ** 2)) * _BLOOMING
        standing = np.where(harvested, _winter_green(day_of_year, end, year), 1.0)
        straw = np.where(
            harvested, 0.75 * expit((day_of_year - end + 12) / 4) * (1 - expit((day_of_year - end - 26) / 4)), 0.0
        )
        lowest = np.clip(column("lowest") + column("spread") * _DEVIATES, 0, 1) * (column("peak") > 0)
        peak = np.clip(column("peak") + column("spread") * _DEVIATES, 0, 1) * (column("peak") > 0)
        kept = lowest * np.array([course.sown is None for course in courses])[:, None]
        gain = np.clip((peak - kept) * year.vigour[:, None], 0, 1 - kept)
        return cls(*(table.astype(np.float32).ravel() for table in (standing, growth, straw, bloom, lowest, gain)))

    def canopy(self, kind: Index, timing: Index, vigour: Index) -> FloatArray:
        """Share of green canopy of cells, given by their cover type × 256, quantile of timing and of vigour."""
        by_timing, by_vigour = kind | timing, kind | vigour
        canopy: FloatArray = self.lowest[by_vigour] * self.standing[by_timing]
        canopy += self.gain[by_vigour] * self.growth[by_timing]
        return canopy


def _harvest(days_after: FloatArray) -> FloatArray:
    """Leaves turn yellow for weeks, and the rest is cut within a day or two."""
    yellow = 0.6 * expit((days_after + _YELLOW_BEFORE) / 4)
    left: FloatArray = (1 - yellow) * (1 - expit(days_after / 0.7))
    return left


def _winter_green(day_of_year: float, end: FloatArray, year: Year) -> FloatArray:
    """Green until the field is tilled or harvested, and again from a month after harvest on."""
    tilled = np.full((len(Cover), 1), np.inf, dtype=np.float32)
    for kind in _ARABLE:
        sown = COURSES[kind].sown
        tilled[kind] = np.inf if sown is None else sown + 0.5 * float(year.start_days[kind])
    until = np.minimum(tilled + 7 * _DEVIATES, end)
    green: FloatArray = (1 - expit((day_of_year - until) / 2)) + expit((day_of_year - end - 38) / 9)
    return green


def _mowing(day_of_year: float, year: Year) -> FloatArray:
    """What one to three cuts leave of the growth of mown grassland, which takes a month to come back."""
    left = np.ones((len(Cover), LEVELS), dtype=np.float32)
    mixed = (np.arange(LEVELS) * 101) % LEVELS
    cuts = 1 + mixed * 3 // LEVELS
    first = 150 - 8 * (cuts - 1) + 9 * DEVIATE[(mixed * 37) % LEVELS] + 0.6 * float(year.start_days[Cover.GRASSLAND])
    for cut in range(3):
        since = day_of_year - first - cut * (58 - 6 * cuts)
        dent = 0.62 * np.exp(-np.clip(since, 0, None) / 15) * expit(since / 0.7)
        left[Cover.GRASSLAND] *= 1 - np.where(cut < cuts, dent, 0)
    return left
