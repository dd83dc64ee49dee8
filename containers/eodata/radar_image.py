"""What a radar receives of the ground: beta nought without speckle.

The power of every facet falls where its zero-Doppler time and slant range put it, so that foreshortening and layover
come out by themselves; terrain flattening divides by the same sum of areas (Small 2011, doi 10.1109/TGRS.2011.2120616).
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_fill_holes

from containers.base.contract.radar import Polarisation
from containers.eodata.radar_geometry import PIXEL_M, Frame, ground_range, line_interval_s, zero_doppler_s
from containers.eodata.radar_ground import RadarGround, to_geographic
from containers.eodata.radar_orbit import Array, Orbit, geocentric

MARGIN_PX: Final = 96
"""Pixels of plain around the ground; the swath's edges lie in it."""
_FACETS: Final = 2
"""Facets per edge of a cell."""
_STRIP_ROWS: Final = 128


class Seen(NamedTuple):
    """Cells with one more on every side: (rows + 2, columns + 2)."""

    time_s: Array
    range_m: Array
    shadowed: npt.NDArray[np.bool_]


def cell_points(ground: RadarGround, first: int, last: int) -> Array:
    """Earth-fixed cell centres of rows `first` to `last` with one more row and column on every side: (r, c, 3).

    Beyond the grid the heights of its edge go on.
    """
    grid = ground.grid
    rows, columns = np.arange(first - 1, last + 1), np.arange(-1, grid.width + 1)
    east = grid.west_m + (columns + 0.5) * grid.resolution_m
    north = grid.north_m - (rows + 0.5) * grid.resolution_m
    longitude, latitude = to_geographic(grid.epsg).transform(*np.meshgrid(east, north))
    heights = ground.heights_m[np.clip(rows, 0, grid.height - 1)[:, None], np.clip(columns, 0, grid.width - 1)]
    return geocentric(longitude, latitude, heights.astype(np.float64))


def seen(ground: RadarGround, orbit: Orbit) -> Seen:
    """When and how far away the radar sees the cells, and which of them lie behind others."""
    shape = (ground.grid.height + 2, ground.grid.width + 2)
    time_s, range_m, off_nadir, from_nadir = (np.empty(shape) for _ in range(4))
    for first, last in _strips(ground):
        points = cell_points(ground, first, last)
        time_s[first : last + 2] = zero_doppler_s(orbit, points)
        position = orbit.state(time_s[first : last + 2]).position
        sight = points - position
        range_m[first : last + 2] = distance = np.linalg.norm(sight, axis=-1)
        up = position / np.linalg.norm(position, axis=-1, keepdims=True)
        off_nadir[first : last + 2] = np.arccos(-np.einsum("...i,...i", sight, up) / distance)
        from_nadir[first : last + 2] = np.arccos(np.einsum("...i,...i", points, up) / np.linalg.norm(points, axis=-1))
    line = np.rint(time_s / _line_s(ground, orbit)).astype(np.int64)
    return Seen(time_s, range_m, shadowed(line, from_nadir, off_nadir))


def _line_s(ground: RadarGround, orbit: Orbit) -> float:
    """Time per line, from the middle of the ground."""
    row = ground.grid.height // 2
    return line_interval_s(orbit, cell_points(ground, row, row + 1)[1, ground.grid.width // 2])


def _strips(ground: RadarGround) -> Iterator[tuple[int, int]]:
    for first in range(0, ground.grid.height, _STRIP_ROWS):
        yield first, min(first + _STRIP_ROWS, ground.grid.height)


def shadowed(
    line: npt.NDArray[np.int64], from_nadir: Array, off_nadir: Array, tolerance_rad: float = 8e-6
) -> npt.NDArray[np.bool_]:
    """Cells that a nearer cell of the same image line hides: that one is seen farther from nadir.

    `from_nadir` orders the cells of a line (angle at the Earth's centre). The tolerance is some 7 m across the line of
    sight: within a line, cells on a flank differ by so much without hiding each other.
    """
    order = np.lexsort((from_nadir.ravel(), line.ravel()))
    group = (line.ravel()[order] - line.min()) * np.pi
    highest = np.maximum.accumulate(off_nadir.ravel()[order] + group) - group
    hidden = np.empty(line.size, bool)
    hidden[order] = off_nadir.ravel()[order] < highest - tolerance_rad
    return hidden.reshape(line.shape)


def framed(ground: RadarGround, orbit: Orbit, cells: Seen) -> Frame:
    """The smallest image around the cells, with a margin."""
    line_s = _line_s(ground, orbit)
    height_m = float(ground.heights_m.mean(dtype=np.float64))
    # A slant range pixel is shorter than one on the ground: this margin is wide enough for both.
    near, far = cells.range_m.min() - MARGIN_PX * PIXEL_M, cells.range_m.max() + MARGIN_PX * PIXEL_M
    whole = ground_range(orbit, near, far, height_m)
    first = whole.ground_m(cells.range_m.min()) - MARGIN_PX * PIXEL_M
    samples = int(np.ceil((whole.ground_m(cells.range_m.max()) - first) / PIXEL_M)) + MARGIN_PX
    conversion = ground_range(orbit, float(whole.slant_m(first)), far, height_m)
    start = float(cells.time_s.min()) - MARGIN_PX * line_s
    lines = int(np.ceil((cells.time_s.max() - start) / line_s)) + MARGIN_PX
    return Frame(orbit, start, line_s, lines, samples, conversion, height_m)


def beta_nought(ground: RadarGround, frame: Frame, cells: Seen) -> dict[Polarisation, npt.NDArray[np.float32]]:
    """Beta nought per polarisation, linear power: (lines, samples). Beyond the ground lies a plain of its mean gamma.

    A pixel's area is that of the slant range plane: nominal line spacing × slant range between samples.
    """
    shape = frame.lines, frame.samples
    power = {polarisation: np.zeros(shape) for polarisation in ground.gamma0}
    covered = np.zeros(shape)
    for first, last in _strips(ground):
        facets = _facets(ground, frame, cells, first, last)
        _spread(covered, facets, np.ones_like(facets.area_m2) / _FACETS**2)
        for polarisation, gamma0 in ground.gamma0.items():
            _spread(power[polarisation], facets, facets.area_m2 * _repeated(gamma0[first:last]))
    numbers = np.arange(frame.samples, dtype=np.float64)
    pixel_m2 = PIXEL_M * (frame.slant_ranges_m(numbers + 0.5) - frame.slant_ranges_m(numbers - 0.5))
    plain = 1 / np.tan(np.radians(frame.incidence_deg(numbers)))
    inside = binary_fill_holes(covered > 0.5)
    return {
        polarisation: np.where(
            inside, received / pixel_m2, plain * ground.gamma0[polarisation].mean(dtype=np.float64)
        ).astype(np.float32)
        for polarisation, received in power.items()
    }


class Facets(NamedTuple):
    """Parts of cells: (rows × facets, columns × facets)."""

    line: Array
    sample: Array
    area_m2: Array
    """Area across the line of sight; 0 where the facet faces away or lies in shadow."""


def _facets(ground: RadarGround, frame: Frame, cells: Seen, first: int, last: int) -> Facets:
    rows = slice(first, last + 2)
    line, sample = frame.pixels(cells.time_s[rows], cells.range_m[rows])
    points = cell_points(ground, first, last)
    sight = (frame.orbit.state(cells.time_s[rows]).position - points) / cells.range_m[rows][..., None]
    surface = refined(points)
    eastward = (surface[1:-1, 2:] - surface[1:-1, :-2]) / 2
    northward = (surface[:-2, 1:-1] - surface[2:, 1:-1]) / 2
    facing = np.einsum("...i,...i", np.cross(eastward, northward), refined(sight)[1:-1, 1:-1])
    lit = ~_repeated(cells.shadowed[first + 1 : last + 1, 1:-1])
    inner = slice(1, -1), slice(1, -1)
    return Facets(refined(line)[inner], refined(sample)[inner], np.maximum(facing, 0) * lit)


def refined(values: Array) -> Array:
    """Bilinear values at the facets' centres: (r + 2, c + 2, …) to (r × facets + 2, c × facets + 2, …)."""
    for axis in (0, 1):
        count = (values.shape[axis] - 2) * _FACETS
        place = (np.arange(-1, count + 1) + 0.5) / _FACETS + 0.5
        below = place.astype(np.int64)
        weight = (place - below).reshape((-1, *(1,) * (values.ndim - 1 - axis)))
        values = np.take(values, below, axis) * (1 - weight) + np.take(values, below + 1, axis) * weight
    return values


def _repeated(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return values.repeat(_FACETS, axis=0).repeat(_FACETS, axis=1)


def _spread(image: Array, facets: Facets, amount: Array) -> None:
    """Add an amount of every facet to the four pixels around it, by nearness."""
    first = int(facets.line.min())
    count = int(facets.line.max()) + 2 - first
    line, sample = facets.line.astype(np.int64), facets.sample.astype(np.int64)
    down, right = facets.line - line, facets.sample - sample
    place = (line - first) * image.shape[1] + sample
    for step, weight in (
        (0, (1 - down) * (1 - right)), (1, (1 - down) * right), (image.shape[1], down * (1 - right)),
        (image.shape[1] + 1, down * right),
    ):  # fmt: skip
        added = np.bincount((place + step).ravel(), (weight * amount).ravel(), count * image.shape[1])
        image[first : first + count] += added.reshape(count, -1)
