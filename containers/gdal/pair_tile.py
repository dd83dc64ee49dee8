"""A window of a pair as numbers that are stored: what the network sees, what it must tell, and what hides either."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import File
from containers.base.contract.legend import HIDING, Sky
from containers.base.contract.pair import Pair
from containers.base.contract.step import StepError
from containers.base.decibel import DB_NODATA, filled_gaps, has_power, to_decibel
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
    filled: tuple[int, ...]
    """Per radar channel the number of cells in small gaps that were closed."""


def is_seen(sky: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the ground is seen: classes that are known and hide nothing."""
    seen: NDArray[np.bool_] = (sky != Sky.NODATA) & ~np.isin(sky, HIDING)
    return seen


class PairWindow(NamedTuple):
    """What the rasters hold in one window, layers first; tiles are cut out of it."""

    power: NDArray[np.float32]
    """(radar channel, y, x), linear."""
    optical: NDArray[np.int16]
    """(optical channel, y, x)."""
    target: NDArray[np.int16]
    sky_t0: NDArray[np.uint8]
    sky_t1: NDArray[np.uint8]

    def tile(self, cols: slice) -> PairTile:
        """Some columns of it. Gaps of radar are closed within them, in linear power, before it goes to decibels."""
        radar = [to_decibel(filled_gaps(power[:, cols])) for power in self.power]
        gaps = (~has_power(power[:, cols]) for power in self.power)
        return PairTile(
            np.stack([*radar, *self.optical[..., cols]], axis=-1),
            np.stack(list(self.target[..., cols]), axis=-1),
            np.ascontiguousarray(self.sky_t0[:, cols]),
            np.ascontiguousarray(self.sky_t1[:, cols]),
            tuple(int((gap & (decibel != DB_NODATA)).sum()) for gap, decibel in zip(gaps, radar, strict=True)),
        )


def read_pair(pair: Pair, channels: Sequence[Channel], bands: Sequence[Channel], window: Window) -> PairWindow:
    """`channels` are radar first, as `dataset_layout.channels_of` orders them."""
    images = {"t0": (pair.radar_t0, pair.optical_t0), "t1": (pair.radar_t1, pair.optical_t1)}
    layers: dict[str, list[NDArray[Any]]] = {"dB": [], "1": []}
    for channel in channels:
        radar, optical = images[channel.date]
        held: Mapping[Any, File] = radar.bands if channel.unit == "dB" else optical.bands
        layers[channel.unit].append(read_band(local_path(held[channel.name.removesuffix(f"_{channel.date}")]), window))
    target = [read_band(local_path(pair.optical_t1.bands[band.name]), window) for band in bands]
    sky_t0, sky_t1 = (read_band(local_path(image.sky), window) for image in (pair.optical_t0, pair.optical_t1))
    return PairWindow(np.stack(layers["dB"]), np.stack(layers["1"]), np.stack(target), sky_t0, sky_t1)


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
