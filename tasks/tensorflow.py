"""The steps of the tensorflow image as Prefect tasks."""

from prefect import task

from containers.tensorflow.contract.predict import PredictParams, PredictResult
from containers.tensorflow.contract.train import TrainParams, TrainResult
from tasks.runner import STEP_TASK, run_step


@task(**STEP_TASK, task_run_name="train land cover")
def train_land_cover(params: TrainParams) -> TrainResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="predict {params.period}")
def predict_period(params: PredictParams) -> PredictResult:
    return run_step(params)
