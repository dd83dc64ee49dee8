"""The steps of the snap image as Prefect tasks."""

from prefect import task

from containers.base.contract.radar import BackscatterResult
from containers.snap.contract.backscatter import SnapBackscatterParams
from containers.snap.contract.resample import ResampleParams, ResampleResult
from tasks.runner import STEP_TASK, run_step


@task(**STEP_TASK, task_run_name="snap backscatter {params.slices[0].platform} {params.slices[0].start:%Y-%m-%d}")
def snap_backscatter(params: SnapBackscatterParams) -> BackscatterResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="snap resample {params.product.id}")
def snap_resample(params: ResampleParams) -> ResampleResult:
    return run_step(params)
