"""What the ground looked like under the cloud, and what burned. Method: docs/cloud_removal.md."""

from prefect import flow

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.legend import REFLECTANCE_SCALE
from containers.base.contract.pair import Pair
from containers.gdal.contract.dataset import DatasetParams, DatasetResult, TilesParams, TilesResult
from containers.gdal.contract.dem import DemResult
from containers.gdal.contract.fit_image import FitImageParams
from containers.gdal.contract.judge import Candidate, JudgeRemovalParams, JudgeRemovalResult
from containers.tensorflow.contract.removal import (
    PredictRemovalParams,
    PredictRemovalResult,
    RemovalModel,
    TrainRemovalParams,
    TrainRemovalResult,
)
from flows.cloud_removal_burns import tell_burns
from flows.cloud_removal_pairs import download, heights, join_pairs, pair_dates
from tasks import gdal, ledger, tensorflow
from tasks.cloud_removal.intake import RemovalInputs, take_in_removal
from tasks.cloud_removal.outcome import Outcome, reached
from tasks.cloud_removal.paired import PairedDates
from tasks.cloud_removal.product import RemovalProducts
from tasks.cloud_removal.publish import publish_cloud_removal
from tasks.parameters.cloud_removal import CloudRemovalParams
from tasks.publishing.product import Publication
from tasks.runner import FLOW_OPTIONS

MODEL = "model"
"""Name of the network that sees everything, among those that it is compared with."""


@flow(name="cloud_removal", flow_run_name="{params.name}", **FLOW_OPTIONS)
def cloud_removal(params: CloudRemovalParams) -> Publication | Outcome:
    """A clear image from radar and an earlier one, its errors beside simpler ways, and what burned in between."""
    inputs = take_in_removal(params)
    paired = pair_dates(params, inputs)
    if done := reached(params, "pairs", (), tuple(map(str, paired.dates))):
        return done
    folders = download(paired)
    if done := reached(params, "download", folders):
        return done
    terrain = heights(params, inputs, paired)
    pairs = join_pairs(params, inputs, paired, folders, terrain)
    if done := reached(params, "radar", [(pair.radar_t0, pair.radar_t1) for pair in pairs]):
        return done
    if done := reached(params, "optical", [date.optical for date in paired.dates]):
        return done
    return rebuild(params, inputs, paired, pairs, terrain)


def rebuild(
    params: CloudRemovalParams,
    inputs: RemovalInputs,
    paired: PairedDates,
    pairs: tuple[Pair, ...],
    terrain: DemResult,
) -> Publication | Outcome:
    """From images on one grid to the clear image, its judgement and what burned."""
    tiles = cut_tiles(params, inputs, pairs, paired.grid)
    if done := reached(params, "tiles", tiles):
        return done
    dataset = write_dataset(params, pairs, tiles, paired.grid) if tiles and not inputs.model else None
    if done := reached(params, "dataset", dataset):
        return done
    trainings = train(params, dataset) if dataset else {}
    if done := reached(params, "train", trainings):
        return done
    predictions = predict(params, models_of(trainings, inputs), pairs[-1], paired.grid)
    if done := reached(params, "predict", predictions):
        return done
    truth = true_bands(params, inputs, paired.grid)
    judgement = judge(params, predictions, truth, pairs, tiles) if tiles else None
    if done := reached(params, "mosaic", (predictions[MODEL], judgement)):
        return done
    products = RemovalProducts(
        paired=paired,
        pairs=pairs,
        tiles=tiles,
        training=trainings.get(MODEL),
        model=models_of(trainings, inputs)[MODEL],
        prediction=predictions[MODEL],
        judgement=judgement,
        burns=tell_burns(params, inputs, paired, pairs[-1], terrain, (predictions[MODEL].restored, truth)),
        true_bands=truth,
    )
    publication = publish_cloud_removal(params, products)
    ledger.close_ledger()
    return publication


def cut_tiles(
    params: CloudRemovalParams, inputs: RemovalInputs, pairs: tuple[Pair, ...], grid: Grid
) -> TilesResult | None:
    """Tiles to learn from and to judge by; None where a trained model is used and nobody knows the truth."""
    if inputs.model and not inputs.true_image:
        return None
    tiles: TilesResult = gdal.cut_tiles.submit(TilesParams(pairs=pairs, grid=grid, **dict(params.tiling))).result()
    return tiles


def write_dataset(params: CloudRemovalParams, pairs: tuple[Pair, ...], tiles: TilesResult, grid: Grid) -> DatasetResult:
    """The tiles in one file, with scalers fitted to the training part."""
    dataset: DatasetResult = gdal.write_dataset.submit(
        DatasetParams(
            pairs=pairs,
            tiles=tiles.tiles,
            grid=grid,
            tile_px=params.tiling.size_px,
            polarisations=params.pairing.polarisations,
            bands=params.bands,
            scaling=params.scaling,
            simulated=pairs[-1].radar_t1.simulated,
        )
    ).result()
    return dataset


def train(params: CloudRemovalParams, dataset: DatasetResult) -> dict[str, TrainRemovalResult]:
    """The network, and those of fewer inputs that it is compared with, by name."""
    learning = params.learning
    futures = {
        name: tensorflow.train_removal.submit(
            TrainRemovalParams(
                dataset=dataset.dataset,
                preset=learning.preset,
                overrides=learning.overrides,
                inputs=inputs,
                seed=learning.seed,
                max_tiles=learning.max_tiles,
            )
        )
        for name, inputs in ((MODEL, "all"), *((f"{seen}_only", seen) for seen in learning.compare_with))
    }
    return {name: future.result() for name, future in futures.items()}


def predict(
    params: CloudRemovalParams, models: dict[str, RemovalModel], pair: Pair, grid: Grid
) -> dict[str, PredictRemovalResult]:
    """The last date by every network."""
    futures = {
        name: tensorflow.predict_removal.submit(
            PredictRemovalParams(
                pair=pair,
                grid=grid,
                model=model,
                overlap_px=params.learning.overlap_px,
                allow_simulated_model=params.learning.allow_simulated_model,
            )
        )
        for name, model in models.items()
    }
    return {name: future.result() for name, future in futures.items()}


def true_bands(params: CloudRemovalParams, inputs: RemovalInputs, grid: Grid) -> dict[str, File]:
    """The last date without clouds, where somebody knows it."""
    if inputs.true_image is None:
        return {}
    fitted = gdal.fit_image.submit(
        FitImageParams(image=inputs.true_image, bands=params.bands, grid=grid, scale=REFLECTANCE_SCALE)
    )
    bands: dict[str, File] = fitted.result().bands
    return bands


def judge(
    params: CloudRemovalParams,
    predictions: dict[str, PredictRemovalResult],
    truth: dict[str, File],
    pairs: tuple[Pair, ...],
    tiles: TilesResult,
) -> JudgeRemovalResult:
    """Errors on hidden and on clear cells apart, beside doing nothing and linear regression."""
    judgement: JudgeRemovalResult = gdal.judge_removal.submit(
        JudgeRemovalParams(
            pair=pairs[-1],
            more_pairs=pairs[:-1],
            grid=pairs[-1].optical_t1.grid,
            tiles=tiles.tiles,
            tile_px=params.tiling.size_px,
            candidates=tuple(Candidate(name=name, bands=each.simulated) for name, each in predictions.items()),
            truth=truth,
            seed=params.learning.seed,
        )
    ).result()
    return judgement


def models_of(trainings: dict[str, TrainRemovalResult], inputs: RemovalInputs) -> dict[str, RemovalModel]:
    """The trained networks by name, or the user's own."""
    if inputs.model:
        return {MODEL: inputs.model}
    return {name: training.model for name, training in trainings.items()}
