"""Clouds in decks at their heights, cirrus, haze and humidity on one date, under the sun as it really stands."""

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
from scipy.ndimage import map_coordinates

from containers.base.contract.grid import Bounds
from containers.base.sun import Sun
from containers.eodata.noise import Axis, FloatArray, Noise

CELL_M: Final = 40.0
_SURVEY_M: Final = 120.0
MEDIAN_AEROSOL: Final = 0.10
"""Optical depth at 0.55 µm."""
Field = Callable[[Axis, Axis], FloatArray]
"""Values on the grid of two axes, northings and eastings."""
DeckName = Literal["low", "middle", "high", "cirrus"]


def mean_water_cm(day_of_year: int) -> float:
    """Precipitable water over central Europe by season."""
    return 1.45 - 0.75 * math.cos(2 * math.pi * (day_of_year - 20) / 365)


class Shape(NamedTuple):
    """What decks of a kind look like."""

    heights_m: tuple[float, float]
    wavelengths_m: tuple[float, float]
    """Size of the largest clouds."""
    densities: tuple[float, float]
    """Opacity gained per unit of the field above its threshold."""
    most: float
    """Opacity that the thickest parts reach."""
    stretch: float
    """Length of the clouds against their width."""
    octaves: int


_SHAPES: Final[dict[DeckName, Shape]] = {
    "low": Shape((350, 1500), (1800, 6000), (2.5, 8.0), 1.0, 1.2, 6),
    "middle": Shape((2000, 4500), (4000, 9000), (1.5, 5.0), 1.0, 1.8, 6),
    "high": Shape((6500, 10_000), (4000, 9000), (0.8, 2.5), 0.75, 2.5, 5),
    "cirrus": Shape((8500, 11_500), (4000, 9000), (0.2, 0.6), 0.35, 4.0, 5),
}
_KINDS: Final[tuple[tuple[DeckName, float], ...]] = (("low", 0.74), ("middle", 0.16), ("high", 0.10))
"""Kinds of a date's main deck, and how often it is of each."""
_CIRRUS_DAYS: Final = 0.45


@dataclass(frozen=True)
class Deck:
    """The clouds of one height."""

    name: DeckName
    noise: Noise
    height_m: float
    wavelength_m: float
    density: float
    brightness: float
    bearing: float
    """Direction in which the clouds are stretched, in radians."""
    threshold: float

    @classmethod
    def drawn(cls, noise: Noise, name: DeckName, cover: float, bounds: Bounds, order: int) -> "Deck":
        """A deck over the share `cover` of the bounds."""
        shape = _SHAPES[name]
        height, wavelength, density, brightness, bearing = (
            float(noise.uniform(order, index, "deck")) for index in range(5)
        )

        def between(ends: tuple[float, float], share: float) -> float:
            return ends[0] + (ends[1] - ends[0]) * share

        unset = cls(
            name,
            Noise((noise.seed + order) % 2**31),
            between(shape.heights_m, height),
            between(shape.wavelengths_m, wavelength),
            between(shape.densities, density),
            between((0.82, 1.15), brightness),
            math.pi * bearing,
            0.0,
        )
        y_m, x_m = np.arange(bounds.south, bounds.north, _SURVEY_M), np.arange(bounds.west, bounds.east, _SURVEY_M)
        field = unset._field(*np.meshgrid(x_m, y_m))
        closed = 0.8 if cover > 0.96 else 0.0
        return cls(**{**vars(unset), "threshold": float(np.quantile(field, 1 - min(cover, 1.0))) - closed})

    def opacity(self, east_m: Axis, north_m: Axis) -> FloatArray:
        """Share of the light that the deck does not let through, 0 to 1, over places in EPSG:3035."""
        excess = np.clip(self._field(east_m, north_m) - self.threshold, 0, None)
        opacity: FloatArray = _SHAPES[self.name].most * (1 - np.exp(-np.float32(self.density) * excess))
        return opacity

    def _field(self, east_m: Axis, north_m: Axis) -> FloatArray:
        """Fractal field along and across the deck's bearing, whose high parts are clouds, ragged at the edges."""
        shape, sine, cosine = _SHAPES[self.name], math.sin(self.bearing), math.cos(self.bearing)
        along = (east_m * sine + north_m * cosine) / shape.stretch
        across = east_m * cosine - north_m * sine
        return field_at(
            along, across, CELL_M, lambda y, x: self.noise.smooth(y, x, self.wavelength_m, self.name, shape.octaves)
        )


class Over(NamedTuple):
    """What stands over cells of the ground, each (row, column), 0 to 1."""

    decks: tuple[tuple[Deck, FloatArray], ...]
    """Decks with their opacities, lowest first."""
    cloud: FloatArray
    """Opacity of all decks but cirrus."""
    cirrus: FloatArray
    """Opacity of cirrus."""
    shadow: FloatArray
    """Share of direct light that clouds take away; 0 where a cloud hides the ground."""
    aerosol: FloatArray
    """Optical depth at 0.55 µm."""


@dataclass(frozen=True)
class Sky:
    """The air on one date over the whole archive."""

    noise: Noise
    decks: tuple[Deck, ...]
    aerosol: float
    water_cm: float
    sun: Sun
    """Its azimuth is counted from the north of EPSG:3035."""

    @classmethod
    def on(cls, seed: int, date: str, day_of_year: int, cover: float, sun: Sun, bounds: Bounds) -> "Sky":
        """Clouds over the share `cover` of the bounds: one main deck, at times a second one, at times cirrus."""
        noise = Noise((seed * 1_000_003 + zlib.crc32(date.encode())) % 2**31)
        kind, second, share, thin, extent, haze, humid = (float(noise.uniform(1, i, "sky")) for i in range(7))
        names = [name for name, _ in _KINDS]
        edges = np.cumsum([often for _, often in _KINDS])[:-1]
        main = int(np.searchsorted(edges, kind))
        decks = [Deck.drawn(noise, names[main], cover, bounds, 1)] if cover > 0 else []
        if second < 0.35 and cover > 0:
            decks.append(Deck.drawn(noise, names[(main + 1) % len(names)], 0.4 * share * cover, bounds, 2))
        if thin < _CIRRUS_DAYS and cover > 0:
            decks.append(Deck.drawn(noise, "cirrus", 0.1 + 0.65 * extent, bounds, 3))
        aerosol = MEDIAN_AEROSOL * math.exp(1.7 * (haze - 0.5))
        water_cm = mean_water_cm(day_of_year) * math.exp(0.6 * (humid - 0.5))
        return cls(noise, tuple(sorted(decks, key=lambda deck: deck.height_m)), aerosol, water_cm, sun)

    def over(self, east_m: Axis, north_m: Axis) -> Over:
        """The air over places in EPSG:3035, given as (row, column)."""
        nothing = np.zeros(east_m.shape, dtype=np.float32)
        clear, thin, lit = nothing + 1, nothing, nothing + 1
        decks = []
        for deck in self.decks:
            opacity = deck.opacity(east_m, north_m)
            decks.append((deck, opacity))
            if deck.name == "cirrus":
                thin = opacity
                continue
            clear = clear * (1 - opacity)
            east_shift, north_shift = self.shadow_shift_m(deck.height_m)
            lit = lit * (1 - deck.opacity(east_m - east_shift, north_m - north_shift))
        mist = field_at(north_m, east_m, 250.0, lambda y, x: self.noise.smooth(y, x, 9000, "haze", 2))
        aerosol = self.aerosol * np.clip(1 + 0.35 * mist, 0.3, 2.5)
        return Over(tuple(decks), 1 - clear, thin, (1 - lit) * clear, aerosol.astype(np.float32))

    def shadow_shift_m(self, height_m: float) -> tuple[float, float]:
        """How far east and north of a cloud of this height its shadow falls on flat ground."""
        length_m = height_m * math.tan(math.radians(self.sun.zenith_deg))
        away = math.radians(self.sun.azimuth_deg + 180)
        return length_m * math.sin(away), length_m * math.cos(away)


def field_at(y_m: Axis, x_m: Axis, cell_m: float, field: Field) -> FloatArray:
    """A field that is a function of two axes, at places given as (row, column): linear between nodes on multiples of
    `cell_m`, so that neighbouring windows agree."""
    rows, columns = (
        np.arange(math.floor(part.min() / cell_m), math.floor(part.max() / cell_m) + 3, dtype=np.float64)
        for part in (y_m, x_m)
    )
    places = np.array([y_m / cell_m - rows[0], x_m / cell_m - columns[0]])
    values: FloatArray = map_coordinates(
        field(rows * cell_m, columns * cell_m), places, order=1, mode="nearest", output=np.float32
    )
    return values
