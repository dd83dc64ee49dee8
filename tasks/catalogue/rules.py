"""Which products are used: every rule of refusal and de-duplication, in one place."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from containers.base.contract.scene import Scene
from tasks.catalogue.answer import Refusal, refusal
from tasks.catalogue.candidate import Candidate
from tasks.catalogue.coverage import area_m2, covered_share
from tasks.catalogue.request import SearchRequest
from tasks.catalogue.scenes import aoi_in_tile

TEST_BASELINE: Final = "99"
HALF_SHARE: Final = 0.05
"""A product of the same datatake and tile that adds at least this share of its own area is a half, not a duplicate."""

Acquisition = tuple[Scene, ...]
"""The product, or the halves, of one datatake over one tile; the highest baseline first."""


class AcquisitionKey(NamedTuple):
    """What makes two products the same picture."""

    tile: str
    datatake: datetime
    platform: str
    orbit: int


def refuse_at_sight(candidate: Candidate, request: SearchRequest) -> Refusal | None:
    """A refusal that needs nothing but the catalogue's entry."""
    product, name = candidate.product, candidate.name
    if product is None or candidate.acquired is None:
        return refusal(name, "unknown_product", "Its name or date cannot be read.")
    if product.level != request.level:
        return refusal(name, "other_level", f"It is {product.level}, asked was {request.level}.")
    if product.baseline.startswith(TEST_BASELINE):
        return refusal(name, "test_baseline", f"Its baseline is {product.baseline}.")
    if not any(candidate.acquired in period for period in request.periods):
        return refusal(name, "outside_dates", f"Taken on {candidate.acquired:%Y-%m-%d}, in none of the periods.")
    if candidate.footprint is None:
        return refusal(name, "no_footprint", "The catalogue gives no usable outline.")
    if covered_share([candidate.footprint], aoi_in_tile(candidate, request.area)) == 0:
        return refusal(name, "outside_aoi", "Its data do not meet the area of interest.")
    if not candidate.online:
        return refusal(name, "offline", "The archive would have to stage it first.")
    return None


def keep_latest(scenes: Iterable[Scene]) -> tuple[tuple[Scene, ...], tuple[Refusal, ...]]:
    """Of the products of one datatake and tile, the highest baseline and latest processing; halves are all kept.

    A datastrip is the same data whatever its processing. Products whose datastrips differ, or are not known, are
    halves where they add area, else copies by another ground station. The order of `scenes` does not matter.
    """
    kept: list[Scene] = []
    refused: list[Refusal] = []
    for group in _grouped(scenes).values():
        latest: list[Scene] = []
        for scene in group:
            twin = next((other for other in latest if _is_same_data(scene, other)), None) or _covering(scene, latest)
            if twin is None:
                latest.append(scene)
            else:
                refused.append(
                    refusal(scene.id, "superseded", f"{twin.id} has the same data in baseline {twin.baseline}.")
                )
        kept += latest
    return tuple(kept), tuple(refused)


def acquisitions(scenes: Iterable[Scene]) -> tuple[Acquisition, ...]:
    """Scenes joined to acquisitions, in the order of tile and time."""
    return tuple(tuple(group) for _, group in sorted(_grouped(scenes).items()))


def acquisition_share(parts: Acquisition, area: BaseGeometry) -> float:
    """Share of the area within the tile that the parts cover together."""
    if len(parts) == 1:
        return parts[0].valid_share
    alone = [(footprint_of(part).intersection(area), part.valid_share) for part in parts]
    footprint, share = max(alone, key=lambda pair: pair[1])
    whole_m2 = area_m2(footprint) / share if share else 0.0
    together_m2 = area_m2(shapely.union_all([footprint for footprint, _ in alone]))
    return min(1.0, together_m2 / whole_m2) if whole_m2 else 0.0


def acquisition_cloud(parts: Acquisition) -> float | None:
    """Cloud share in percent, parts weighted by what they show of the area; None where a part does not say."""
    covers = [part.cloud_cover for part in parts if part.cloud_cover is not None]
    if len(covers) < len(parts):
        return None
    weights = [max(part.valid_share, 1e-9) for part in parts]
    return sum(cover * weight for cover, weight in zip(covers, weights, strict=True)) / sum(weights)


def drop_poor(
    scenes: Iterable[Scene], area: MultiPolygon, *, min_valid_share: float, max_cloud: float
) -> tuple[tuple[Scene, ...], tuple[Refusal, ...]]:
    """Scenes of acquisitions that show enough of the area, and are clear enough.

    Judged per acquisition: half a datatake is no sliver, and cloud percent are of valid pixels only, so that a
    sliver can read 0 %. After de-duplication: an older processing must not come back because the newer one sees
    more cloud. Unknown cloud passes only where every cloud share does.
    """
    kept: list[Scene] = []
    refused: list[Refusal] = []
    for parts in acquisitions(scenes):
        share, cloud = acquisition_share(parts, area), acquisition_cloud(parts)
        if share < min_valid_share:
            row = ("sliver", f"It covers {share:.1%} of the area in its tile, less than {min_valid_share:.0%}.")
        elif max_cloud < 100 and (cloud is None or cloud > max_cloud):
            seen = "unknown" if cloud is None else f"{cloud:.1f} %"
            row = ("too_cloudy", f"Its cloud share is {seen}, at most {max_cloud:g} % is asked.")
        else:
            kept += parts
            continue
        refused += [refusal(part.id, *row) for part in parts]
    return tuple(kept), tuple(refused)


@lru_cache(maxsize=8192)
def _parsed(wkt: str) -> BaseGeometry:
    return shapely.from_wkt(wkt)


def footprint_of(scene: Scene) -> BaseGeometry:
    """The outline of a scene's data in EPSG:4326."""
    return _parsed(scene.footprint)


def _grouped(scenes: Iterable[Scene]) -> dict[AcquisitionKey, list[Scene]]:
    groups: dict[AcquisitionKey, list[Scene]] = defaultdict(list)
    unique = {scene.id: scene for scene in scenes}
    for scene in sorted(unique.values(), key=lambda scene: (scene.baseline, scene.processed, scene.id), reverse=True):
        groups[AcquisitionKey(scene.tile, scene.datatake, scene.platform, scene.orbit)].append(scene)
    return groups


def _is_same_data(scene: Scene, other: Scene) -> bool:
    return scene.datastrip is not None and scene.datastrip == other.datastrip


def _covering(scene: Scene, latest: list[Scene]) -> Scene | None:
    """The first of `latest` where they show all but a rest of what the scene shows."""
    if not latest:
        return None
    footprint = footprint_of(scene)
    rest = footprint.difference(shapely.union_all([footprint_of(other) for other in latest]))
    return latest[0] if area_m2(rest) < HALF_SHARE * area_m2(footprint) else None
