"""From digital numbers to beta nought without border noise, speckle and thermal noise: the part that the area needs."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.radar import Backscatter
from containers.base.raster import grown
from containers.sarsen.border import REACH, border_noise
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
    """Percentile of the whole slice's power above which pixels may be point targets."""


def open_image(channel: Channel, shape: tuple[int, int]) -> Image:
    """Reads tables and a sample of lines. Raises `corrupt_file` for a measurement that is zero, short or unreadable."""
    calibration, noise = read_calibration(channel.calibration), read_noise(channel.noise)
    lines, numbers = sampled_lines(channel.measurement, shape)
    amplitude = np.concatenate([calibration.at(Window(0, line, shape[1], 1)) for line in lines])
    power = (numbers / amplitude) ** 2
    return Image(channel, shape, calibration, noise, float(np.percentile(power[numbers > 0], BRIGHT_PERCENTILE)))


class Strip(NamedTuple):
    """Some rows of beta nought, multilooked."""

    window: Window
    """In multilooked pixels of the whole image."""
    beta: Array
    filled: int
    """Pixels that had no power left after noise removal and were filled from their neighbours."""


def strips(image: Image, window: Window, params: Backscatter) -> Iterator[Strip]:
    """Beta nought of a window of the multilooked image from top to bottom.

    Whole rows of the file are decoded anyway, so a strip is as wide as the window and as high as memory allows.
    """
    looks = params.multilook
    rows = max(1, STRIP_PIXELS // (int(window.width) * looks * looks))
    with open_measurement(image.channel.measurement) as source:
        for row in range(int(window.row_off), int(window.row_off + window.height), rows):
            height = min(rows, int(window.row_off + window.height) - row)
            part = Window(window.col_off, row, window.width, height)
            yield _strip(image, source, part, params)


def _strip(image: Image, source: object, part: Window, params: Backscatter) -> Strip:
    looks, shape = params.multilook, looked_shape(image.shape, params.multilook)
    around, inner = grown(part, _FILL_HALF, shape)
    pixels = Window(*(looks * size for size in (around.col_off, around.row_off)), *_pixel_size(around, image, looks))
    reach = REACH + reach_px(params.speckle)
    wide, kept = _grown(pixels, reach, reach + params.border_px, image.shape)
    numbers, noise, amplitude = read_numbers(source, wide), image.noise.at(wide), image.calibration.at(wide)
    power, noise = calibrated(numbers, noise, amplitude, params.border_px)
    total = mean_of_looks(filtered(power, params.speckle, image.bright)[kept], looks)
    below = mean_of_looks(noise[kept], looks)
    signal = total - below if params.noise_removal else total
    beta, filled = without_holes(signal, below * np.float32(FLOOR))
    return Strip(part, beta[inner], int(np.count_nonzero(filled[inner])))


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
    beta = np.where(low, filled, signal)
    return np.where(beta > 0, beta, np.float32(np.nan)), low


def looked_shape(shape: tuple[int, int], looks: int) -> tuple[int, int]:
    """(rows, columns) of the multilooked image; what is left over at its end counts as a pixel."""
    return -(-shape[0] // looks), -(-shape[1] // looks)


def _pixel_size(part: Window, image: Image, looks: int) -> tuple[int, int]:
    """(width, height) in pixels of a window of multilooked ones, cut at the image's end."""
    return (
        min(int(part.width) * looks, image.shape[1] - int(part.col_off) * looks),
        min(int(part.height) * looks, image.shape[0] - int(part.row_off) * looks),
    )


def _grown(window: Window, rows: int, cols: int, shape: tuple[int, int]) -> tuple[Window, tuple[slice, slice]]:
    """`grown` with another margin along the columns."""
    high, (inner_rows, _) = grown(window, rows, shape)
    wide, (_, inner_cols) = grown(window, cols, shape)
    return Window(wide.col_off, high.row_off, wide.width, high.height), (inner_rows, inner_cols)
