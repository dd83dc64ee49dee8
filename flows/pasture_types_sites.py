"""The part of `pasture_types` that learns: from a survey and slices to a classifier."""

from containers.base.contract.files import File
from containers.gdal.contract.sites import (
    ImportSpectraParams,
    SiteDatasetParams,
    SiteDatasetResult,
    SiteSpectraParams,
)
from containers.gdal.contract.survey import SurveyParams, SurveyResult
from containers.gdal.contract.type_features import SiteFeaturesParams, Terrain
from containers.tensorflow.contract.types import TrainTypesParams, TrainTypesResult
from tasks import gdal, tensorflow
from tasks.parameters.pasture_types import PastureTypesParams
from tasks.pastures.intake import PastureInputs
from tasks.pastures.scenes import TileProducts
from tasks.pastures.slices import StencilSlices, slices_of_survey


def check_survey(
    params: PastureTypesParams, inputs: PastureInputs, tiles: tuple[TileProducts, ...]
) -> SurveyResult | None:
    """Sites on the pixel grid; None where there is no survey."""
    if not inputs.survey:
        return None
    survey: SurveyResult = gdal.take_survey.submit(
        SurveyParams(
            files=inputs.survey,
            fields=params.survey.fields,
            tiles={tile.tile: tile.outline for tile in tiles},
            points=params.survey.points,
            unclassed=params.survey.unclassed,
        )
    ).result()
    return survey


def dataset_of_sites(
    params: PastureTypesParams,
    inputs: PastureInputs,
    survey: SurveyResult | None,
    slices: tuple[StencilSlices, ...],
) -> SiteDatasetResult | None:
    """Spectra of all sites along time; None where a trained model is used."""
    parts = [imported(params, inputs.spectra)] if inputs.spectra else []
    parts += spectra_of_sites(survey, slices) if survey else []
    if not parts:
        return None
    dataset: SiteDatasetResult = gdal.site_dataset.submit(
        SiteDatasetParams(parts=tuple(parts), duplicate_dates=params.duplicate_dates)
    ).result()
    return dataset


def spectra_of_sites(survey: SurveyResult, slices: tuple[StencilSlices, ...]) -> list[File]:
    """A part per tile and year: a new year makes one of its own."""
    futures = [
        gdal.site_spectra.submit(
            SiteSpectraParams(
                sites=survey.sites, slices=tuple(each for each in found.slices if each.acquired.year == year)
            )
        )
        for found in slices_of_survey(slices)
        for year in sorted({each.acquired.year for each in found.slices})
    ]
    return [future.result().dataset for future in futures]


def imported(params: PastureTypesParams, spectra: File) -> File:
    """Spectra that the user brings."""
    dataset: File = (
        gdal.import_spectra.submit(
            ImportSpectraParams(spectra=spectra, fields=params.spectra_fields, source=params.reflectance.source)
        )
        .result()
        .dataset
    )
    return dataset


def learn_types(
    params: PastureTypesParams, dataset: SiteDatasetResult, terrain: dict[str, Terrain]
) -> TrainTypesResult:
    """A classifier, judged by groups of sites that it was not trained on."""
    features = gdal.site_features.submit(
        SiteFeaturesParams(dataset=dataset.dataset, recipe=params.features, terrain=tuple(terrain.values()))
    ).result()
    training: TrainTypesResult = tensorflow.train_types.submit(
        TrainTypesParams(
            **dict(params.learning.training), features=features.features, recipe=params.features.model_dump_json()
        )
    ).result()
    return training
