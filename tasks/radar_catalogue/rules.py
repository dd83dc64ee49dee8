"""Which radar products are used: every rule of refusal and de-duplication, in one place."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from tasks.catalogue.answer import Refusal, refusal
from tasks.radar_catalogue.candidate import RadarCandidate
from tasks.radar_catalogue.product_name import RadarName
from tasks.radar_catalogue.request import RadarRequest

MODE, KIND = "IW", "GRDH"
SAME_SLICE_SHARE: Final = 0.5
"""Products of one datatake that share more than this of the shorter one's time are the same slice."""


def refuse_at_sight(candidate: RadarCandidate, request: RadarRequest) -> Refusal | None:
    """A refusal that needs nothing but the catalogue's entry."""
    product, name = candidate.product, candidate.name
    if product is None or candidate.acquired is None:
        return refusal(name, "unknown_product", "Its name or date cannot be read.")
    if (product.mode, product.kind) != (MODE, KIND):
        return refusal(name, "other_product", f"It is {product.mode} {product.kind}, asked was {MODE} {KIND}.")
    if not any(candidate.acquired in period for period in request.periods):
        return refusal(name, "outside_dates", f"Taken on {candidate.acquired:%Y-%m-%d}, in none of the periods.")
    if candidate.footprint is None:
        return refusal(name, "no_footprint", "The catalogue gives no usable outline.")
    if not candidate.footprint.intersects(request.area):
        return refusal(name, "outside_aoi", "Its data do not meet the area of interest.")
    return _refuse_what_was_not_asked(candidate, product, request)


def _refuse_what_was_not_asked(candidate: RadarCandidate, product: RadarName, request: RadarRequest) -> Refusal | None:
    name, track, direction = candidate.name, candidate.relative_orbit, candidate.direction
    if missing := sorted(set(request.polarisations) - set(product.polarisations)):
        has = ", ".join(product.polarisations)
        return refusal(name, "missing_polarisation", f"Without {', '.join(missing)}; it has {has}.")
    if track is None or direction is None:
        return refusal(name, "unknown_orbit", f"The catalogue says: track {track}, direction {direction}.")
    if request.direction not in (None, direction):
        return refusal(name, "other_pass", f"It is {direction}, asked was {request.direction}.")
    if request.relative_orbit not in (None, track):
        return refusal(name, "other_pass", f"Its track is {track}, asked was {request.relative_orbit}.")
    for key, wanted in request.filters.items():
        if not _is_one_of(candidate.properties.get(key), wanted):
            return refusal(name, "filtered", f"Its {key} is {candidate.properties.get(key)!r}, asked was {wanted!r}.")
    if not candidate.online:
        return refusal(name, "offline", "The archive would have to stage it first.")
    return None


def _is_one_of(value: Any, wanted: Any) -> bool:
    return value == wanted or (isinstance(wanted, list | tuple) and value in wanted)


def keep_latest(
    candidates: Iterable[RadarCandidate],
) -> tuple[tuple[RadarCandidate, ...], tuple[Refusal, ...]]:
    """Of the products of one slice the latest processed one, and of equals the cloud-optimised one, which is smaller.

    The slice is told by platform, datatake and time, not by name: reprocessing may move its first line by a fraction
    of a second. Products whose processing time is unknown are the oldest. The order of `candidates` does not matter.
    """
    groups: dict[tuple[str, str], list[tuple[datetime, bool, str, RadarCandidate]]] = defaultdict(list)
    for candidate in candidates:
        if product := candidate.product:
            made = candidate.processed or datetime.min.replace(tzinfo=UTC)
            groups[product.platform, product.datatake].append((made, product.is_cog, candidate.name, candidate))
    kept: list[RadarCandidate] = []
    refused: list[Refusal] = []
    for group in groups.values():
        latest: list[RadarCandidate] = []
        for *_, candidate in sorted(group, key=lambda row: row[:3], reverse=True):
            twin = next((other for other in latest if _is_same_slice(candidate, other)), None)
            if twin is None:
                latest.append(candidate)
            else:
                refused.append(refusal(candidate.name, "superseded", f"{twin.name} has the same slice."))
        kept += latest
    return tuple(kept), tuple(refused)


def span_of(candidate: RadarCandidate) -> tuple[datetime, datetime]:
    """First and last line in time: the catalogue's, else to the second by the name."""
    product, start = candidate.product, candidate.acquired
    if product is None or start is None:
        raise ValueError(f"{candidate.name} was to be refused at sight")
    # Some catalogues state the middle of the slice as its only time.
    return (start, candidate.stop) if candidate.stop and candidate.stop > start else (product.start, product.stop)


def _is_same_slice(one: RadarCandidate, other: RadarCandidate) -> bool:
    (start, stop), (other_start, other_stop) = span_of(one), span_of(other)
    shared_s = (min(stop, other_stop) - max(start, other_start)).total_seconds()
    shorter_s = min(stop - start, other_stop - other_start).total_seconds()
    return shared_s > SAME_SLICE_SHARE * shorter_s
