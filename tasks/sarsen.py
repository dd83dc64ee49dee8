"""The steps of the sarsen image as Prefect tasks."""

from prefect import task

from containers.base.contract.radar import BackscatterResult
from containers.sarsen.contract.backscatter import SarsenBackscatterParams
from tasks.runner import STEP_TASK, run_step


@task(**STEP_TASK, task_run_name="backscatter {params.slices[0].platform} {params.slices[0].start:%Y-%m-%d}")
def compute_backscatter(params: SarsenBackscatterParams) -> BackscatterResult:
    return run_step(params)
