"""The look-up tables of a product: calibration to beta nought, and thermal noise in range and azimuth."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.step import StepError
from containers.base.sentinel2 import parse_xml

Values = NDArray[np.float64]


class Table(NamedTuple):
    """Vectors along range at some lines. Each has pixels of its own; between them, values are linear."""

    lines: Values
    pixels: tuple[Values, ...]
    values: tuple[Values, ...]

    def at(self, window: Window) -> NDArray[np.float32]:
        """The table for every pixel of a window of the image; (y, x). Beyond its ends, the last values hold."""
        cols = np.arange(window.col_off, window.col_off + window.width, dtype=float)
        position = np.interp(_lines_of(window), self.lines, np.arange(len(self.lines), dtype=float))
        before = np.floor(position).astype(int)
        after = np.minimum(before + 1, len(self.lines) - 1)
        weight = (position - before)[:, np.newaxis]
        first = int(before.min())
        vectors = np.stack(
            [np.interp(cols, self.pixels[n], self.values[n]) for n in range(first, int(after.max()) + 1)]
        )
        values: NDArray[np.float32] = np.asarray(
            vectors[before - first] * (1 - weight) + vectors[after - first] * weight, dtype=np.float32
        )
        return values


class AzimuthBlock(NamedTuple):
    """Noise along azimuth in one sub-swath: scalloping, as a factor of the noise in range."""

    lines: range
    pixels: range
    at_lines: Values
    values: Values


class Noise(NamedTuple):
    """Thermal noise in units of squared digital numbers."""

    in_range: Table
    in_azimuth: tuple[AzimuthBlock, ...]

    def at(self, window: Window) -> NDArray[np.float32]:
        """Noise power for every pixel of a window of the image; (y, x)."""
        noise = self.in_range.at(window)
        for block in self.in_azimuth:
            rows, cols = (
                _within(block.lines, window.row_off, window.height),
                _within(block.pixels, window.col_off, window.width),
            )
            factor = np.interp(_lines_of(window)[rows], block.at_lines, block.values)
            noise[rows, cols] *= factor[:, np.newaxis].astype(np.float32)
        return noise


def read_calibration(path: Path, level: Literal["betaNought", "gamma"]) -> Table:
    """A of DN² / A², which is beta nought, or gamma nought on the ellipsoid. Raises `corrupt_file`."""
    with _coded(path):
        return _table(_root(path), "calibrationVector", level)


def read_noise(path: Path) -> Noise:
    """Of any processor version: before 2.90 there is one list, and nothing along azimuth. Raises `corrupt_file`."""
    with _coded(path):
        root = _root(path)
        if root.find(".//noiseRangeVector") is None:
            return Noise(_table(root, "noiseVector", "noiseLut"), ())
        blocks = tuple(_azimuth_block(node) for node in root.iter("noiseAzimuthVector"))
        return Noise(_table(root, "noiseRangeVector", "noiseRangeLut"), blocks)


def _table(root: Element, vector: str, values: str) -> Table:
    nodes = sorted(root.iter(vector), key=lambda node: _number(node, "line"))
    if not nodes:
        raise ValueError(f"no {vector}")
    lines = np.array([_number(node, "line") for node in nodes])
    table = Table(lines, *(tuple(_numbers(node, tag) for node in nodes) for tag in ("pixel", values)))
    for pixels, row in zip(table.pixels, table.values, strict=True):
        if len(pixels) != len(row) or not len(row) or not np.isfinite(row).all():
            raise ValueError(f"a {vector} with {len(pixels)} pixels and {len(row)} values")
    return table


def _azimuth_block(node: Element) -> AzimuthBlock:
    first_line, last_line, first_pixel, last_pixel = (
        int(_number(node, tag))
        for tag in ("firstAzimuthLine", "lastAzimuthLine", "firstRangeSample", "lastRangeSample")
    )
    lines, values = _numbers(node, "line"), _numbers(node, "noiseAzimuthLut")
    return AzimuthBlock(range(first_line, last_line + 1), range(first_pixel, last_pixel + 1), lines, values)


def _root(path: Path) -> Element:
    return parse_xml(path.read_bytes())


def _numbers(node: Element, tag: str) -> Values:
    found = node.find(tag)
    if found is None or not found.text:
        raise KeyError(f"{tag} is missing")
    return np.array(found.text.split(), dtype=float)


def _number(node: Element, tag: str) -> float:
    return float(_numbers(node, tag)[0])


def _lines_of(window: Window) -> NDArray[np.float64]:
    return np.arange(window.row_off, window.row_off + window.height, dtype=float)


def _within(part: range, offset: int, size: int) -> slice:
    return slice(max(0, part.start - offset), max(0, min(size, part.stop - offset)))


@contextmanager
def _coded(path: Path) -> Iterator[None]:
    try:
        yield
    except (KeyError, ValueError) as error:
        raise StepError("corrupt_file", f"{path.name}: {error}.", "Fetch the product again.") from error
