"""The classifier of a run: trained by it, or brought by the user."""

import json

from containers.base.contract.step import StepError
from containers.gdal.contract.type_features import FeatureRecipe
from containers.tensorflow.contract.types import TrainTypesResult, TypesModel
from tasks.parameters.pasture_types import PastureTypesParams
from tasks.pastures.intake import PastureInputs
from tasks.settings import get_settings
from tasks.store import open_store


def recipe_of(params: PastureTypesParams, inputs: PastureInputs) -> FeatureRecipe:
    """How features are made: as the user's model was trained, else as the form says."""
    if inputs.model is None:
        return params.features
    card = json.loads(open_store(get_settings()).path_of(inputs.model.card).read_text())
    return FeatureRecipe.model_validate_json(card["recipe"])


def types_model(inputs: PastureInputs, training: TrainTypesResult | None) -> TypesModel:
    """The trained classifier, or the user's own."""
    model = training.model if training else inputs.model
    if model is None:
        raise StepError("bad_model", "There is neither a survey nor a model.", "Give one of them in the form.")
    return model
