"""Shadows of clouds: dark cells where a cloud of some height would cast its shadow.

After Fmask (Zhu and Woodcock, Remote Sensing of Environment 2012, 118, 83–94; Zhu, Wang and Woodcock 2015, 159,
269–277): each cloud is moved away from the sun height by height, and its shadow is where it meets most dark cells.
Where a background is at hand, dark means darker than the ground of other dates (Zhu and Woodcock 2014, 152, 217–234).
"""

import math
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from scipy import ndimage

from containers.base.contract.grid import Grid
from containers.base.sun import sun_at
from containers.gdal.clear import dilated
from containers.gdal.sky import opened

Cells = NDArray[np.bool_]
"""(y, x)."""

HEIGHTS_M: Final = (200.0, 12_000.0)
"""Of clouds above the ground, as in Fmask."""
SIMILARITY: Final = 0.3
"""Share of a moved cloud's visible cells that must be dark, as in Fmask."""
NEARLY: Final = 0.95
"""Heights whose similarity reaches this part of the best one's count as well, as in Fmask."""
_SAMPLED_CELLS: Final = 200_000
"""Of all clouds together, by which heights are compared."""
_JOINED_PX: Final = 1.5
"""Clouds this close are one object: their edges belong to one deck."""
_ROUNDS: Final = 2
_SLACK_PX: Final = 1.5
"""Heights are taken in steps of about a cell, and clouds are seen a little aside of where they stand."""
_OPENING_PX: Final = 1
"""Single dark cells are fields and shores: grown, each would cost the ground around it."""


class Shift(NamedTuple):
    """How far a shadow lies from its cloud per metre of height, in cells."""

    rows: float
    cols: float


def shadow_shift(grid: Grid, acquired: datetime) -> Shift:
    """Away from the sun over the middle of the grid, whose CRS is UTM.

    Grid north differs from true north by the meridian convergence, γ = atan(tan Δλ · sin φ): up to 3°, which is half
    a kilometre for a high cloud.
    """
    bounds = grid.bounds
    to_degrees = Transformer.from_crs(grid.epsg, 4326, always_xy=True)
    lon, lat = to_degrees.transform((bounds.west + bounds.east) / 2, (bounds.south + bounds.north) / 2)
    sun = sun_at(acquired, lon, lat)
    from_meridian = math.radians(lon - (6 * (grid.epsg % 100) - 183))
    convergence = math.atan(math.tan(from_meridian) * math.sin(math.radians(lat)))
    azimuth = math.radians(sun.azimuth_deg) - convergence
    cells = math.tan(math.radians(min(sun.zenith_deg, 85.0))) / grid.resolution_m
    return Shift(math.cos(azimuth) * cells, -math.sin(azimuth) * cells)


class Ground(NamedTuple):
    """What is seen of the ground: where shadows may be."""

    dark: Cells
    """Darker than it should be."""
    very_dark: Cells
    """So dark that, where its cloud would lie beyond the picture, it counts as shadow without one."""
    hidden: Cells
    """Cloud and nodata: neither for nor against a height."""


def cast_shadows(cloud: Cells, ground: Ground, shift: Shift) -> Cells:
    """Dark cells on which a cloud casts its shadow.

    Each object is moved by the heights at which it meets most dark cells. One that meets less than `SIMILARITY` of
    those visible takes the heights of the scene's other clouds. A second round looks for the lower or higher deck of
    objects that are two. At the edge towards the sun clouds lie beyond the picture: there, by the heights of the
    scene's clouds, very dark cells count. What is one cell wide is none.
    """
    labels, objects = ndimage.label(dilated(cloud, _JOINED_PX), structure=np.ones((3, 3)))
    shadow = np.zeros_like(cloud)
    if not objects:
        return shadow
    heights_m, clouds = _heights(shift), _Clouds(np.argwhere(cloud), labels[cloud], objects)
    highest_m, left = 0.0, ground
    for number in range(_ROUNDS):
        moves, common = _moving_objects(*_matches(clouds.sampled(), left, shift, heights_m))
        if number == 0 and common.any():
            highest_m = float(heights_m[common].max())
        found = dilated(_moved_clouds(clouds, moves, shift, heights_m, cloud.shape), _SLACK_PX) & left.dark
        shadow |= found
        left = left._replace(dark=left.dark & ~found, hidden=left.hidden | found)
    shadow |= _beyond(cloud.shape, shift, highest_m) & ground.very_dark
    return opened(shadow, ground.hidden, _OPENING_PX)


class _Clouds(NamedTuple):
    cells: NDArray[np.intp]
    """(cell, 2): rows and columns."""
    owner: NDArray[Any]
    """The object of each cell, from 1."""
    objects: int

    def sampled(self) -> "_Clouds":
        every = max(1, len(self.cells) // _SAMPLED_CELLS)
        return self._replace(cells=self.cells[::every], owner=self.owner[::every])

    def moved(self, shift: Shift, height_m: float, shape: tuple[int, int]) -> tuple[Any, Any, Any]:
        """Rows, columns and owners of the cells that a shadow from that height meets inside the picture."""
        rows, cols = (
            self.cells[:, axis] + round(per_metre * height_m) for axis, per_metre in enumerate((shift.rows, shift.cols))
        )
        inside = (rows >= 0) & (rows < shape[0]) & (cols >= 0) & (cols < shape[1])
        return rows[inside], cols[inside], self.owner[inside]


def _heights(shift: Shift) -> NDArray[np.float64]:
    """So dense that shadows move by one cell, from one to the next."""
    step_m = 1 / math.hypot(*shift)
    lowest, highest = HEIGHTS_M
    return np.arange(lowest, highest, max(step_m, (highest - lowest) / 400))


def _matches(
    clouds: _Clouds, ground: Ground, shift: Shift, heights_m: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How many cells of each object are dark, and how many visible, at each height; (height, object)."""
    met, seen = (np.zeros((len(heights_m), clouds.objects + 1)) for _ in range(2))
    for number, height_m in enumerate(heights_m):
        rows, cols, owner = clouds.moved(shift, height_m, ground.dark.shape)
        visible = ~ground.hidden[rows, cols]
        seen[number] = np.bincount(owner, weights=visible, minlength=clouds.objects + 1)
        met[number] = np.bincount(owner, weights=visible & ground.dark[rows, cols], minlength=clouds.objects + 1)
    return met, seen


def _moving_objects(met: NDArray[np.float64], seen: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """At which heights each object casts a shadow, (height, object), and at which the scene's clouds do, (height,)."""
    similarity, pooled = met / np.maximum(seen, 1), met.sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    best = similarity.max(axis=0)
    moves = (similarity >= NEARLY * best) & (best >= SIMILARITY)
    common = (pooled >= NEARLY * pooled.max()) & (pooled.max() >= SIMILARITY)
    moves[:, best < SIMILARITY] |= common[:, np.newaxis]
    return moves, common


def _moved_clouds(
    clouds: _Clouds, moves: NDArray[np.bool_], shift: Shift, heights_m: NDArray[np.float64], shape: tuple[int, int]
) -> Cells:
    """Where the clouds' shadows fall, each from its heights; (y, x)."""
    shadow = np.zeros(shape, dtype=bool)
    for height_m, moving in zip(heights_m, moves, strict=True):
        rows, cols, _ = clouds._replace(
            cells=clouds.cells[moving[clouds.owner]], owner=clouds.owner[moving[clouds.owner]]
        ).moved(shift, height_m, shape)
        shadow[rows, cols] = True
    return shadow


def _beyond(shape: tuple[int, int], shift: Shift, height_m: float) -> Cells:
    """Cells whose cloud, at that height, would lie outside the picture; none for height 0."""
    rows = np.arange(shape[0]) - round(shift.rows * height_m)
    cols = np.arange(shape[1]) - round(shift.cols * height_m)
    inside: Cells = ((rows >= 0) & (rows < shape[0]))[:, np.newaxis] & ((cols >= 0) & (cols < shape[1]))
    return ~inside
