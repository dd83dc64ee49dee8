"""Seeded randomness as a function of place: any window can be made alone, and always comes out equal."""

import zlib
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
Axis = npt.NDArray[np.float64]
"""Coordinates of a regular grid along one axis, in metres."""

_STEP_X, _STEP_Y = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_GAIN = 0.58
_SPLINE_DEVIATION = 151 / 315
"""Standard deviation that a cubic B-spline leaves of white lattice noise in two dimensions."""


class Sites(NamedTuple):
    """The nearest seed point of every cell of a window, its lattice index, and how far the border is."""

    row: IntArray
    column: IntArray
    edge_m: FloatArray
    """Distance to the second nearest seed point less that to the nearest: 0 on the border."""
    y_m: FloatArray
    """Offset of the cell from the seed point."""
    x_m: FloatArray


@dataclass(frozen=True)
class Noise:
    """Random numbers for one seed. `salt` names what they are for."""

    seed: int

    def uniform(self, rows: npt.ArrayLike, columns: npt.ArrayLike, salt: str) -> FloatArray:
        """Numbers in [0, 1) for lattice indices (broadcast), by the SplitMix64 finaliser (Steele et al. 2014)."""
        row = np.asarray(rows, dtype=np.int64).view(np.uint64)
        column = np.asarray(columns, dtype=np.int64).view(np.uint64)
        key = np.uint64((self.seed * 0x165667B19E3779F9 + zlib.crc32(salt.encode()) * 0x27D4EB2F165667C5) % 2**64)
        with np.errstate(over="ignore"):
            mixed = row * _STEP_Y + column * _STEP_X + key
            mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
            mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
            mixed ^= mixed >> np.uint64(31)
        return (mixed >> np.uint64(40)).astype(np.float32) / np.float32(2**24)

    def smooth(self, y_m: Axis, x_m: Axis, wavelength_m: float, salt: str, octaves: int = 1) -> FloatArray:
        """Fractal noise of about unit variance on the grid of `y_m` × `x_m` (1-D, metres): shape (y, x)."""
        total = np.zeros((len(y_m), len(x_m)), dtype=np.float32)
        for octave in range(octaves):
            total += np.float32(_GAIN**octave) * self._octave(y_m, x_m, wavelength_m / 2**octave, f"{salt}{octave}")
        return total / np.float32(np.sqrt(sum(_GAIN ** (2 * octave) for octave in range(octaves))))

    def _octave(self, y_m: Axis, x_m: Axis, wavelength_m: float, salt: str) -> FloatArray:
        row, row_weights = _spline(y_m, wavelength_m)
        column, column_weights = _spline(x_m, wavelength_m)
        rows, columns = np.arange(row.min(), row.max() + 4), np.arange(column.min(), column.max() + 4)
        nodes = (self.uniform(rows[:, None], columns[None, :], salt) - 0.5) * np.float32(
            np.sqrt(12) / _SPLINE_DEVIATION
        )
        along = sum(weight[:, None] * nodes[row - rows[0] + tap] for tap, weight in enumerate(row_weights))
        result: FloatArray = sum(
            weight * along[:, column - columns[0] + tap] for tap, weight in enumerate(column_weights)
        )
        return result

    def sites(self, y_m: Axis, x_m: Axis, spacing_m: float, salt: str) -> Sites:
        """Worley cells (Worley 1996) around jittered lattice points, on the grid of `y_m` × `x_m`."""
        row, column = _lattice(y_m, spacing_m), _lattice(x_m, spacing_m)
        rows, columns = np.arange(row.min() - 1, row.max() + 2), np.arange(column.min() - 1, column.max() + 2)
        site_y, site_x = self.site(rows[:, None], columns[None, :], spacing_m, salt)
        y, x = (y_m - y_m[0]).astype(np.float32), (x_m - x_m[0]).astype(np.float32)
        site_y, site_x = (site_y - y_m[0]).astype(np.float32), (site_x - x_m[0]).astype(np.float32)
        nearest = np.full((len(y_m), len(x_m)), np.inf, dtype=np.float32)
        second, which = nearest.copy(), np.zeros(nearest.shape, dtype=np.int8)
        for neighbour in range(9):
            cell = np.ix_(row - rows[0] + neighbour // 3 - 1, column - columns[0] + neighbour % 3 - 1)
            distance = (y[:, None] - site_y[cell]) ** 2 + (x[None, :] - site_x[cell]) ** 2
            closer = distance < nearest
            second = np.where(closer, nearest, np.minimum(second, distance))
            nearest = np.where(closer, distance, nearest)
            which[closer] = neighbour
        lattice_row, lattice_column = row[:, None] + which // 3 - 1, column[None, :] + which % 3 - 1
        at = lattice_row - rows[0], lattice_column - columns[0]
        edge_m = np.sqrt(second) - np.sqrt(nearest)
        return Sites(lattice_row, lattice_column, edge_m, y[:, None] - site_y[at], x[None, :] - site_x[at])

    def per_site(self, sites: Sites, salt: str) -> FloatArray:
        """One number in [0, 1) per site, spread over its cells."""
        rows, columns = (np.arange(index.min(), index.max() + 1) for index in (sites.row, sites.column))
        drawn = self.uniform(rows[:, None], columns[None, :], salt)
        spread: FloatArray = drawn[sites.row - rows[0], sites.column - columns[0]]
        return spread

    def site(self, rows: IntArray, columns: IntArray, spacing_m: float, salt: str) -> tuple[Axis, Axis]:
        """Where the seed points of lattice cells lie: y and x in metres."""
        y_m = (rows + 0.15 + 0.7 * self.uniform(rows, columns, f"{salt} y")) * spacing_m
        x_m = (columns + 0.15 + 0.7 * self.uniform(rows, columns, f"{salt} x")) * spacing_m
        return y_m, x_m


def _lattice(position_m: Axis, spacing_m: float) -> IntArray:
    return np.floor(position_m / spacing_m).astype(np.int64)


def _spline(position_m: Axis, spacing_m: float) -> tuple[IntArray, list[FloatArray]]:
    """The first of four lattice nodes around each position, and the weights of the uniform cubic B-spline."""
    scaled = position_m / spacing_m
    node = np.floor(scaled).astype(np.int64)
    t = (scaled - node).astype(np.float32)
    weights = [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]
    return node, [weight / np.float32(6) for weight in weights]
