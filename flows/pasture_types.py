"""Which vegetation grows on which alpine pasture, and what the year was like there. Method: docs/pasture_types.md."""

from prefect import flow

from containers.base.contract.files import File
from containers.gdal.contract.calendar import CalendarParams, CalendarResult
from containers.gdal.contract.survey import SurveyParams, SurveyResult
from containers.gdal.contract.type_features import Terrain
from containers.tensorflow.contract.types import TypesModel
from flows.pasture_types_maps import map_pastures
from flows.pasture_types_sites import dataset_of_sites, learn_types
from tasks import gdal, ledger
from tasks.parameters.pasture_types import PastureTypesParams
from tasks.pastures.cutting import cut_tile
from tasks.pastures.intake import PastureInputs, take_in_pastures
from tasks.pastures.product import PastureProducts
from tasks.pastures.publish import publish_pasture_types
from tasks.pastures.scenes import TileProducts, find_products
from tasks.pastures.slices import StencilSlices, slices_of, stencil_cuts
from tasks.pastures.stencils import PlacedPasture, place_pastures
from tasks.pastures.terrain import dem_params
from tasks.publishing.product import Publication
from tasks.runner import FLOW_OPTIONS


@flow(name="pasture_types", flow_run_name="{params.name}", **FLOW_OPTIONS)
def pasture_types(params: PastureTypesParams) -> Publication:
    """Types, areas and calendars of pastures, from a survey and a Sentinel-2 archive."""
    inputs = take_in_pastures(params)
    tiles = find_products.submit(params, inputs).result()
    placed = place_pastures(inputs, tiles)
    survey = check_survey(params, inputs, tiles)
    slices = cut(params, inputs, tiles, placed, survey)
    terrain = heights(params, inputs, slices)
    dataset = dataset_of_sites(params, inputs, survey, slices)
    training = learn_types(params, dataset, terrain) if dataset else None
    model = training.model if training else inputs.model
    products = PastureProducts(
        tiles=tiles,
        survey=survey,
        dataset=dataset,
        training=training,
        model=model,
        maps=map_pastures(params, inputs, placed, slices, terrain, model),
        calendars=tell_calendars(params, inputs, placed, slices),
    )
    publication = publish_pasture_types(params, inputs, products)
    ledger.close_ledger()
    return publication
