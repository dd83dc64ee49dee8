"""A window of a pair as numbers that are stored: what the network sees, what it must tell, and what hides either."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.legend import HIDING, Sky
from containers.base.contract.pair import OpticalImage, Pair
from containers.base.contract.radar import BackscatterResult
from containers.base.contract.step import StepError
from containers.base.decibel import DB_NODATA, filled_gaps, to_decibel
from containers.base.raster import read_band
from containers.base.scalers import Channel
from containers.base.step import local_path


class PairTile(NamedTuple):
    """One window."""

    inputs: NDArray[np.int16]
    """(y, x, channel), nodata −32768."""
    target: NDArray[np.int16]
    """(y, x, band): the image of t1 as it was seen, clouds and all."""
    sky_t0: NDArray[np.uint8]
    sky_t1: NDArray[np.uint8]
    filled: dict[str, int]
    """Radar channel to the number of cells in small gaps that were closed."""


def is_seen(sky: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the ground is seen: classes that are known and hide nothing."""
    seen: NDArray[np.bool_] = (sky != Sky.NODATA) & ~np.isin(sky, HIDING)
    return seen


def read_pair_tile(pair: Pair, channels: Sequence[Channel], bands: Sequence[Channel], window: Window) -> PairTile:
    """Gaps of radar are closed within the window, in linear power, before it goes to decibels."""
    layers, filled = [], {}
    for channel in channels:
        name = channel.name.removesuffix(f"_{channel.date}")
        if channel.unit == "dB":
            power = read_band(local_path(_radar(pair, channel.date).bands[name]), window)  # type: ignore[index]
            decibel = to_decibel(filled_gaps(power))
            filled[channel.name] = int(((decibel != DB_NODATA) & (to_decibel(power) == DB_NODATA)).sum())
            layers.append(decibel)
        else:
            layers.append(read_band(local_path(_optical(pair, channel.date).bands[name]), window))
    target = [read_band(local_path(pair.optical_t1.bands[band.name]), window) for band in bands]
    sky_t0, sky_t1 = (read_band(local_path(image.sky), window) for image in (pair.optical_t0, pair.optical_t1))
    return PairTile(np.stack(layers, axis=-1), np.stack(target, axis=-1), sky_t0, sky_t1, filled)


def require_layers(pair: Pair, polarisations: Sequence[str], bands: Sequence[str]) -> None:
    """Raises `unknown_band` where an image of the pair lacks one of them."""
    images: dict[str, tuple[Sequence[str], Collection[str]]] = {
        "radar t0": (polarisations, list(pair.radar_t0.bands)),
        "radar t1": (polarisations, list(pair.radar_t1.bands)),
        "optical t0": (bands, pair.optical_t0.bands),
        "optical t1": (bands, pair.optical_t1.bands),
    }
    for image, (wanted, held) in images.items():
        if missing := set(wanted) - set(held):
            reason = f"{pair.label} lacks {sorted(missing)} in its {image}; it has {sorted(held)}."
            raise StepError("unknown_band", reason, "Leave them out of the parameters, or make them.")


def _radar(pair: Pair, date: str) -> BackscatterResult:
    return pair.radar_t0 if date == "t0" else pair.radar_t1


def _optical(pair: Pair, date: str) -> OpticalImage:
    return pair.optical_t0 if date == "t0" else pair.optical_t1
