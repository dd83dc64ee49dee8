"""Whether outlines together contain an area: by geometry in the area's UTM zone, never by comparing sizes."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
import shapely
from pyproj import Transformer
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from containers.base.contract.step import StepError
from tasks.aoi import GEOGRAPHIC_EPSG, LATTICE_DEG, transformer, utm_epsg
from tasks.catalogue.coverage import normalised

SEAM_M: Final = 50.0
"""Gaps narrower than twice this are closed: the outlines of consecutive slices end one line, about 10 m, apart, where
the next begins one line later."""
TOLERANCE_M: Final = 1.0
"""Catalogues round outlines to 0.1 m."""
_EDGE_DEG: Final = 0.05
"""Edges are straight in degrees: they are densified before they are projected."""


class Coverage(NamedTuple):
    """How outlines lie over an area."""

    contains: bool
    share: float
    """Of the area, 0 to 1; 1 where it is contained."""
    margin_m: float
    """From the area to the nearest edge of the joined outlines; 0 where it is not contained."""


def coverage(outlines: Sequence[BaseGeometry], area: BaseGeometry) -> Coverage:
    """How the outlines (EPSG:4326), their seams closed, lie over an area (EPSG:4326)."""
    project = transformer(GEOGRAPHIC_EPSG, utm_epsg(area))
    joined, target = joined_m(outlines, project), in_metres(area, project)
    seen = shapely.intersection(joined, target).area
    if shapely.covers(shapely.buffer(joined, TOLERANCE_M), target):
        return Coverage(True, 1.0, float(shapely.distance(shapely.boundary(joined), target)))
    return Coverage(False, float(min(seen / target.area, 1.0)), 0.0)


def contains(outlines: Sequence[BaseGeometry], area: BaseGeometry) -> bool:
    """Whether the outlines together contain the area."""
    return coverage(outlines, area).contains


def common_area(groups: Sequence[Sequence[BaseGeometry]]) -> MultiPolygon:
    """What every group of outlines shows (EPSG:4326), seams closed. Raises `bad_aoi` where that is nothing."""
    epsg = utm_epsg(shapely.union_all(list(groups[0])))
    project = transformer(GEOGRAPHIC_EPSG, epsg)
    shared = shapely.intersection_all([joined_m(group, project) for group in groups])
    back = transformer(epsg, GEOGRAPHIC_EPSG)
    degrees = normalised(shapely.transform(shared, lambda xy: np.column_stack(back.transform(xy[:, 0], xy[:, 1]))))
    if degrees is None:
        raise StepError(
            "bad_aoi",
            f"the {len(groups)} optical images and radar passes have no ground in common.",
            "Name products that overlap, or give an area.",
        )
    return MultiPolygon(shapely.get_parts(shapely.set_precision(degrees, LATTICE_DEG)).tolist())


def joined_m(outlines: Iterable[BaseGeometry], project: Transformer) -> BaseGeometry:
    """The union of outlines in metres, seams closed, outer edges unmoved."""
    grown = [
        shapely.buffer(in_metres(outline, project), SEAM_M, join_style="mitre", mitre_limit=50) for outline in outlines
    ]
    return shapely.buffer(shapely.union_all(grown), -SEAM_M, join_style="mitre", mitre_limit=50)


def in_metres(geometry: BaseGeometry, project: Transformer) -> BaseGeometry:
    """A geometry in EPSG:4326 in projected coordinates, edges densified."""
    dense = shapely.segmentize(geometry, _EDGE_DEG)
    return shapely.transform(dense, lambda xy: np.column_stack(project.transform(xy[:, 0], xy[:, 1])))
