"""Scalers fitted in one pass, exactly, in bounded memory: of int16 values, their histogram tells everything."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.step import StepError
from containers.base.scalers import STORED_NODATA, Channel, Scaler
from containers.gdal.contract.dataset import ScalerMethod, Scaling

RADAR_UNIT = "dB"


class Histograms:
    """How often each stored value occurs, per group of channels."""

    def __init__(self) -> None:
        self._counts: dict[str, NDArray[np.int64]] = {}
        self._channels: dict[str, Channel] = {}

    def add(self, stored: NDArray[np.int16], channels: Sequence[Channel], seen: NDArray[np.bool_]) -> None:
        """Count the values (y, x, channel) of cells that are seen, bool (y, x), and hold data."""
        for number, channel in enumerate(channels):
            values = stored[..., number][seen & (stored[..., number] != STORED_NODATA)]
            counts = np.bincount(values.astype(np.int32) - STORED_NODATA, minlength=1 << 16)
            self._channels.setdefault(channel.group, channel)
            self._counts[channel.group] = self._counts.get(channel.group, np.int64(0)) + counts

    def scalers(self, scaling: Scaling) -> dict[str, Scaler]:
        """One per group. Raises `bad_dataset` where a group has no values, or only one."""
        found = {}
        for group, channel in self._channels.items():
            centre, spread = centre_and_spread(self._counts[group], scaling.method)
            if not spread > 0:
                raise _constant(group, int(self._counts[group].sum()))
            is_radar = channel.unit == RADAR_UNIT
            found[group] = Scaler(
                centre=centre * channel.scale,
                spread=spread * channel.scale,
                factor=scaling.radar_factor if is_radar else scaling.optical_factor,
                clip=None if is_radar else scaling.clip_optical,
            )
        return found


def centre_and_spread(counts: NDArray[np.int64], method: ScalerMethod) -> tuple[float, float]:
    """Of stored values, whose numbers are counted from the lowest of int16; NaN where there are none.

    z_score: mean and standard deviation; min_max: minimum and range; plus_minus_one: middle and half the range.
    """
    if not counts.any():
        return np.nan, np.nan
    values: Any = np.flatnonzero(counts) + STORED_NODATA
    weights = counts[counts > 0]
    low, high = float(values[0]), float(values[-1])
    if method == "min_max":
        return low, high - low
    if method == "plus_minus_one":
        return (low + high) / 2, (high - low) / 2
    mean = float(np.average(values, weights=weights))
    return mean, float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))


def _constant(group: str, cells: int) -> StepError:
    what = "one value only" if cells else "no value"
    return StepError(
        "bad_dataset",
        f"The scaler {group} cannot be fitted: {cells} clear cells of training tiles hold {what}.",
        "Check the images, choose clearer ones, or leave the band or polarisation out.",
    )
