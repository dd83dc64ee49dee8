"""The steps of the tensorflow image as Prefect tasks."""

from prefect import task

from containers.tensorflow.contract.predict import PredictParams, PredictResult
from containers.tensorflow.contract.removal import (
    PredictRemovalParams,
    PredictRemovalResult,
    TrainRemovalParams,
    TrainRemovalResult,
)
from containers.tensorflow.contract.train import TrainParams, TrainResult
from containers.tensorflow.contract.types import (
    MapTypesParams,
    MapTypesResult,
    PredictTypesParams,
    PredictTypesResult,
    TrainTypesParams,
    TrainTypesResult,
)
from tasks.runner import STEP_TASK, run_step


@task(**STEP_TASK, task_run_name="train land cover")
def train_land_cover(params: TrainParams) -> TrainResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="predict {params.period}")
def predict_period(params: PredictParams) -> PredictResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="train {params.preset} on {params.inputs}")
def train_removal(params: TrainRemovalParams) -> TrainRemovalResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="rebuild {params.pair.label}")
def predict_removal(params: PredictRemovalParams) -> PredictRemovalResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="train {params.classifier} of vegetation types")
def train_types(params: TrainTypesParams) -> TrainTypesResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="vegetation types of sites")
def predict_types(params: PredictTypesParams) -> PredictTypesResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="map types of {params.features.name}")
def map_types(params: MapTypesParams) -> MapTypesResult:
    return run_step(params)
