"""From reflectance to network input: robust constants per band, learnt on the training blocks alone."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from containers.base.contract.legend import REFLECTANCE_NODATA
from containers.base.contract.model import Contract

LIMIT: Final = 6.0
"""Inputs are limited to ± this many spreads: one bright cloud must not outshout its patch."""


class Normalisation(Contract):
    """Input = (reflectance − centre) / spread."""

    centre: tuple[float, ...] = Field(description="Median per band, reflectance × 10 000")
    spread: tuple[float, ...] = Field(description="Half of the 16–84 % range per band, reflectance × 10 000")


Normalisations = Mapping[str, Normalisation]
"""By period."""


def has_data(reflectance: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Where reflectance (band, y, x) of the cube reader holds data: bool (y, x)."""
    known: NDArray[np.bool_] = reflectance[0] != REFLECTANCE_NODATA
    return known


def fit_normalisation(windows: list[NDArray[np.int16]]) -> Normalisation:
    """Constants over all cells with data of the windows, int16 (band, y, x)."""
    valid = np.concatenate([window[:, has_data(window)] for window in windows], axis=1)
    low, centre, high = np.percentile(valid, (16, 50, 84), axis=1)
    return Normalisation(centre=tuple(centre.tolist()), spread=tuple(np.maximum((high - low) / 2, 1.0).tolist()))


def normalise(reflectance: NDArray[np.int16], normalisation: Normalisation) -> NDArray[np.float32]:
    """Reflectance int16 (band, y, x) to network input float32 (y, x, band), within ±LIMIT; 0 where there is no data."""
    values = np.moveaxis(reflectance, 0, -1).astype(np.float32)
    values -= np.asarray(normalisation.centre, np.float32)
    values /= np.asarray(normalisation.spread, np.float32)
    np.clip(values, -LIMIT, LIMIT, out=values)
    values[~has_data(reflectance)] = 0
    return values
