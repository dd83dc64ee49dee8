"""The steps of the gdal image as Prefect tasks."""

from prefect import task

from containers.gdal.contract.align import AlignParams, AlignResult
from containers.gdal.contract.areas import AreasParams, AreasResult, SampleParams, SampleResult
from containers.gdal.contract.composite import CompositeParams, CompositeResult
from containers.gdal.contract.consistency import ConsistencyParams, ConsistencyResult
from containers.gdal.contract.cube import CheckCubeParams, CheckCubeResult, CubeParams, CubeResult
from containers.gdal.contract.labels import LabelsParams, LabelsResult
from containers.gdal.contract.mosaic import CheckAlignmentParams, CheckAlignmentResult, MosaicParams, MosaicResult
from containers.gdal.contract.quicklook import QuicklookParams, QuicklookResult
from tasks.runner import STEP_TASK, run_step


@task(**STEP_TASK, task_run_name="align {params.parts[0].tile} {params.parts[0].datetime:%Y-%m-%d}")
def align_scene(params: AlignParams) -> AlignResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="composite {params.tile} {params.period}")
def composite_tile(params: CompositeParams) -> CompositeResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="mosaic {params.period}")
def mosaic_period(params: MosaicParams) -> MosaicResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="check alignment")
def check_alignment(params: CheckAlignmentParams) -> CheckAlignmentResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="labels on the grid")
def align_labels(params: LabelsParams) -> LabelsResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="cube")
def write_cube(params: CubeParams) -> CubeResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="check cube")
def check_cube(params: CheckCubeParams) -> CheckCubeResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="consistency")
def smooth_history(params: ConsistencyParams) -> ConsistencyResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="reference sample")
def draw_sample(params: SampleParams) -> SampleResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="areas")
def estimate_areas(params: AreasParams) -> AreasResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="quick-looks")
def draw_quicklooks(params: QuicklookParams) -> QuicklookResult:
    return run_step(params)
