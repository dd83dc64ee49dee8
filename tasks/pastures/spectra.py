"""Training on a file of spectra at survey sites, and classifying another: the two ends of a model outside a flow."""

import json
from pathlib import Path
from typing import Final

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.step import StepError
from containers.gdal.contract.cut import ProductSource
from containers.gdal.contract.sites import ImportSpectraParams, SiteSpectraResult, SpectraFields
from containers.gdal.contract.type_features import FeatureRecipe, SiteFeaturesParams, SiteFeaturesResult
from containers.tensorflow.contract.types import (
    PredictTypesParams,
    PredictTypesResult,
    TrainTypesParams,
    TrainTypesResult,
    TypesModel,
    TypeTraining,
)
from tasks.publishing.product_folder import link_or_copy
from tasks.runner import run_step
from tasks.settings import get_settings
from tasks.store import Store, open_store
from tasks.user_files import MODEL_CARD, take_file

MODEL_FILES: Final = ("model.skops", "model.keras")
"""What a folder of a model holds beside its card: one of them, by the classifier."""


class SpectraSettings(Contract):
    """What a file of spectra is, and what is made of it."""

    fields: SpectraFields = SpectraFields()
    source: ProductSource = Field(default="maja", description="Who made the reflectance, where the file does not say")
    features: FeatureRecipe = Field(default=FeatureRecipe(), description="Of a training; a model brings its own")
    training: TypeTraining = TypeTraining()


def train_on_spectra(spectra: Path, folder: Path, settings: SpectraSettings) -> TrainTypesResult:
    """Train, judge by groups that were not trained on, and lay model, metrics and figures down in a new folder.

    Raises `bad_parameters` where the folder is not empty, and what the steps raise.
    """
    if folder.exists() and any(folder.iterdir()):
        raise StepError("bad_parameters", f"{folder} is not empty.", "Name a new folder for the model.")
    features = features_of_spectra(spectra, settings, settings.features)
    trained: TrainTypesResult = run_step(
        TrainTypesParams(
            **dict(settings.training), features=features.features, recipe=settings.features.model_dump_json()
        )
    )
    lay_down(trained, folder)
    return trained


def classify_spectra(
    spectra: Path, model_folder: Path, settings: SpectraSettings, *, allow_simulated_model: bool = False
) -> File:
    """CSV of types by a trained model, in the store. Features are made as the model's card says."""
    model = take_types_model(open_store(get_settings()), model_folder)
    recipe = FeatureRecipe.model_validate_json(json.loads((model_folder / MODEL_CARD).read_text())["recipe"])
    features = features_of_spectra(spectra, settings, recipe)
    result: PredictTypesResult = run_step(
        PredictTypesParams(model=model, features=features.features, allow_simulated_model=allow_simulated_model)
    )
    return result.predictions


def features_of_spectra(spectra: Path, settings: SpectraSettings, recipe: FeatureRecipe) -> SiteFeaturesResult:
    """One row per site and year."""
    store = open_store(get_settings())
    imported: SiteSpectraResult = run_step(
        ImportSpectraParams(spectra=take_file(store, str(spectra)), fields=settings.fields, source=settings.source)
    )
    result: SiteFeaturesResult = run_step(SiteFeaturesParams(dataset=imported.dataset, recipe=recipe))
    return result


def take_types_model(store: Store, folder: Path) -> TypesModel:
    """A trained classifier in the store. Raises `missing_file`."""
    weights = [folder / name for name in MODEL_FILES if (folder / name).is_file()]
    if len(weights) != 1:
        raise StepError(
            "missing_file",
            f"{folder} holds {len(weights)} of {', '.join(MODEL_FILES)}.",
            "Name the folder of a trained model: one model file and card.json.",
        )
    return TypesModel(model=take_file(store, str(weights[0])), card=take_file(store, str(folder / MODEL_CARD)))


def lay_down(trained: TrainTypesResult, folder: Path) -> None:
    """The model, and what it was judged by, as files for people."""
    store = open_store(get_settings())
    files = [
        trained.model.model, trained.model.card, trained.predictions, trained.metrics, trained.confusion,
        trained.importance, *trained.figures.values(),
    ]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        link_or_copy(store.path_of(file), folder / file.name)
