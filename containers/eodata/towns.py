"""Towns around seeded centres, and the roads between them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from containers.eodata.noise import Axis, FloatArray, IntArray, Noise

_SPACING_M = 3600.0
_ROAD_PIECES = 10
_FARTHEST = -1.5
"""Nearness to a town from two and a half radii on."""


class Towns(NamedTuple):
    """Centres and radii in metres, and roads as pieces (x0, y0, x1, y1, half-width) in metres."""

    x_m: Axis
    y_m: Axis
    radius_m: FloatArray
    roads: Axis

    def nearness(self, y_m: Axis, x_m: Axis) -> FloatArray:
        """How far inside a town each point of a grid lies: 1 in its centre, 0 at its nominal edge, at least -1.5."""
        best = np.full((len(y_m), len(x_m)), _FARTHEST, dtype=np.float32)
        reaches = (1 - _FARTHEST) * self.radius_m
        near = _meets(self.y_m - reaches, self.y_m + reaches, y_m) & _meets(self.x_m - reaches, self.x_m + reaches, x_m)
        for x, y, radius, reach_m in zip(
            self.x_m[near], self.y_m[near], self.radius_m[near], reaches[near], strict=True
        ):
            at = _within(y_m, y - reach_m, y + reach_m), _within(x_m, x - reach_m, x + reach_m)
            distance = np.hypot(y_m[at[0], None] - y, x_m[None, at[1]] - x)
            best[at] = np.maximum(best[at], 1 - distance / radius)
        return best

    def road_distance(self, y_m: Axis, x_m: Axis, reach_m: float) -> FloatArray:
        """Distance to the edge of the nearest road in metres, negative on it; `reach_m` where it is further."""
        result = np.full((len(y_m), len(x_m)), reach_m, dtype=np.float32)
        ends_x, ends_y, reaches = self.roads[:, [0, 2]], self.roads[:, [1, 3]], self.roads[:, 4] + reach_m
        near = _meets(ends_y.min(axis=1) - reaches, ends_y.max(axis=1) + reaches, y_m)
        near &= _meets(ends_x.min(axis=1) - reaches, ends_x.max(axis=1) + reaches, x_m)
        for x0, y0, x1, y1, half in self.roads[near]:
            rows = _within(y_m, min(y0, y1) - reach_m - half, max(y0, y1) + reach_m + half)
            columns = _within(x_m, min(x0, x1) - reach_m - half, max(x0, x1) + reach_m + half)
            y, x = y_m[rows, None] - y0, x_m[None, columns] - x0
            length = (x1 - x0) ** 2 + (y1 - y0) ** 2
            along = np.clip((x * (x1 - x0) + y * (y1 - y0)) / length, 0, 1)
            distance = np.hypot(x - along * (x1 - x0), y - along * (y1 - y0)) - half
            result[rows, columns] = np.minimum(result[rows, columns], distance)
        return result


def _meets(low: Axis, high: Axis, position_m: Axis) -> npt.NDArray[np.bool_]:
    """Which intervals share a point with the span of an axis."""
    meets: npt.NDArray[np.bool_] = (high >= position_m.min()) & (low <= position_m.max())
    return meets


def _within(position_m: Axis, low: float, high: float) -> slice:
    inside = np.flatnonzero((position_m >= low) & (position_m <= high))
    return slice(inside[0], inside[-1] + 1) if len(inside) else slice(0, 0)


def towns(noise: Noise, west: float, south: float, east: float, north: float) -> Towns:
    """All towns whose streets or roads can reach the box."""
    rows = np.arange(int(south // _SPACING_M) - 2, int(north // _SPACING_M) + 4)
    columns = np.arange(int(west // _SPACING_M) - 2, int(east // _SPACING_M) + 4)
    y, x = noise.site(rows[:, None], columns[None, :], _SPACING_M, "town")
    size = noise.uniform(rows[:, None], columns[None, :], "town size")
    radius = (280 + 1700 * size**3).astype(np.float32)
    roads = [
        *_roads(noise, rows, columns, x, y, radius, (0, 1)),
        *_roads(noise, rows, columns, x, y, radius, (1, 0)),
    ]
    return Towns(x.ravel(), y.ravel(), radius.ravel(), np.concatenate(roads))


def _roads(
    noise: Noise, rows: IntArray, columns: IntArray, x: Axis, y: Axis, radius: FloatArray, step: tuple[int, int]
) -> list[Axis]:
    """Winding roads from each town to its next neighbour, wider between large towns."""
    roads = []
    for row in range(len(rows) - step[0]):
        for column in range(len(columns) - step[1]):
            to = (row + step[0], column + step[1])
            start, end = np.array([x[row, column], y[row, column]]), np.array([x[to], y[to]])
            t = np.linspace(0, 1, _ROAD_PIECES + 1)[:, None]
            bend = noise.uniform(rows[row], columns[column], f"bend {step}") - 0.5
            across = np.array([start[1] - end[1], end[0] - start[0]]) * bend * 0.35
            points = start + (end - start) * t + across * np.sin(np.pi * t) * np.cos(2.2 * np.pi * t * bend)
            half = 12.0 if min(radius[row, column], radius[to]) > 500 else 6.0
            widths = np.full((_ROAD_PIECES, 1), half)
            roads.append(np.hstack([points[:-1], points[1:], widths]))
    return roads
