"""The steps of the gdal image as Prefect tasks."""

from prefect import task

from containers.gdal.contract import areas, burn, productivity, sites
from containers.gdal.contract.align import AlignParams, AlignResult
from containers.gdal.contract.calendar import CalendarParams, CalendarResult
from containers.gdal.contract.composite import CompositeParams, CompositeResult
from containers.gdal.contract.consistency import ConsistencyParams, ConsistencyResult
from containers.gdal.contract.cube import CheckCubeParams, CheckCubeResult, CubeParams, CubeResult
from containers.gdal.contract.cut import CutParams, Slice
from containers.gdal.contract.dataset import DatasetParams, DatasetResult, TilesParams, TilesResult
from containers.gdal.contract.dem import DemParams, DemResult
from containers.gdal.contract.download import DownloadParams, DownloadResult
from containers.gdal.contract.fill import FillParams, FillResult
from containers.gdal.contract.fit_image import FitImageParams, FitImageResult
from containers.gdal.contract.judge import JudgeRemovalParams, JudgeRemovalResult
from containers.gdal.contract.labels import LabelsParams, LabelsResult
from containers.gdal.contract.land import LandParams, LandResult
from containers.gdal.contract.mask import MaskParams, MaskResult
from containers.gdal.contract.mask_exchange import ExportMasksParams, ExportMasksResult, ImportMaskParams
from containers.gdal.contract.mask_model import MaskTableParams, MaskTableResult, TrainMaskParams, TrainMaskResult
from containers.gdal.contract.merge import MergeParams, MergeResult
from containers.gdal.contract.mosaic import CheckAlignmentParams, CheckAlignmentResult, MosaicParams, MosaicResult
from containers.gdal.contract.observe import Observation, ObserveParams
from containers.gdal.contract.optical import OpticalParams, OpticalResult
from containers.gdal.contract.quicklook import QuicklookParams, QuicklookResult
from containers.gdal.contract.series import SeriesParams, SeriesResult
from containers.gdal.contract.survey import SurveyParams, SurveyResult
from containers.gdal.contract.type_features import (
    PastureFeaturesParams,
    PastureFeaturesResult,
    SiteFeaturesParams,
    SiteFeaturesResult,
)
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
def draw_sample(params: areas.SampleParams) -> areas.SampleResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="areas")
def estimate_areas(params: areas.AreasParams) -> areas.AreasResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="quick-looks")
def draw_quicklooks(params: QuicklookParams) -> QuicklookResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="observe {params.parts[0].tile} {params.parts[0].datetime:%Y-%m-%d}")
def observe_scene(params: ObserveParams) -> Observation:
    return run_step(params)


@task(**STEP_TASK, task_run_name="mask {params.observation.tile} {params.observation.acquired:%Y-%m-%d}")
def mask_scene(params: MaskParams) -> MaskResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="labelled pixels")
def tabulate_pixels(params: MaskTableParams) -> MaskTableResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="train the cloud mask")
def train_mask(params: TrainMaskParams) -> TrainMaskResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="export masks")
def export_masks(params: ExportMasksParams) -> ExportMasksResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="import the mask {params.tile} {params.acquired:%Y-%m-%d}")
def import_mask(params: ImportMaskParams) -> MaskResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="land")
def rasterise_land(params: LandParams) -> LandResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="series of {params.index}")
def index_series(params: SeriesParams) -> SeriesResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="fill gaps")
def fill_series(params: FillParams) -> FillResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="season metrics")
def season_metrics(params: productivity.ProductivityParams) -> productivity.ProductivityResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="anomalies and trend")
def compare_years(params: productivity.TrendParams) -> productivity.TrendResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="curves per region")
def region_curves(params: productivity.CurvesParams) -> productivity.CurvesResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="series at points")
def point_series(params: productivity.PointsParams) -> productivity.PointsResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="animation")
def animate(params: productivity.AnimationParams) -> productivity.AnimationResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="merge windows")
def merge_windows(params: MergeParams) -> MergeResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="{params.image.name} on the grid")
def fit_image(params: FitImageParams) -> FitImageResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="burned area {params.period}")
def map_burn(params: burn.BurnParams) -> burn.BurnResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="compare burn maps")
def compare_burns(params: burn.CompareBurnsParams) -> burn.CompareBurnsResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="reference sample of {params.mapped.name}")
def sample_classes(params: areas.SampleClassesParams) -> areas.SampleResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="change map")
def map_change(params: burn.ChangeMapParams) -> burn.ChangeMapResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="severity by land cover and terrain")
def severity_shares(params: burn.SharesParams) -> burn.SharesResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="optical image {params.seen[0].acquired:%Y-%m-%d}")
def mosaic_image(params: OpticalParams) -> OpticalResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="tiles")
def cut_tiles(params: TilesParams) -> TilesResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="dataset")
def write_dataset(params: DatasetParams) -> DatasetResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="judge {params.pair.label}")
def judge_removal(params: JudgeRemovalParams) -> JudgeRemovalResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="download {params.product_id}")
def download_product(params: DownloadParams) -> DownloadResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="heights")
def join_dem(params: DemParams) -> DemResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="survey")
def take_survey(params: SurveyParams) -> SurveyResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="calendar of {params.pasture_id}")
def tell_calendar(params: CalendarParams) -> CalendarResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="cut one acquisition")
def cut_scene(params: CutParams) -> Slice:
    return run_step(params)


@task(**STEP_TASK, task_run_name="spectra of sites {params.slices[0].tile}")
def site_spectra(params: sites.SiteSpectraParams) -> sites.SiteSpectraResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="import spectra")
def import_spectra(params: sites.ImportSpectraParams) -> sites.SiteSpectraResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="dataset of sites")
def site_dataset(params: sites.SiteDatasetParams) -> sites.SiteDatasetResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="features of {params.pasture_id} {params.year}")
def pasture_features(params: PastureFeaturesParams) -> PastureFeaturesResult:
    return run_step(params)


@task(**STEP_TASK, task_run_name="features of sites")
def site_features(params: SiteFeaturesParams) -> SiteFeaturesResult:
    return run_step(params)
