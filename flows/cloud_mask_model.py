"""A cloud-mask model from labelled scenes, measured on scenes not trained on. Method: docs/cloud_mask_model.md."""

from prefect import flow

from containers.base.contract.files import File
from containers.gdal.contract.mask import MaskResult
from containers.gdal.contract.mask_model import MaskTableParams, TrainMaskParams, TrainMaskResult
from containers.gdal.contract.observe import Observation
from tasks import gdal, ledger
from tasks.catalogue.rules import Acquisition
from tasks.mask_model_product import ModelPublication, publish_mask_model
from tasks.mask_training import (
    INDEX_BANDS,
    TrainingInputs,
    find_training_scenes,
    labelled,
    mask_bands,
    take_in_labels,
    take_in_table,
)
from tasks.parameters.cloud_mask_model import CloudMaskModelParams
from tasks.runner import FLOW_OPTIONS
from tasks.tile_batches import MaskBatch, ObserveBatch, by_tile_and_year, mask_tile, observe_tile


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
    observations = observe(params, inputs, acquisitions)
    masks = mask(params, inputs, observations)
    table: File = (
        gdal.tabulate_pixels.submit(
            MaskTableParams(
                scenes=labelled(observations, masks, inputs, params.labels.codes),
                pixels_per_scene=params.labels.pixels_per_scene,
                seed=params.training.seed,
            )
        )
        .result()
        .table
    )
    return table


def observe(
    params: CloudMaskModelParams, inputs: TrainingInputs, acquisitions: tuple[Acquisition, ...]
) -> tuple[Observation, ...]:
    """Every acquisition of the tiles: those without labels show the ground behind the clouds of the others."""
    futures = [
        observe_tile.submit(
            ObserveBatch(
                tile=tile,
                year=year,
                acquisitions=found,
                index_bands=INDEX_BANDS,
                mask_bands=mask_bands(params),
                grid=inputs.grid,
                mask_resolution_m=params.resolution_m,
                background_resolution_m=params.background_resolution_m,
            )
        )
        for (tile, year), found in by_tile_and_year(acquisitions).items()
    ]
    return tuple(observation for future in futures for observation in future.result())


def mask(
    params: CloudMaskModelParams, inputs: TrainingInputs, observations: tuple[Observation, ...]
) -> tuple[MaskResult, ...]:
    """The components of every labelled observation."""
    wanted = [each for each in observations if each.scene_id in inputs.labels]
    futures = [
        mask_tile.submit(
            MaskBatch(
                tile=tile,
                year=year,
                observations=tuple(each for each in wanted if (each.tile, each.acquired.year) == (tile, year)),
                neighbours=tuple(each for each in observations if each.tile == tile),
                backgrounds=params.backgrounds,
                rules=params.rules,
                model=None,
                weights=None,
                allow_simulated_model=False,
                keep_components=True,
            )
        )
        for tile, year in sorted({(each.tile, each.acquired.year) for each in wanted})
    ]
    return tuple(result for future in futures for result in future.result())
