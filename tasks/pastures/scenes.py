"""Every product that a run cuts, by tile: acquisitions of the archive, or THEIA's ZIPs."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import shapely
from prefect import task
from pydantic import Field

from containers.base.contract.model import Contract
from containers.base.contract.scene import Scene
from containers.base.contract.step import StepError
from containers.gdal.contract.cut import TEN_BANDS, MajaProduct
from tasks import ledger
from tasks.catalogue.answer import Refusal
from tasks.catalogue.by_month import search_by_month
from tasks.catalogue.request import SearchRequest
from tasks.catalogue.rules import Acquisition, footprint_of
from tasks.parameters.pasture_types import PastureTypesParams
from tasks.pastures.intake import PastureInputs
from tasks.pastures.maja import find_maja
from tasks.pastures.stencils import CELL_M
from tasks.runner import SEARCH_TASK


class TileProducts(Contract):
    """What there is of one tile."""

    tile: str
    outline: str = Field(description="All that its products show together, WKT, EPSG:4326")
    acquisitions: tuple[Acquisition, ...] = Field(default=(), description="In the order of time")
    maja: tuple[MajaProduct, ...] = Field(default=(), description="In the order of time")


# Not persisted: a run that goes on searches again.
@task(**SEARCH_TASK, name="find products", persist_result=False)
def find_products(params: PastureTypesParams, inputs: PastureInputs) -> tuple[TileProducts, ...]:
    """Tiles in the order of their names. Each product left out is a row. Raises `no_scenes`."""
    tiles, refused = look_up(params, inputs, keep_answers=True)
    for row in refused:
        ledger.skip(row.scene_id, row.code, row.reason, row.hint)
    return tiles


def look_up(
    params: PastureTypesParams, inputs: PastureInputs, *, keep_answers: bool
) -> tuple[tuple[TileProducts, ...], tuple[Refusal, ...]]:
    """Tiles with their products, and what was refused. Raises `no_scenes`."""
    if params.reflectance.source == "maja":
        found = find_maja(params.reflectance, inputs.aoi, inputs.searched)
        tiles = tuple(
            TileProducts(tile=tile, outline=outline, maja=products) for tile, (outline, products) in found.tiles.items()
        )
        refused = found.refused
    else:
        acquired, refused = _search(params, inputs, keep_answers=keep_answers)
        tiles = tuple(by_tile(acquired))
    if not tiles:
        raise StepError(
            "no_scenes",
            f"No usable product of {params.reflectance.source} over the pastures, {inputs.searched.start} to "
            f"{inputs.searched.end}.",
            "See the ledger for what was refused; check years, collection and endpoint, or the folder of ZIPs, or "
            "raise reflectance.max_cloud.",
        )
    return tiles, refused


def by_tile(acquisitions: Iterable[Acquisition]) -> Iterator[TileProducts]:
    """Acquisitions of each tile, and what they show together."""
    tiles: dict[str, list[Acquisition]] = defaultdict(list)
    for parts in acquisitions:
        tiles[parts[0].tile].append(parts)
    for tile, found in sorted(tiles.items()):
        shown = shapely.union_all([footprint_of(part) for parts in found for part in parts])
        yield TileProducts(
            tile=tile,
            outline=shapely.to_wkt(shown, rounding_precision=7),
            acquisitions=tuple(sorted(found, key=lambda parts: (parts[0].datetime, parts[0].id))),
        )


def _search(
    params: PastureTypesParams, inputs: PastureInputs, *, keep_answers: bool
) -> tuple[list[Acquisition], tuple[Refusal, ...]]:
    request = SearchRequest(
        **dict(params.source),
        aoi=inputs.aoi,
        periods=(inputs.searched,),
        bands=TEN_BANDS,
        resolution_m=CELL_M,
        max_cloud=params.reflectance.max_cloud,
        min_valid_share=params.reflectance.min_valid_share,
    )

    def all_of_them(scenes: tuple[Scene, ...]) -> tuple[tuple[Scene, ...], tuple[Refusal, ...]]:
        return scenes, ()

    found: list[Acquisition] = []
    refused: list[Refusal] = []
    for acquired, rows in search_by_month(request, all_of_them, keep_answers=keep_answers):
        found += acquired
        refused += rows
    return found, tuple(refused)
