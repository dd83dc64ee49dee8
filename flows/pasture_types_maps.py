"""The part of `pasture_types` that tells: types, areas and calendars of every pasture."""

from prefect.futures import PrefectFuture

from containers.gdal.contract.areas import AreasResult, SampleResult
from containers.gdal.contract.calendar import CalendarParams, CalendarResult
from containers.gdal.contract.type_features import FeatureRecipe, PastureFeaturesParams, PastureFeaturesResult, Terrain
from containers.tensorflow.contract.types import MapTypesParams, MapTypesResult, TypesModel
from tasks import gdal, tensorflow
from tasks.failures import CLOUDED, usable
from tasks.parameters.pasture_types import PastureTypesParams
from tasks.pastures.intake import PastureInputs
from tasks.pastures.product import PastureMap
from tasks.pastures.slices import PlacedPasture, StencilSlices, slices_of
from tasks.pastures.type_areas import areas_params, sample_params

Described = list[tuple[PlacedPasture, PastureFeaturesResult]]


def describe_pastures(
    params: PastureTypesParams,
    placed: tuple[PlacedPasture, ...],
    slices: tuple[StencilSlices, ...],
    terrain: dict[str, Terrain],
    recipe: FeatureRecipe,
) -> Described:
    """Features of every pasture in every year, in that order; where it was never seen clearly, the ledger has a row."""
    futures = [
        (
            pasture,
            gdal.pasture_features.submit(
                PastureFeaturesParams(
                    slices=slices_of(pasture, slices),
                    outline=pasture.outline,
                    pasture_id=pasture.pasture_id,
                    grid=pasture.grid,
                    year=year,
                    recipe=recipe,
                    terrain=terrain.get(pasture.tile),
                )
            ),
        )
        for pasture in placed
        for year in params.time.years
    ]
    return [(pasture, features) for pasture, future in futures if (features := usable(future, without=CLOUDED))]


def map_pastures(
    params: PastureTypesParams, inputs: PastureInputs, described: Described, model: TypesModel
) -> tuple[PastureMap, ...]:
    """Types of every pasture in every year with their areas."""
    allowed = params.learning.allow_simulated_model
    futures = [
        tensorflow.map_types.submit(
            MapTypesParams(model=model, features=features.features, allow_simulated_model=allowed)
        )
        for _, features in described
    ]
    mapped = [(pasture, future.result()) for (pasture, _), future in zip(described, futures, strict=True)]
    samples = [sample_types(params, inputs, pasture, each) for pasture, each in mapped]
    areas = [estimate_areas(each, sample) for (_, each), sample in zip(mapped, samples, strict=True)]
    return tuple(
        PastureMap(pasture=pasture, mapped=each, areas=area.result())
        for (pasture, each), area in zip(mapped, areas, strict=True)
    )


def sample_types(
    params: PastureTypesParams, inputs: PastureInputs, pasture: PlacedPasture, mapped: MapTypesResult
) -> PrefectFuture[SampleResult] | None:
    """A reference sample of the map where it is known what grows."""
    truth = inputs.true_types.get(pasture.tile)
    if truth is None:
        return None
    known = params.truth
    return gdal.sample_classes.submit(
        sample_params(mapped, points=known.points, seed=known.seed, reference=truth, reference_types=known.names)
    )


def estimate_areas(mapped: MapTypesResult, sampling: PrefectFuture[SampleResult] | None) -> PrefectFuture[AreasResult]:
    """Design-based areas where there is a sample; else counts and no interval."""
    return gdal.estimate_areas.submit(areas_params(mapped, sampling.result() if sampling else None))


def tell_calendars(
    params: PastureTypesParams,
    placed: tuple[PlacedPasture, ...],
    slices: tuple[StencilSlices, ...],
) -> dict[str, CalendarResult]:
    """Seasons of every pasture."""
    futures = {
        pasture.pasture_id: gdal.tell_calendar.submit(
            CalendarParams(
                slices=slices_of(pasture, slices),
                outline=pasture.outline,
                pasture_id=pasture.pasture_id,
                grid=pasture.grid,
                years=params.time.years,
                **dict(params.calendar),
            )
        )
        for pasture in placed
    }
    told = {pasture_id: usable(future, without=CLOUDED) for pasture_id, future in futures.items()}
    return {pasture_id: calendar for pasture_id, calendar in told.items() if calendar}
