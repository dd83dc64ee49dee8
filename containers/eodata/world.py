"""The fine landscape on disk, one array per layer, so that any number of processes can look at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from containers.base.contract.grid import Grid
from containers.eodata.alpine.habitat import Alps
from containers.eodata.alpine.meadow import Meadow
from containers.eodata.alpine.mountains import Mountains
from containers.eodata.camera import MARGIN, Ground
from containers.eodata.colours import Plants
from containers.eodata.hills import Hills
from containers.eodata.landscape import Landscape
from containers.eodata.noise import Axis, FloatArray
from containers.eodata.place import FINE_M, PIXEL_M, View
from containers.eodata.scar import Scar

_CHUNK: Final = 1024
_ATTRIBUTES: Final = ("tone", "hue", "vigour", "grain")
_HEIGHTS, _SEVERITY = "heights", "severity"
_SEVERITY_LEVELS: Final = 255
_STAND: Final = ("kind", "second", "share", "pasture")

Window = tuple[slice, slice]


def timing_layer(year: int) -> str:
    """Name of the layer with the timing of a year's plants."""
    return f"timing {year}"


def _melt_layer(year: int) -> str:
    return f"melt {year}"


@dataclass(frozen=True)
class World:
    """Layers of the landscape (row, column) on the cells of 10 m of a grid in EPSG:3035: uint8, but for heights."""

    folder: Path
    grid: Grid
    """Cells of 20 m, four fine cells each."""
    has_relief: bool = False
    fire_day: date | None = None
    has_pastures: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        return self.grid.height * 2, self.grid.width * 2

    def create(self, years: tuple[int, ...], *, phenology: bool = False) -> None:
        """Make empty layers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        timings = map(timing_layer, years if phenology else ())
        for name in (*map(str, years), *_ATTRIBUTES, *timings):
            self._create(name, np.uint8)
        if self.has_relief:
            self._create(_HEIGHTS, np.float32)
        if self.fire_day:
            self._create(_SEVERITY, np.uint8)
        for name in _STAND if self.has_pastures else ():
            self._create(name, np.uint8)
        for year in years if self.has_pastures else ():
            self._create(_melt_layer(year), np.float32)

    def _create(self, name: str, dtype: type[np.generic]) -> None:
        np.lib.format.open_memmap(self.folder / f"{name}.npy", mode="w+", dtype=dtype, shape=self.shape)

    def layer(self, name: str, *, writable: bool = False) -> npt.NDArray[np.uint8]:
        """A layer by the name of an attribute, or cover by its year."""
        values: npt.NDArray[np.uint8] = np.load(self.folder / f"{name}.npy", mmap_mode="r+" if writable else "r")
        return values

    def windows(self, chunk: int = _CHUNK) -> Iterator[Window]:
        """Windows that tile the fine cells."""
        rows, columns = self.shape
        for row in range(0, rows, chunk):
            for column in range(0, columns, chunk):
                yield slice(row, min(row + chunk, rows)), slice(column, min(column + chunk, columns))

    def axes(self, window: Window) -> tuple[Axis, Axis]:
        """Northings and eastings of a window's cell centres."""
        rows, columns = (np.arange(part.start, part.stop, dtype=np.float64) + 0.5 for part in window)
        return self.grid.north_m - rows * FINE_M, self.grid.west_m + columns * FINE_M

    def fill(self, landscape: Landscape, window: Window) -> None:
        """Compute one window and write it."""
        layers = landscape.window(*self.axes(window))
        for year, cover in layers.cover.items():
            self.layer(str(year), writable=True)[window] = cover
        for year, timing in layers.timing.items():
            self.layer(timing_layer(year), writable=True)[window] = timing
        for name in _ATTRIBUTES:
            self.layer(name, writable=True)[window] = getattr(layers, name)

    def fill_stand(self, alps: Alps, window: Window) -> None:
        """The layers of one window of an archive of pastures."""
        stand = alps.window(*self.axes(window))
        for year, melt in stand.melt.items():
            for name, values in ((str(year), stand.cover), (timing_layer(year), stand.attributes["timing"])):
                self.layer(name, writable=True)[window] = values
            np.load(self.folder / f"{_melt_layer(year)}.npy", mmap_mode="r+")[window] = melt
        for name in _ATTRIBUTES:
            self.layer(name, writable=True)[window] = stand.attributes[name]
        for name in _STAND:
            self.layer(name, writable=True)[window] = getattr(stand, name)

    def fill_heights(self, hills: Hills | Mountains, window: Window) -> None:
        """The heights of one window, in metres above the geoid."""
        layer = np.load(self.folder / f"{_HEIGHTS}.npy", mmap_mode="r+")
        layer[window] = hills.heights(*self.axes(window))

    def fill_severity(self, scar: Scar, window: Window) -> None:
        """The severity of the fire in one window, after `fill`."""
        severity = scar.severity(self.plants(scar.day.year, window), *self.axes(window))
        self.layer(_SEVERITY, writable=True)[window] = np.rint(severity * _SEVERITY_LEVELS).astype(np.uint8)

    def heights(self, window: Window) -> FloatArray:
        """Metres above the geoid."""
        values: FloatArray = np.load(self.folder / f"{_HEIGHTS}.npy", mmap_mode="r")[window]
        return values

    def severity(self, window: Window) -> FloatArray:
        """Severity of the fire, 0 to 1."""
        return _severities(self.layer(_SEVERITY)[window])

    def days_since_fire(self, day: date) -> int | None:
        """How long ago the land burned; None before and on the day of the fire."""
        return (day - self.fire_day).days if self.fire_day and self.fire_day < day else None

    def under(self, tile: Grid, year: int, first_row: int, last_row: int) -> Ground:
        """The nearest fine cells under rows of a tile, on its own fine cells, with the camera's margin."""
        at = self.nearest(tile, first_row, last_row)
        return Ground(*(self.layer(name).reshape(-1)[at] for name in (str(year), *_ATTRIBUTES)))

    def plants_under(self, tile: Grid, year: int, first_row: int, last_row: int) -> Plants:
        """The same with the timing of the year's plants."""
        at = self.nearest(tile, first_row, last_row)
        names = (str(year), *_ATTRIBUTES, timing_layer(year))
        return Plants(*(self.layer(name).reshape(-1)[at] for name in names))

    def meadow_under(self, tile: Grid, year: int, first_row: int, last_row: int) -> Meadow:
        """What grows there, as `under`."""
        return self.meadow(year, self.nearest(tile, first_row, last_row))

    def meadow(self, year: int, at: npt.NDArray[np.int64]) -> Meadow:
        """What grows on the cells with these flat indices."""
        heights, melt = (
            np.load(self.folder / f"{name}.npy", mmap_mode="r").reshape(-1)[at]
            for name in (_HEIGHTS, _melt_layer(year))
        )
        kind, second, share, pasture = (self.layer(name).reshape(-1)[at] for name in _STAND)
        looks = [self.layer(name).reshape(-1)[at] for name in (*_ATTRIBUTES, timing_layer(year))]
        return Meadow(kind, second, share, pasture, heights, melt, *looks)

    def severity_under(self, tile: Grid, first_row: int, last_row: int) -> FloatArray:
        """Severity of the fire under rows of a tile, as `under`."""
        return _severities(self.layer(_SEVERITY).reshape(-1)[self.nearest(tile, first_row, last_row)])

    def slopes_under(self, tile: Grid, first_row: int, last_row: int) -> tuple[FloatArray, FloatArray]:
        """How steeply the ground rises eastwards and northwards under rows of a tile, in metres per metre."""
        at = self.nearest(tile, first_row, last_row)
        heights, row = np.load(self.folder / f"{_HEIGHTS}.npy", mmap_mode="r").reshape(-1), self.shape[1]
        east, north = ((heights[at + step] - heights[at - step]) / np.float32(2 * FINE_M) for step in (1, -row))
        return east, north

    def plants(self, year: int, window: Window) -> Plants:
        """The fine cells of a window."""
        names = (str(year), *_ATTRIBUTES, timing_layer(year))
        return Plants(*(np.asarray(self.layer(name)[window]) for name in names))

    def nearest(self, tile: Grid, first_row: int, last_row: int) -> npt.NDArray[np.int64]:
        """Flat index of the fine cell under each fine cell of a tile's rows and of the margin around them."""
        ratio = PIXEL_M // FINE_M
        east, north = View(tile, MARGIN).places(first_row * ratio - MARGIN, last_row * ratio + MARGIN)
        row = ((self.grid.north_m - north) // FINE_M).astype(np.int64)
        column = ((east - self.grid.west_m) // FINE_M).astype(np.int64)
        return row * self.shape[1] + column


def _severities(levels: npt.NDArray[np.uint8]) -> FloatArray:
    return levels.astype(np.float32) / np.float32(_SEVERITY_LEVELS)
