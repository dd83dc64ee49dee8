"""Scene search and selection as one task: what a run will read, and a ledger row for everything that it will not."""

from collections.abc import Sequence

import shapely
from prefect import task
from shapely.geometry import MultiPolygon

from containers.base.contract.step import StepError
from containers.gdal.contract.composite import CompositeResult
from tasks import ledger
from tasks.catalogue.answer import Refusal, SearchAnswer, refusal, require_scenes
from tasks.catalogue.plan import Plan, PlanParams, make_plan
from tasks.catalogue.request import SearchRequest
from tasks.catalogue.search import search_scenes
from tasks.catalogue.selection import Selection, common_tiles, select_scenes
from tasks.impervious.intake import Inputs
from tasks.parameters.impervious_change import ImperviousChangeParams
from tasks.runner import SEARCH_TASK


@task(**SEARCH_TASK, name="find scenes", persist_result=True)
def find_scenes(params: ImperviousChangeParams, inputs: Inputs) -> Selection:
    """The acquisitions to read per tile and period. Raises `no_scenes`, `no_common_tile`, `unknown_band`."""
    request, answer = _search(params, inputs)
    ledger.keep_answers(answer.raw)
    _skip(answer.refused)
    require_scenes(request, answer)
    selection = _select(params, inputs, answer)
    _skip(selection.refused)
    tiles, dropped = common_tiles(selection)
    _skip(dropped)
    choices = tuple(choice for choice in selection.choices if choice.tile in tiles)
    return selection.model_copy(update={"choices": choices, "tiles": tiles})


def plan_scenes(params: ImperviousChangeParams, inputs: Inputs) -> Plan:
    """Scenes, bytes, minutes and quota share of a run, before anything is read."""
    request, answer = _search(params, inputs)
    require_scenes(request, answer)
    training = params.training
    patches = 0 if params.model_href else training.patches_per_epoch * training.max_epochs
    return make_plan(
        _select(params, inputs, answer), PlanParams(grid=inputs.grid, patches=patches, patch_px=training.patch_px)
    )


def keep_common_tiles(
    images: Sequence[CompositeResult], periods: Sequence[str]
) -> dict[str, tuple[CompositeResult, ...]]:
    """Each of the periods to its clear images, of the tiles that all could be made of. Raises `no_common_tile`."""
    tiles_of = {period: {image.tile for image in images if image.period == period} for period in periods}
    common = set.intersection(*tiles_of.values())
    if not common:
        counts = {period: sorted(tiles) for period, tiles in tiles_of.items()}
        raise StepError(
            "no_common_tile",
            f"no tile could be read in every period: {counts}.",
            "See the ledger for the scenes that could not be read; raise selection.max_scenes or widen the months.",
        )
    for tile in set().union(*tiles_of.values()) - common:
        _skip((refusal(tile, "not_in_all_periods", "It could not be read in every period."),))
    return {
        period: tuple(image for image in images if image.period == period and image.tile in common)
        for period in periods
    }


def _search(params: ImperviousChangeParams, inputs: Inputs) -> tuple[SearchRequest, SearchAnswer]:
    request = SearchRequest(
        **dict(params.source),
        aoi=inputs.aoi,
        periods=inputs.periods,
        bands=params.bands,
        resolution_m=params.resolution_m,
        max_cloud=params.selection.max_cloud,
        min_valid_share=params.selection.min_valid_share,
    )
    return request, search_scenes(request)


def _select(params: ImperviousChangeParams, inputs: Inputs, answer: SearchAnswer) -> Selection:
    return select_scenes(
        answer.scenes,
        MultiPolygon(shapely.get_parts(shapely.from_wkt(inputs.aoi)).tolist()),
        inputs.periods,
        method=params.selection.method,
        max_scenes=params.selection.max_scenes,
        max_cloud=params.selection.max_cloud,
        min_valid_share=params.selection.min_valid_share,
        tiles=answer.tiles,
    )


def _skip(refusals: tuple[Refusal, ...]) -> None:
    for row in refusals:
        ledger.skip(row.scene_id, row.code, row.reason, row.hint)
