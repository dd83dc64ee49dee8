"""Reflectance of the pastures on a day: two types mixed in each cell, on the soil of their pasture, without snow."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from containers.eodata.alpine.meadow import Differences, Meadow, Summer, canopy
from containers.eodata.alpine.snow import Fall, falls, snow_on
from containers.eodata.alpine.types import GRAIN, HUE, LOOKS, TONE, PlantType
from containers.eodata.colours import HUE_SLOPES, all_bands
from containers.eodata.noise import FloatArray, Noise
from containers.eodata.spectra import DEVIATE

_MOISTURE_DARKENS: Final = 0.33
_NOTHING: Final = (0.0,) * 10


def _spectra(part: str) -> dict[str, FloatArray]:
    rows = [getattr(LOOKS[kind], part) if kind in LOOKS else _NOTHING for kind in PlantType]
    return all_bands(np.array(rows, dtype=np.float32))


_LEAF, _GROUND = _spectra("leaf"), _spectra("ground")


@dataclass(frozen=True)
class AlpineDay:
    """One day on the pastures."""

    day: float
    """Day of the year, 1 is 1 January."""
    summer: Summer
    differences: Differences
    fallen: list[Fall]

    @classmethod
    def on(cls, seed: int, day: date) -> "AlpineDay":
        """The day in its year."""
        noise, number = Noise(seed), day.timetuple().tm_yday
        return cls(number, Summer.of(noise, day.year), Differences.of(noise), falls(noise, day.year))

    def reflectance(
        self, meadow: Meadow, moisture: float, bands: tuple[str, ...]
    ) -> tuple[dict[str, FloatArray], FloatArray]:
        """Reflectance per band and share under green leaves; 0 where no type grows."""
        share = meadow.share.astype(np.float32) / 255
        parts = [(kind, canopy(meadow, kind, self.day, self.summer, self.differences)) for kind in meadow[:2]]
        bright, hue = self._looks(meadow)
        wet = np.float32(1 - _MOISTURE_DARKENS * moisture)
        found = {}
        for band in bands:
            first, second = (
                _GROUND[band][kind] * wet * (1 - green) + _LEAF[band][kind] * green for kind, green in parts
            )
            mixed = first + share * (second - first)
            found[band] = (mixed * bright * np.exp(np.float32(HUE_SLOPES[band]) * hue)).astype(np.float32)
        green = parts[0][1] + share * (parts[1][1] - parts[0][1])
        return found, green.astype(np.float32)

    def snow(self, meadow: Meadow) -> FloatArray:
        """Share of each cell under snow."""
        return snow_on(self.day, self.fallen, meadow.melt, meadow.height)

    def _looks(self, meadow: Meadow) -> tuple[FloatArray, FloatArray]:
        """Factor on the brightness, and how far short-wave infrared stands out against the visible."""
        of_pasture = meadow.pasture.astype(np.int64) * len(PlantType) + meadow.kind
        tone = self.differences.tone[of_pasture] + TONE * DEVIATE[meadow.tone] + GRAIN * DEVIATE[meadow.grain]
        hue = self.differences.hue[of_pasture] + HUE * DEVIATE[meadow.hue]
        return np.exp(tone).astype(np.float32), hue.astype(np.float32)
