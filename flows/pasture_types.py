"""Which vegetation grows on which alpine pasture, and what the year was like there. Method: docs/pasture_types.md."""

from prefect import flow

from containers.base.contract.grid import spanning
from containers.gdal.contract.survey import SurveyResult
from containers.gdal.contract.type_features import Terrain
from flows.pasture_types_maps import describe_pastures, map_pastures, tell_calendars
from flows.pasture_types_sites import check_survey, dataset_of_sites, learn_types
from tasks import gdal, ledger
from tasks.parameters.pasture_types import PastureTypesParams
from tasks.pastures.cutting import cut_tile
from tasks.pastures.intake import PastureInputs, take_in_pastures
from tasks.pastures.model import recipe_of, types_model
from tasks.pastures.product import PastureProducts
from tasks.pastures.publish import publish_pasture_types
from tasks.pastures.scenes import TileProducts, find_products
from tasks.pastures.slices import PlacedPasture, StencilSlices, placed_pastures, seen_pastures, stencil_cuts
from tasks.pastures.terrain import dem_params, needs_terrain, terrain_of
from tasks.publishing.product import Publication
from tasks.runner import FLOW_OPTIONS


@flow(name="pasture_types", flow_run_name="{params.name}", **FLOW_OPTIONS)
def pasture_types(params: PastureTypesParams) -> Publication:
    """Types, areas and calendars of pastures, from a survey and a Sentinel-2 archive."""
    inputs = take_in_pastures(params)
    tiles = find_products.submit(params, inputs).result()
    placed = placed_pastures(inputs, tiles)
    survey = check_survey(params, inputs, tiles)
    slices = cut(params, inputs, tiles, placed, survey)
    shown = seen_pastures(placed, slices)
    recipe = recipe_of(params, inputs)
    terrain = heights(inputs, slices) if needs_terrain(recipe) else {}
    dataset = dataset_of_sites(params, inputs, survey, slices)
    training = learn_types(params, dataset, terrain) if dataset else None
    model = types_model(inputs, training)
    described = describe_pastures(params, shown, slices, terrain, recipe)
    products = PastureProducts(
        tiles=tiles,
        survey=survey,
        dataset=dataset,
        training=training,
        model=model,
        maps=map_pastures(params, inputs, described, model),
        calendars=tell_calendars(params, shown, slices),
    )
    publication = publish_pasture_types(params, inputs, products)
    ledger.close_ledger()
    return publication


def cut(
    params: PastureTypesParams,
    inputs: PastureInputs,
    tiles: tuple[TileProducts, ...],
    placed: tuple[PlacedPasture, ...],
    survey: SurveyResult | None,
) -> tuple[StencilSlices, ...]:
    """Every product, cut to pastures and sites; stencils that were cut before are not cut again."""
    sites = survey.sites if survey else None
    batches = tuple(stencil_cuts(params.name, inputs, tiles, placed, sites, unmasked=params.reflectance.unmasked))
    futures = [[cut_tile.submit(each) for each in batch.cuts] for batch in batches]
    return tuple(
        StencilSlices(
            tile=batch.tile,
            stencils=batch.stencils,
            slices=tuple(found for future in cuts for found in future.result()),
        )
        for batch, cuts in zip(batches, futures, strict=True)
    )


def heights(inputs: PastureInputs, slices: tuple[StencilSlices, ...]) -> dict[str, Terrain]:
    """Heights, slope and aspect of each tile's stencils."""
    grids = {
        tile: spanning(each.grid for found in slices if found.tile == tile for each in found.slices)
        for tile in sorted({found.tile for found in slices})
    }
    futures = {tile: gdal.join_dem.submit(dem_params(inputs, grid)) for tile, grid in grids.items()}
    return {tile: terrain_of(future.result()) for tile, future in futures.items()}
