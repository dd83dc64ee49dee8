"""A cloud-mask model from labelled scenes, measured on scenes not trained on. Method: docs/cloud_mask_model.md."""

from prefect import flow

from containers.base.contract.files import File
from containers.gdal.contract.mask_model import TrainMaskParams, TrainMaskResult
from tasks import gdal, ledger
from tasks.masks.model_product import ModelPublication, publish_mask_model
from tasks.masks.tile_batches import mask_tile, observe_tile
from tasks.masks.training import (
    find_training_scenes,
    mask_batches,
    observe_batches,
    table_params,
    take_in_labels,
    take_in_table,
)
from tasks.parameters.cloud_mask_model import CloudMaskModelParams
from tasks.runner import FLOW_OPTIONS


@flow(name="cloud_mask_model", flow_run_name="{params.name}", **FLOW_OPTIONS)
def cloud_mask_model(params: CloudMaskModelParams) -> ModelPublication:
    """A forest over the mask's components, from label rasters or a finished table of labelled pixels."""
    table = take_in_table(params) if params.labels.table else tabulate(params)
    training: TrainMaskResult = gdal.train_mask.submit(TrainMaskParams(table=table, **dict(params.training))).result()
    publication = publish_mask_model(params, table, training)
    ledger.close_ledger()
    return publication


def tabulate(params: CloudMaskModelParams) -> File:
    """Labelled pixels with their components."""
    inputs = take_in_labels(params)
    acquisitions = find_training_scenes.submit(params, inputs).result()
    reading = [observe_tile.submit(batch) for batch in observe_batches(params, inputs, acquisitions)]
    observations = tuple(observation for future in reading for observation in future.result())
    masking = [mask_tile.submit(batch) for batch in mask_batches(params, inputs, observations)]
    masks = tuple(mask for future in masking for mask in future.result())
    table: File = gdal.tabulate_pixels.submit(table_params(params, inputs, observations, masks)).result().table
    return table
