"""What the cells of the pastures are made of, and how green they are on any day."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from containers.eodata.alpine.types import PlantType, growth
from containers.eodata.noise import FloatArray, Noise
from containers.eodata.spectra import DEVIATE

ByteArray = npt.NDArray[np.uint8]
_PASTURES: Final = 256
_KINDS: Final = len(PlantType)
_TIMING_DAYS, _VIGOUR = 5.0, 0.08
"""Standard deviations within a type, of days and of the share under leaves."""
_AUTUMN_DAYS_PER_M: Final = 0.012
_DRY_DAY, _DRY_DAYS = 205.0, 11.0
_GRAZING_DAYS, _REGROWTH_DAYS = 4.0, 38.0
_GROWTH: Final = {name: growth(name) for name in ("lowest", "peak", "lag", "rise", "end", "fall", "drying", "eaten")}


class Meadow(NamedTuple):
    """Cells of the pastures and around them, arrays of one shape; see `habitat.Stand`."""

    kind: ByteArray
    second: ByteArray
    share: ByteArray
    pasture: ByteArray
    height: FloatArray
    melt: FloatArray
    """Day of one year."""
    tone: ByteArray
    hue: ByteArray
    vigour: ByteArray
    grain: ByteArray
    timing: ByteArray


@dataclass(frozen=True)
class Differences:
    """How pastures differ in soil, management and plants: tables of pasture × type, flattened, and of pasture."""

    days: FloatArray
    vigour: FloatArray
    tone: FloatArray
    hue: FloatArray
    drying: FloatArray
    """Factor, by pasture."""

    @classmethod
    def of(cls, noise: Noise) -> "Differences":
        """The same in every year."""
        numbers, kinds = np.arange(_PASTURES)[:, None], np.arange(_KINDS)[None, :]

        def deviates(salt: str, shared: float, own: float) -> FloatArray:
            common = np.float32(shared) * (2 * noise.uniform(numbers, 0, f"pasture {salt}") - 1)
            table: FloatArray = common + np.float32(own) * (
                2 * noise.uniform(numbers, kinds + 1, f"pasture {salt}") - 1
            )
            return table

        return cls(
            deviates("days", 5, 3).ravel(),
            deviates("vigour", 0.07, 0.04).ravel(),
            deviates("tone", 0.11, 0.05).ravel(),
            deviates("hue", 0.09, 0.04).ravel(),
            (1 + deviates("drying", 0.5, 0.0))[:, 0],
        )


@dataclass(frozen=True)
class Summer:
    """The weather of a summer, and when each pasture is grazed in it."""

    start_days: FloatArray
    """By type."""
    end_days: FloatArray
    vigour: FloatArray
    dryness: float
    grazed_on: FloatArray
    """Day of the year by pasture."""
    grazed: FloatArray
    """How much of what can be eaten is, by pasture."""

    @classmethod
    def of(cls, noise: Noise, year: int) -> "Summer":
        """Anomalies shared by all plants, those of each type, and the herders' choices."""
        kinds, numbers = np.arange(_KINDS), np.arange(_PASTURES)

        def deviates(salt: str, shared: float, own: float) -> FloatArray:
            common = 2 * float(noise.uniform(year, 0, f"summer {salt}")) - 1
            each = 2 * noise.uniform(year, kinds + 1, f"summer {salt}") - 1
            return np.float32(shared * common) + np.float32(own) * each

        late = noise.uniform(numbers, year, "grazing day")
        habit = noise.uniform(numbers, 0, "grazing habit")
        much = 0.75 * noise.uniform(numbers, 1, "grazing share") + 0.25 * noise.uniform(numbers, year, "grazing share")
        return cls(
            deviates("start", 4, 3),
            deviates("end", 8, 4),
            1 + deviates("vigour", 0.05, 0.04),
            float(0.35 + 1.1 * noise.uniform(year, 0, "dry summer")),
            (165 + 55 * habit + 16 * (late - 0.5)).astype(np.float32),
            np.where(much < 0.2, 0.05, much).astype(np.float32),
        )


def canopy(meadow: Meadow, kind: ByteArray, day: float, summer: Summer, differences: Differences) -> FloatArray:
    """Share of ground under green leaves if each cell were of `kind`; 0 for none.

    A double logistic between snow-melt and autumn, of which drought and grazing take their parts.
    """
    of_pasture = meadow.pasture.astype(np.int64) * _KINDS + kind
    late = differences.days[of_pasture] + np.float32(_TIMING_DAYS) * DEVIATE[meadow.timing]
    rise, fall = _GROWTH["rise"][kind], _GROWTH["fall"][kind]
    start = meadow.melt + (_GROWTH["lag"] + summer.start_days)[kind] + late
    end = (_GROWTH["end"] + summer.end_days)[kind] + 0.5 * late
    end = end - np.float32(_AUTUMN_DAYS_PER_M) * (meadow.height - 1500)
    safe_rise, safe_fall = np.where(kind > 0, rise, 1), np.where(kind > 0, fall, 1)
    grown = expit((np.float32(day) - start) / safe_rise) * expit((end - np.float32(day)) / safe_fall)
    dry = _GROWTH["drying"][kind] * summer.dryness * differences.drying[meadow.pasture]
    dry = dry * np.clip(1 - 0.8 * DEVIATE[meadow.hue], 0, 2.2) * expit((day - _DRY_DAY) / _DRY_DAYS)
    since = np.float32(day) - summer.grazed_on[meadow.pasture]
    eaten = _GROWTH["eaten"][kind] * summer.grazed[meadow.pasture] * (meadow.pasture > 0)
    eaten = eaten * expit(since / _GRAZING_DAYS) * np.exp(-np.clip(since, 0, None) / _REGROWTH_DAYS)
    lowest = _GROWTH["lowest"][kind]
    peak = _GROWTH["peak"][kind] * summer.vigour[kind] + differences.vigour[of_pasture]
    peak = np.clip(peak + np.float32(_VIGOUR) * DEVIATE[meadow.vigour], lowest, 0.97)
    green: FloatArray = lowest + (peak - lowest) * grown * (1 - np.clip(dry, 0, 0.85)) * (1 - eaten)
    return np.where(kind > 0, green, 0).astype(np.float32)
