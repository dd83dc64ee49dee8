"""The steps of the grass image as Prefect tasks."""

from prefect import task

from containers.grass.contract.change import ChangeParams, ChangeResult
from containers.grass.contract.reclass import ReclassParams, ReclassResult
from containers.grass.contract.zonal import ZonalParams, ZonalResult
from tasks.runner import STEP_TASK, run_step


@task(**STEP_TASK, task_run_name="reclass by {params.rules}")
def reclass_labels(params: ReclassParams) -> ReclassResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="change")
def map_change(params: ChangeParams) -> ChangeResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="zonal by {params.engine}")
def count_per_region(params: ZonalParams) -> ZonalResult:
    return run_step(params)
