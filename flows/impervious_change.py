"""How much land was sealed or greened, per region and year, with intervals. Method: docs/impervious_change.md."""

from prefect import flow
from prefect.futures import PrefectFuture

from containers.base.contract.files import File
from containers.base.contract.grid import Grid, spanning
from containers.base.contract.legend import LandCover
from containers.base.contract.scene import Scene
from containers.gdal.contract.align import AlignParams, AlignResult
from containers.gdal.contract.areas import AreasParams, AreasResult, SampleParams, SampleResult
from containers.gdal.contract.composite import CompositeParams, CompositeResult
from containers.gdal.contract.consistency import ConsistencyParams, ConsistencyResult
from containers.gdal.contract.cube import CheckCubeParams, CubeParams, CubeResult
from containers.gdal.contract.labels import LabelsParams
from containers.gdal.contract.mosaic import CheckAlignmentParams, MosaicParams, PeriodLayers
from containers.grass.contract.change import ChangeParams, ChangeResult
from containers.grass.contract.reclass import ReclassParams
from containers.grass.contract.zonal import ZonalLayer, ZonalParams, ZonalResult
from containers.tensorflow.contract.predict import PredictParams, PredictResult
from containers.tensorflow.contract.train import LandCoverModel, TrainParams, TrainResult
from tasks import gdal, grass, ledger, tensorflow
from tasks.catalogue.selection import Choice
from tasks.failures import CLOUDED, UNREADABLE, usable
from tasks.impervious.intake import Inputs, take_in
from tasks.impervious.publish import Products, Publication, publish_impervious_change
from tasks.impervious.scenes import find_scenes, keep_common_tiles
from tasks.parameters.impervious_change import ImperviousChangeParams
from tasks.runner import FLOW_OPTIONS


@flow(name="impervious_change", flow_run_name="{params.name}", **FLOW_OPTIONS)
def impervious_change(params: ImperviousChangeParams) -> Publication:
    """Newly sealed and newly green hectares per region and year, from a Sentinel-2 archive."""
    inputs = take_in(params)
    choices = find_scenes.submit(params, inputs).result().choices
    land_cover_labels(params, inputs, inputs.grid)  # refuses unfit labels before the archive is read
    tiles = clear_images(params, inputs, choices)
    mosaics = join_tiles(params, tiles)
    cube = build_cube(params, inputs, choices, mosaics, grid_of(tiles))
    training = None if inputs.model else train(params, cube)
    predictions = predict(params, cube, training.model if training else inputs.model)
    history = smooth(params, predictions)
    change = map_change(history)
    counts = count_per_region(params, inputs, history, change)
    sample = draw_sample(params, inputs, history, counts)
    areas = estimate_areas(inputs, counts, sample, cube.grid)
    products = Products(
        grid=cube.grid,
        choices=choices,
        mosaics=mosaics,
        training=training,
        predictions=predictions,
        history=history,
        change=change,
        counts=counts,
        areas=areas,
        sample=sample,
    )
    publication = publish_impervious_change(params, inputs, products)
    ledger.close_ledger()
    return publication


def clear_images(
    params: ImperviousChangeParams, inputs: Inputs, choices: tuple[Choice, ...]
) -> dict[str, tuple[CompositeResult, ...]]:
    """Period to the clear images of the tiles that every period has."""
    aligned = read_archive(params, inputs, choices)
    composites = [
        gdal.composite_tile.submit(
            CompositeParams(
                tile=choice.tile,
                period=choice.period,
                acquisitions=tuple(acquisitions),
                method=params.selection.method,
                mask=params.mask,
            )
        )
        for choice, acquisitions in zip(choices, aligned, strict=True)
        if acquisitions
    ]
    images = [image for future in composites if (image := usable(future, without=CLOUDED))]
    return keep_common_tiles(images, [period.label for period in inputs.periods])


def read_archive(
    params: ImperviousChangeParams, inputs: Inputs, choices: tuple[Choice, ...]
) -> list[list[AlignResult]]:
    """The aligned acquisitions of each choice. An unreadable one is a ledger row, and a spare takes its place."""

    def align(parts: tuple[Scene, ...]) -> PrefectFuture[AlignResult]:
        return gdal.align_scene.submit(AlignParams(parts=parts, bands=params.bands, grid=inputs.grid))

    started = [[align(parts) for parts in choice.acquisitions] for choice in choices]
    aligned: list[list[AlignResult]] = []
    for choice, futures in zip(choices, started, strict=True):
        results = [result for future in futures if (result := usable(future, without=UNREADABLE))]
        for parts in choice.spares:
            if len(results) == len(futures):
                break
            if spare := usable(align(parts), without=UNREADABLE):
                results.append(spare)
        aligned.append(results)
    return aligned


def grid_of(tiles: dict[str, tuple[CompositeResult, ...]]) -> Grid:
    """The common extent of every period."""
    return spanning(image.grid for images in tiles.values() for image in images)


def join_tiles(
    params: ImperviousChangeParams, tiles: dict[str, tuple[CompositeResult, ...]]
) -> tuple[PeriodLayers, ...]:
    """One virtual raster per period and layer, checked against each other."""
    futures = [
        gdal.mosaic_period.submit(
            MosaicParams(
                period=period,
                grid=grid_of(tiles),
                tiles=tuple(
                    {**image.bands, "observations": image.observations, "source_date": image.source_date}
                    for image in images
                ),
            )
        )
        for period, images in tiles.items()
    ]
    mosaics = tuple(future.result().mosaic for future in futures)
    check = CheckAlignmentParams(periods=mosaics, reference_layer=params.bands[0], max_shift_px=params.max_shift_px)
    gdal.check_alignment.submit(check).result()
    return mosaics


def build_cube(
    params: ImperviousChangeParams,
    inputs: Inputs,
    choices: tuple[Choice, ...],
    mosaics: tuple[PeriodLayers, ...],
    grid: Grid,
) -> CubeResult:
    """Bands, masks and labels of every period in one checked HDF5 file."""
    labels = {params.labels.period: classes} if (classes := land_cover_labels(params, inputs, grid)) else {}
    simulated = any(part.simulated for choice in choices for parts in choice.acquisitions for part in parts)
    cube: CubeResult = gdal.write_cube.submit(
        CubeParams(grid=grid, periods=mosaics, bands=params.bands, labels=labels, simulated=simulated)
    ).result()
    gdal.check_cube.submit(CheckCubeParams(cube=cube.cube)).result()
    return cube


def land_cover_labels(params: ImperviousChangeParams, inputs: Inputs, grid: Grid) -> File | None:
    """The user's label map in the legend's classes, where there is one; cleaned by a second map, where there is one."""

    def on_grid(source: File) -> File:
        codes: File = gdal.align_labels.submit(LabelsParams(source=source, grid=grid)).result().codes
        return codes

    if inputs.label_map is None:
        return None
    reclass = ReclassParams(
        codes=on_grid(inputs.label_map),
        rules=params.labels.rules,
        custom_rules=params.labels.custom_rules,
        second_codes=on_grid(inputs.second_label_map) if inputs.second_label_map else None,
        second_rules=params.labels.second_rules,
    )
    classes: File = grass.reclass_labels.submit(reclass).result().classes
    return classes


def train(params: ImperviousChangeParams, cube: CubeResult) -> TrainResult:
    """A land-cover network from the cube's labelled period."""
    result: TrainResult = tensorflow.train_land_cover.submit(
        TrainParams(cube=cube.cube, **dict(params.training))
    ).result()
    return result


def predict(
    params: ImperviousChangeParams, cube: CubeResult, model: LandCoverModel | None
) -> tuple[PredictResult, ...]:
    """Class probabilities of every period. One after another: the network uses every core."""
    return tuple(
        tensorflow.predict_period.submit(
            PredictParams(
                cube=cube.cube,
                model=model,
                period=period,
                allow_simulated_model=params.allow_simulated_model,
                **dict(params.prediction),
            )
        ).result()
        for period in cube.periods
    )


def smooth(params: ImperviousChangeParams, predictions: tuple[PredictResult, ...]) -> ConsistencyResult:
    """Independent yearly errors would swamp real change: make the history consistent."""
    probabilities = {prediction.period: prediction.probabilities for prediction in predictions}
    result: ConsistencyResult = gdal.smooth_history.submit(
        ConsistencyParams(probabilities=probabilities, **dict(params.consistency))
    ).result()
    return result


def map_change(history: ConsistencyResult) -> ChangeResult:
    result: ChangeResult = grass.map_change.submit(ChangeParams(classes=history.classes)).result()
    return result


def count_per_region(
    params: ImperviousChangeParams, inputs: Inputs, history: ConsistencyResult, change: ChangeResult
) -> ZonalResult:
    """Cells of each indicator per region: counts, which are no estimates yet."""
    layers = (
        *indicator("new_impervious", change.new_impervious),
        *indicator("new_green", change.new_green),
        *indicator("impervious", history.classes, LandCover.IMPERVIOUS),
        *indicator("green", history.classes, LandCover.GREEN),
    )
    result: ZonalResult = grass.count_per_region.submit(
        ZonalParams(
            layers=layers,
            regions=inputs.regions,
            region_id_field=params.regions.id_field,
            region_name_field=params.regions.name_field,
            engine=params.regions.engine,
        )
    ).result()
    return result


def indicator(name: str, rasters: dict[str, File], counted_value: int = 1) -> tuple[ZonalLayer, ...]:
    """The rasters of one indicator, period by period."""
    return tuple(
        ZonalLayer(indicator=name, period=period, raster=file, counted_value=counted_value)
        for period, file in rasters.items()
    )


def draw_sample(
    params: ImperviousChangeParams, inputs: Inputs, history: ConsistencyResult, counts: ZonalResult
) -> SampleResult | None:
    """A reference sample read from truth rasters, where the user has them."""
    if not inputs.truth:
        return None
    sample: SampleResult = gdal.draw_sample.submit(
        SampleParams(
            classes=history.classes,
            change_probability=history.change_probability,
            regions=counts.regions,
            reference=inputs.truth,
            points=params.reference.points,
            seed=params.reference.seed,
        )
    ).result()
    return sample


def estimate_areas(inputs: Inputs, counts: ZonalResult, sample: SampleResult | None, grid: Grid) -> AreasResult:
    """Design-based areas where there is a reference sample; without one, counts and no interval."""
    result: AreasResult = gdal.estimate_areas.submit(
        AreasParams(
            counts=counts.counts,
            cell_area_ha=grid.cell_area_ha,
            sample=sample.sample if sample else inputs.sample,
            strata=sample.strata if sample else inputs.strata,
        )
    ).result()
    return result
