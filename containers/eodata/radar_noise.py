"""Thermal noise of a radar image, as its noise tables describe it."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.eodata.radar_geometry import Frame
from containers.eodata.radar_orbit import Array

BETA_NOUGHT: Final = 474.0
"""Digital number of a pixel whose beta nought is 1: DN² / 474² is beta nought."""
STEP_PX: Final = 40
"""Samples between the entries of a table along range."""
_LINE_STEP: Final = 10
_SWATHS_DEG: Final = (("IW1", 0.0, 36.5), ("IW2", 36.5, 41.8), ("IW3", 41.8, 90.0))
"""Sub-swath and the incidence angles where they meet, about those of the mission."""
_MIDDLE_DEG: Final = {"IW1": 33.5, "IW2": 39.2, "IW3": 44.0}
_FLOOR_DB: Final = -26.0
"""Noise-equivalent sigma nought in the middle of a sub-swath; it rises by 3 dB towards the edge, as the beam falls."""
_RISE_DB_DEG2: Final = 3.0 / 2.7**2
_BURST_CYCLE_S: Final = 2.758273
_SCALLOPING: Final = 0.25


class Swath(NamedTuple):
    """The samples of an image that come from one sub-swath: first and last."""

    name: str
    first: int
    last: int


class NoiseTables(NamedTuple):
    """Noise power in DN²: `range_power` at `samples`, times the factor of the swath at `lines`."""

    swaths: tuple[Swath, ...]
    samples: npt.NDArray[np.int64]
    range_power: Array
    lines: npt.NDArray[np.int64]
    azimuth_factors: tuple[Array, ...]
    """Per swath, at `lines`: the scalloping of the bursts."""

    def power(self, frame: Frame) -> Array:
        """Noise in DN² as tools interpolate it: (lines, samples)."""
        across = np.interp(np.arange(frame.samples), self.samples, self.range_power)
        along = np.empty((frame.lines, frame.samples))
        for swath, factors in zip(self.swaths, self.azimuth_factors, strict=True):
            along[:, swath.first : swath.last + 1] = np.interp(np.arange(frame.lines), self.lines, factors)[:, None]
        return across * along


def swaths(frame: Frame) -> tuple[Swath, ...]:
    """The sub-swaths that the image holds."""
    incidence = frame.incidence_deg(np.arange(frame.samples, dtype=np.float64))
    found = []
    for name, near, far in _SWATHS_DEG:
        inside = np.flatnonzero((incidence >= near) & (incidence < far))
        if inside.size:
            found.append(Swath(name, int(inside[0]), int(inside[-1])))
    return tuple(found)


def table_samples(frame: Frame, extra: list[int]) -> npt.NDArray[np.int64]:
    """Every 40th sample, the last one and some more."""
    return np.unique([*range(0, frame.samples, STEP_PX), frame.samples - 1, *extra]).astype(np.int64)


def _scalloping(phase: Array) -> Array:
    return 1 + _SCALLOPING * (2 * phase - 1) ** 2


def noise_tables(frame: Frame) -> NoiseTables:
    """Tables of a slice. The bursts count on from the datatake's time 0, so that slices of one datatake agree."""
    parts = swaths(frame)
    samples = table_samples(frame, [end for part in parts for end in (part.first, part.last)])
    incidence = frame.incidence_deg(samples.astype(np.float64))
    middle = np.empty(len(samples))
    for part in parts:
        middle[(samples >= part.first) & (samples <= part.last)] = _MIDDLE_DEG[part.name]
    decibel = _FLOOR_DB + _RISE_DB_DEG2 * (incidence - middle) ** 2
    beta = 10 ** (decibel / 10) / np.sin(np.radians(incidence))
    lines = np.unique([*range(0, frame.lines, _LINE_STEP), frame.lines - 1]).astype(np.int64)
    times = frame.times_s(lines)
    phases = [(times / _BURST_CYCLE_S + int(part.name[-1]) / 3) % 1 for part in parts]
    return NoiseTables(
        parts, samples, beta * BETA_NOUGHT**2, lines,
        tuple(_scalloping(phase) for phase in phases),
    )  # fmt: skip
