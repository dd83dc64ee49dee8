"""Which other dates show the ground behind the clouds of one: the backgrounds of the multitemporal mask."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Protocol, TypeVar, get_args

import shapely
from pydantic import Field, model_validator
from shapely.geometry.base import BaseGeometry

from containers.base.contract.model import Contract
from containers.gdal.contract.mask import BackgroundMethod
from tasks.catalogue.coverage import equal_area, normalised


class Backgrounds(Contract):
    """How backgrounds are chosen. The defaults are the reference method's."""

    count: int = Field(default=20, ge=1, le=100, description="Background images of one scene, at most")
    preselect: int = Field(
        default=40, ge=1, le=400, description="Of so many nearest ones, least_cloudy takes the `count` least cloudy"
    )
    exclude_hours: float = Field(
        default=18.0, ge=0, description="Images this close in time are left out: they show the same clouds"
    )
    common_area: float = Field(
        default=0.95, ge=0, lt=1, description="Share of the scene's footprint that a background must show more of"
    )
    allow_future: bool = Field(default=True, description="Top up with later images where earlier ones are too few")

    @model_validator(mode="after")
    def _preselects_enough(self) -> "Backgrounds":
        if self.preselect < self.count:
            raise ValueError(f"preselect={self.preselect} is less than count={self.count}")
        return self


class Seen(Protocol):
    """One acquisition of one tile, such as an `Observation`."""

    @property
    def tile(self) -> str: ...
    @property
    def acquired(self) -> datetime: ...
    @property
    def footprint(self) -> str: ...
    @property
    def cloud_cover(self) -> float | None: ...


S = TypeVar("S", bound=Seen)


def backgrounds_of(
    target: Seen, candidates: Iterable[S], rules: Backgrounds | None = None
) -> dict[BackgroundMethod, tuple[S, ...]]:
    """The backgrounds of a scene by both methods, best first; fewer than `count`, or none, where there are no more.

    nearest: earlier images, the newest first, then later ones, the oldest first. least_cloudy: of the `preselect`
    first of that order, the least cloudy by metadata; unknown cloud counts as full, and of equals the nearer wins.
    """
    rules = rules or Backgrounds()
    near = tuple(islice(_usable(target, candidates, rules), rules.preselect))
    clearest = sorted(near, key=lambda seen: 100.0 if seen.cloud_cover is None else seen.cloud_cover)
    chosen = {"nearest": near[: rules.count], "least_cloudy": tuple(clearest[: rules.count])}
    return {method: chosen[method] for method in get_args(BackgroundMethod)}


def common_share(target: str, other: str) -> float:
    """Share of the first footprint's area (WKT, EPSG:4326) that the second covers; 0 where one has no area."""
    whole, covering = _footprint(target), _footprint(other)
    if whole is None or covering is None:
        return 0.0
    return float(whole.intersection(covering).area / whole.area)


def _usable(target: Seen, candidates: Iterable[S], rules: Backgrounds) -> Iterator[S]:
    """In the order of `nearest`. Footprints are compared only as far as the reader goes."""
    same_tile = [seen for seen in candidates if seen.tile == target.tile]
    earlier = [seen for seen in same_tile if seen.acquired < target.acquired]
    later = [seen for seen in same_tile if seen.acquired > target.acquired] if rules.allow_future else []
    ordered = [
        *sorted(earlier, key=lambda seen: seen.acquired, reverse=True),
        *sorted(later, key=lambda seen: seen.acquired),
    ]
    apart = timedelta(hours=rules.exclude_hours)
    for seen in ordered:
        is_apart = abs(seen.acquired - target.acquired) > apart
        if is_apart and common_share(target.footprint, seen.footprint) > rules.common_area:
            yield seen


@lru_cache(maxsize=4096)
def _footprint(wkt: str) -> BaseGeometry | None:
    outline = normalised(shapely.from_wkt(wkt))
    return None if outline is None else equal_area(outline)
