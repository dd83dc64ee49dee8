"""Label maps as published ones are: right in the main, and wrong in clumps and whole fields."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.base.contract.legend import LandCover
from containers.eodata.cover import LAND_COVER, Cover
from containers.eodata.farmland import parcels
from containers.eodata.noise import FloatArray, Noise
from containers.eodata.world import Window, World

_PROPENSITY: Final = {LandCover.IMPERVIOUS: 1.6, LandCover.GREEN: 0.85, LandCover.OTHER: 1.7}
"""How much likelier than the mean a class is to be labelled wrongly."""
_BARE: Final = (Cover.MAIZE, Cover.ROOT_CROP, Cover.FALLOW)
_SAMPLED: Final = 7
"""Every so many cells in each direction decide the thresholds."""


class MapLegend(NamedTuple):
    """A published legend: codes by cover type, and the wrong codes that each class is given, each as often."""

    name: str
    codes: npt.NDArray[np.uint8]
    mistaken: dict[LandCover, tuple[int, int, int, int]]


S2GLC_MAP: Final = {
    LandCover.IMPERVIOUS: (73, 102, 102, 82), LandCover.GREEN: (62, 62, 105, 121), LandCover.OTHER: (102, 103, 82, 62),
}  # fmt: skip
CLC_PLUS_MAP: Final = {
    LandCover.IMPERVIOUS: (7, 6, 6, 3), LandCover.GREEN: (1, 1, 9, 10), LandCover.OTHER: (1, 9, 7, 3),
}  # fmt: skip


@dataclass(frozen=True)
class LabelMap:
    """A label map of one year over the world. Each cell of a wrong class gets a code of another class."""

    world: World
    noise: Noise
    year: int
    legend: MapLegend
    thresholds: dict[LandCover, float]

    @classmethod
    def surveyed(cls, world: World, noise: Noise, year: int, legend: MapLegend, wrong: float) -> "LabelMap":
        """Thresholds such that the share `wrong` of all cells gets a code of another class."""
        unset = cls(world, noise, year, legend, {})
        thinned = (slice(None, None, _SAMPLED),) * 2
        samples = [(classes[thinned].ravel(), doubt[thinned].ravel()) for _, _, classes, doubt in unset._windows()]
        classes, doubt = (np.concatenate(part) for part in zip(*samples, strict=True))
        shares = {kind: float((classes == kind).mean()) for kind in _PROPENSITY}
        scale = wrong / sum(shares[kind] * weight for kind, weight in _PROPENSITY.items())
        thresholds = {
            kind: float(np.quantile(doubt[classes == kind], max(0.0, 1 - scale * weight))) if shares[kind] else 0.0
            for kind, weight in _PROPENSITY.items()
        }
        return cls(world, noise, year, legend, thresholds)

    def windows(self) -> Iterator[tuple[Window, npt.NDArray[np.uint8]]]:
        """The map's codes, window by window."""
        for window, cover, classes, doubt in self._windows():
            codes = self.legend.codes[cover]
            pick = np.clip(2 + 1.2 * self.noise.smooth(*self.world.axes(window), 700, f"{self.legend.name} pick"), 0, 3)
            for kind, wrong in self.legend.mistaken.items():
                mistaken = (classes == kind) & (doubt > self.thresholds[kind])
                codes[mistaken] = np.array(wrong, dtype=np.uint8)[pick[mistaken].astype(np.uint8)]
            yield window, codes

    def _windows(self) -> Iterator[tuple[Window, npt.NDArray[np.uint8], npt.NDArray[np.uint8], FloatArray]]:
        """Window, cover, class, and how doubtful each cell is: by parcel on fields, in clumps elsewhere."""
        for window in self.world.windows():
            y_m, x_m = self.world.axes(window)
            cover = np.asarray(self.world.layer(str(self.year))[window])
            farm = parcels(self.noise, y_m, x_m)
            fields = (cover >= Cover.WINTER_CEREAL) & (cover <= Cover.VINEYARD)
            of_parcel = 3.4 * (self.noise.uniform(farm.row, farm.column, f"{self.legend.name} parcel") - 0.5)
            clumps = self.noise.smooth(y_m, x_m, 240, f"{self.legend.name} clumps", 3)
            doubt = np.where(fields, of_parcel + 0.35 * clumps, clumps) + 0.5 * np.isin(cover, _BARE)
            yield window, cover, LAND_COVER[cover], doubt.astype(np.float32)
