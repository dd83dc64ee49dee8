"""From stored values to what a network likes, and back: physical units first, then one scaler per group of channels.

scaled = (physical − centre) / spread · factor, then clipped: what training, prediction and dataset have in common.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from containers.base.contract.model import Contract

STORED_NODATA = -32768

Array = NDArray[Any]


class Channel(Contract):
    """The last axis of stored values, int16 with nodata −32768."""

    name: str = Field(description="Such as vv_t0 or red_t0; bands of the target are called after the band alone")
    group: str = Field(description="Its scaler")
    date: Literal["t0", "t1"]
    scale: float = Field(gt=0, description="Physical value = stored value × this")
    unit: str = Field(description="dB, or 1 for reflectance")


class Scaler(Contract):
    """One group's constants, in physical units."""

    centre: float
    spread: float = Field(gt=0)
    factor: float = Field(gt=0)
    clip: float | None = Field(default=None, gt=0, description="Scaled values end at ± this; empty: nowhere")


Scalers = Mapping[str, Scaler]
"""Group to its scaler."""


def physical(stored: Array, channels: Sequence[Channel]) -> NDArray[np.float32]:
    """Stored int16 (…, channel) in dB and reflectance; NaN where there is no data."""
    scales = np.array([channel.scale for channel in channels], np.float32)
    return np.where(stored == STORED_NODATA, np.float32(np.nan), stored * scales)


def stored(values: Array, channels: Sequence[Channel]) -> NDArray[np.int16]:
    """Physical values (…, channel) as int16; NaN becomes nodata, and what int16 cannot hold its nearest number."""
    numbers = np.rint(values / np.array([channel.scale for channel in channels]))
    numbers = np.clip(numbers, STORED_NODATA + 1, -STORED_NODATA - 1)
    return np.where(np.isnan(numbers), STORED_NODATA, numbers).astype(np.int16)


def scale(values: Array, channels: Sequence[Channel], scalers: Scalers) -> NDArray[np.float32]:
    """Physical values (…, channel) as the network sees them; NaN stays NaN."""
    centre, spread, factor = _constants(channels, scalers)
    limit = [scalers[channel.group].clip or np.inf for channel in channels]
    scaled = (values - centre) / spread * factor
    clipped: NDArray[np.float32] = np.clip(scaled, -np.array(limit), limit).astype(np.float32)
    return clipped


def unscale(scaled: Array, channels: Sequence[Channel], scalers: Scalers) -> NDArray[np.float32]:
    """What `scale` was given; what it clipped comes back as the limit."""
    centre, spread, factor = _constants(channels, scalers)
    values: NDArray[np.float32] = np.multiply(scaled, (spread / factor).astype(np.float32), dtype=np.float32)
    values += centre.astype(np.float32)
    return values


def _constants(channels: Sequence[Channel], scalers: Scalers) -> NDArray[np.float64]:
    """Centre, spread and factor of every channel; (constant, channel)."""
    own = [scalers[channel.group] for channel in channels]
    return np.array([[each.centre, each.spread, each.factor] for each in own], np.float64).T
