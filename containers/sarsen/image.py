"""From digital numbers to gamma nought without border noise, relief, speckle and thermal noise, where the area is."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.radar import Backscatter
from containers.base.raster import grown
from containers.sarsen.border import REACH, border_noise
from containers.sarsen.flattening import area_share
from containers.sarsen.lee_sigma import BRIGHT_PERCENTILE
from containers.sarsen.lut import Noise, Table, read_calibration, read_noise
from containers.sarsen.measurement import open_measurement, read_numbers, sampled_lines
from containers.sarsen.safe import Channel
from containers.sarsen.shifts import Array, window_sums
from containers.sarsen.speckle import filtered, reach_px

STRIP_PIXELS: Final = 4_000_000
FLOOR: Final = 0.01
"""Power below this share of the noise that was subtracted is rounding and no signal."""
_FILL_HALF: Final = 3


class Image(NamedTuple):
    """One polarisation of a slice, tested and ready to be read."""

    channel: Channel
    shape: tuple[int, int]
    calibration: Table
    noise: Noise
    bright: float
    """Percentile of the whole slice's gamma nought above which pixels may be point targets."""


class Strip(NamedTuple):
    """Some rows of gamma nought, multilooked; linear power above 0 or NaN."""

    window: Window
    """In multilooked pixels of the whole image."""
    gamma: Array
    filled: int
    """Pixels that had no power left after noise removal and were filled from their neighbours."""


def open_image(channel: Channel, shape: tuple[int, int]) -> Image:
    """Reads tables and a sample of lines. Raises `corrupt_file` for a measurement that is zero, short or unreadable."""
    lines, numbers = sampled_lines(channel.measurement, shape)
    level = read_calibration(channel.calibration, "gamma")
    amplitude = np.concatenate([level.at(Window(0, line, shape[1], 1)) for line in lines])
    bright = np.percentile((numbers / amplitude)[numbers > 0] ** 2, BRIGHT_PERCENTILE)
    beta = read_calibration(channel.calibration, "betaNought")
    return Image(channel, shape, beta, read_noise(channel.noise), float(bright))


def strips(image: Image, window: Window, areas: NDArray[np.float64], params: Backscatter) -> Iterator[Strip]:
    """A window of the multilooked image from top to bottom; `areas` is what `add_facets` laid down in it.

    Whole rows of the file are decoded anyway, so a strip is as wide as the window and as high as memory allows.
    """
    rows = max(1, STRIP_PIXELS // (int(window.width) * params.multilook**2))
    with open_measurement(image.channel.measurement) as source:
        for row in range(int(window.row_off), int(window.row_off + window.height), rows):
            height = min(rows, int(window.row_off + window.height) - row)
            part = Window(window.col_off, row, window.width, height)
            around, inner = grown(part, _FILL_HALF, looked_shape(image.shape, params.multilook))
            wide, kept = _pixels(around, image.shape, params)
            power, noise = _calibrated(image, source, wide, params.border_px)
            share = area_share(areas, window, wide, params.multilook)
            gamma, filled = without_speckle(power / share, noise / share, kept, image.bright, params)
            yield Strip(part, gamma[inner], int(np.count_nonzero(filled[inner])))


def without_speckle(
    power: Array, noise: Array, kept: tuple[slice, slice], bright: float, params: Backscatter
) -> tuple[Array, NDArray[np.bool_]]:
    """Gamma nought of the multilooked `kept` part, and where it was filled; (y, x).

    Speckle is filtered while thermal noise is still on the signal, and noise subtracted from the means: their sum is
    what fluctuates like speckle, and nothing has to be clipped before it is averaged.
    """
    total = mean_of_looks(filtered(power, params.speckle, bright)[kept], params.multilook)
    below = mean_of_looks(noise[kept], params.multilook)
    return without_holes(total - below if params.noise_removal else total, below * np.float32(FLOOR))


def _calibrated(image: Image, source: Any, wide: Window, border_px: int) -> tuple[Array, Array]:
    numbers = read_numbers(source, wide)
    return calibrated(numbers, image.noise.at(wide), image.calibration.at(wide), border_px)


def calibrated(
    numbers: NDArray[np.uint16], noise: NDArray[np.float32], amplitude: NDArray[np.float32], border_px: int
) -> tuple[Array, Array]:
    """Beta nought with its thermal noise, NaN where nothing was received, and that noise; (y, x), linear power.

    beta nought = DN² / A² (Sentinel-1 product specification S1-RS-MDA-52-7441, section 9.1).
    """
    square = numbers.astype(np.int64) ** 2
    scale = 1 / amplitude**2
    power = (square * scale).astype(np.float32)
    power[border_noise(square, noise, border_px)] = np.nan
    return power, (noise * scale).astype(np.float32)


def mean_of_looks(power: Array, looks: int) -> Array:
    """Means of `looks` × `looks` pixels, NaN where less than half of them hold data; the last ones may be smaller."""
    if looks == 1:
        return power
    ends = [(0, -size % looks) for size in power.shape]
    padded = np.pad(power, ends, constant_values=np.nan)
    blocks = padded.reshape(padded.shape[0] // looks, looks, -1, looks)
    there = np.pad(np.ones(power.shape, bool), ends).reshape(blocks.shape)
    count = (~np.isnan(blocks)).sum(axis=(1, 3))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(blocks, axis=(1, 3), dtype=np.float64) / count
    return np.where(2 * count >= there.sum(axis=(1, 3)), mean, np.nan).astype(np.float32)


def without_holes(signal: Array, floor: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Power above 0 or NaN, and where it was filled; (y, x).

    What noise removal leaves at or below the floor becomes the mean of the pixels around that have power, in 7 × 7,
    or the floor where there are none.
    """
    with np.errstate(invalid="ignore"):
        low = (signal <= floor) | (signal <= 0)
    around = window_sums(np.where(low, np.float32(np.nan), signal), _FILL_HALF).mean()
    filled = np.where(np.isnan(around), floor, around)
    power = np.where(low, filled, signal)
    return np.where(power > 0, power, np.float32(np.nan)), low


def looked_shape(shape: tuple[int, int], looks: int) -> tuple[int, int]:
    """(rows, columns) of the multilooked image; what is left over at its end counts as a pixel."""
    return -(-shape[0] // looks), -(-shape[1] // looks)


def _pixels(part: Window, shape: tuple[int, int], params: Backscatter) -> tuple[Window, tuple[slice, slice]]:
    """The image's own pixels that a window of multilooked ones depends on, and where it lies in them."""
    looks, reach = params.multilook, REACH + reach_px(params.speckle)
    left, top = int(part.col_off) * looks, int(part.row_off) * looks
    right = min(left + int(part.width) * looks, shape[1])
    bottom = min(top + int(part.height) * looks, shape[0])
    pixels = Window(left, top, right - left, bottom - top)
    high, (rows, _) = grown(pixels, reach, shape)
    wide, (_, cols) = grown(pixels, reach + params.border_px, shape)
    return Window(wide.col_off, high.row_off, wide.width, high.height), (rows, cols)
