"""Regions in groups without overlaps: rasterised together, overlapping polygons take cells from each other."""

from collections.abc import Sequence

import numpy as np
import shapely

_TOUCH_CELLS = 1e-6
"""Overlaps below this part of a cell are rounding along shared borders."""


def disjoint_groups(geometries: Sequence[shapely.Geometry], cell_area: float) -> list[list[int]]:
    """Positions of the polygons in as few groups as greedy colouring finds, none overlapping another of its group.

    Nested levels, such as those of NUTS, give one group per level.

    >>> disjoint_groups([shapely.box(0, 0, 2, 2), shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], 1.0)
    [[0], [1, 2]]
    """
    shapes = np.asarray(geometries)
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = left < right
    left, right = left[pairs], right[pairs]
    overlapping = shapely.area(shapely.intersection(shapes[left], shapes[right])) > _TOUCH_CELLS * cell_area
    groups: list[list[int]] = []
    taken: list[set[int]] = [set() for _ in shapes]
    rivals: list[list[int]] = [[] for _ in shapes]
    for one, other in zip(left[overlapping].tolist(), right[overlapping].tolist(), strict=True):
        rivals[one].append(other)
    for position in range(len(shapes)):
        group = next(n for n in range(len(groups) + 1) if n not in taken[position])
        if group == len(groups):
            groups.append([])
        groups[group].append(position)
        for rival in rivals[position]:
            taken[rival].add(group)
    return groups
