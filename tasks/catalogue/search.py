"""The one call that finds scenes, whatever the catalogue."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from containers.base.contract.scene import Scene
from containers.base.contract.step import StepError
from tasks.catalogue import hub, items, odata, rules, stac
from tasks.catalogue.answer import RawAnswer, Refusal, SearchAnswer
from tasks.catalogue.candidate import Candidate
from tasks.catalogue.request import Provider, SearchRequest
from tasks.catalogue.scenes import check_objects, locate

_Find = Callable[[SearchRequest], tuple[list[Candidate], list[RawAnswer]]]
PROVIDERS: Final[dict[Provider, _Find]] = {"stac": stac.find, "odata": odata.find, "items": items.find, "hub": hub.find}


def search_scenes(request: SearchRequest) -> SearchAnswer:
    """Scenes that can be used, rows for those that cannot, and the catalogue's answers as they came.

    An empty answer is an answer: `answer.require_scenes` raises. Raises `throttled`, `storage_timeout`,
    `storage_error` (transient), `access_denied` and `bad_parameters`.
    """
    found, raw = PROVIDERS[request.provider](request)
    # Paging can repeat items.
    candidates = list({candidate.name: candidate for candidate in found}.values())
    at_sight = [rules.refuse_at_sight(candidate, request) for candidate in candidates]
    wanted = [candidate for candidate, row in zip(candidates, at_sight, strict=True) if row is None]
    located = _located(wanted, request)
    # Ghosts go before duplicates are settled: a ghost must not supersede a product that is there.
    latest, superseded = rules.keep_latest(scene for scene in located if isinstance(scene, Scene))
    scenes, poor = rules.drop_poor(
        latest, request.area, min_valid_share=request.min_valid_share, max_cloud=request.max_cloud
    )
    refused = [row for row in (*at_sight, *located) if isinstance(row, Refusal)]
    return SearchAnswer(
        scenes=tuple(sorted(scenes, key=lambda scene: (scene.tile, scene.datetime, scene.id))),
        refused=tuple(sorted((*refused, *superseded, *poor), key=lambda row: (row.code, row.scene_id))),
        raw=tuple(raw),
    )


def find_product(request: SearchRequest, name: str) -> tuple[Scene, tuple[RawAnswer, ...]]:
    """The product of that name, whatever newer ones there are, and the catalogue's answers as they came.

    Raises `no_scenes`, which names it, where the catalogue lacks it or it cannot be used, and what a search does.
    """
    found, raw = PROVIDERS[request.provider](request)
    candidate = next((each for each in found if each.name == name.removesuffix(".SAFE")), None)
    why = "it is not there."
    if candidate is not None:
        outcome = rules.refuse_at_sight(candidate, request) or _located([candidate], request)[0]
        if isinstance(outcome, Scene):
            return outcome, tuple(raw)
        why = f"{outcome.code}. {outcome.reason}"
    raise StepError(
        "no_scenes",
        f"{request.collection} at {request.endpoint} was asked for the product {name}: {why}",
        "Check the name and the area. Archives delete older baselines: search the date to see what there is.",
    )


def _located(candidates: list[Candidate], request: SearchRequest) -> list[Scene | Refusal]:
    def examine(candidate: Candidate) -> Scene | Refusal:
        scene = locate(candidate, request)
        ghost = check_objects(scene) if request.check_objects and isinstance(scene, Scene) else None
        return ghost or scene

    with ThreadPoolExecutor(request.connections) as pool:
        return list(pool.map(examine, candidates))
