"""The one call that finds radar products, whatever the catalogue."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from containers.base.contract.radar import RadarProduct
from tasks.catalogue import items, odata, stac
from tasks.catalogue.answer import RawAnswer, Refusal
from tasks.radar_catalogue import rules
from tasks.radar_catalogue.candidate import RadarCandidate, candidate_from_item, candidate_from_odata
from tasks.radar_catalogue.files import locate
from tasks.radar_catalogue.request import RadarProvider, RadarRequest

ODATA_KINDS: Final = ("IW_GRDH_1S", "IW_GRDH_1S-COG")
_Found = tuple[list[RadarCandidate], list[RawAnswer]]


def _find_odata(request: RadarRequest) -> _Found:
    """`collection` is SENTINEL-1 here whatever the request says: OData knows the mission as one collection."""
    return odata.search(request, "SENTINEL-1", ODATA_KINDS, candidate_from_odata)


PROVIDERS: Final[dict[RadarProvider, Callable[[RadarRequest], _Found]]] = {
    "stac": lambda request: stac.search(request, candidate_from_item),
    "odata": _find_odata,
    "items": lambda request: items.search(request, candidate_from_item),
}


@dataclass(frozen=True)
class RadarAnswer:
    """Usable products in the order of time, what was refused, and the catalogue's answers as they came."""

    products: tuple[RadarProduct, ...]
    refused: tuple[Refusal, ...]
    raw: tuple[RawAnswer, ...]


def search_radar(request: RadarRequest) -> RadarAnswer:
    """Every usable slice that meets the area. An empty answer is an answer.

    Raises `throttled`, `storage_timeout`, `storage_error` (transient), `access_denied` and `bad_parameters`.
    """
    found, raw = PROVIDERS[request.provider](request)
    # Paging can repeat items.
    candidates = list({candidate.name: candidate for candidate in found}.values())
    at_sight = [rules.refuse_at_sight(candidate, request) for candidate in candidates]
    wanted = [candidate for candidate, row in zip(candidates, at_sight, strict=True) if row is None]
    with ThreadPoolExecutor(request.connections) as pool:
        located = list(pool.map(lambda candidate: locate(candidate, request), wanted))
    # Ghosts go before duplicates are settled: a ghost must not supersede a product that is there.
    there = {each.id: each for each in located if isinstance(each, RadarProduct)}
    latest, superseded = rules.keep_latest(candidate for candidate in wanted if candidate.name in there)
    refused = [row for row in (*at_sight, *located, *superseded) if isinstance(row, Refusal)]
    return RadarAnswer(
        products=tuple(sorted((there[each.name] for each in latest), key=lambda each: (each.start, each.id))),
        refused=tuple(sorted(refused, key=lambda row: (row.code, row.scene_id))),
        raw=tuple(raw),
    )
