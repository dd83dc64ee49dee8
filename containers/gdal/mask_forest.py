"""The cloud-mask forest in use: reading its model, asking whether it fits a scene, and looking probabilities up."""

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from containers.base.contract.step import StepError
from containers.gdal.contract.mask import COMPONENTS
from containers.gdal.contract.mask_forest import MaskModel
from containers.gdal.contract.observe import Observation

UNKNOWN: Final = 255
"""A component that could not be computed."""
_STATES: Final = 3
"""Of a component: clear, cloud, unknown."""
_UNSEEN_WEIGHT: Final = 1e-9
"""Of a combination without training pixels, so that where all are unseen the answer is their plain mean."""


def read_model(path: Path) -> MaskModel:
    """The model in a JSON file. Raises `bad_model` where it is none."""
    try:
        return MaskModel.model_validate_json(path.read_bytes())
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"])) or "the document"
        raise _bad_model(
            f"{path.name} is no cloud-mask model: {where}: {problem['msg']}",
            "Give the model.json that the flow cloud_mask_model has published.",
        ) from error


def require_fit(model: MaskModel, observation: Observation, *, allow_simulated_model: bool) -> None:
    """Raises `bad_model` where the model must not be asked about the scene.

    The resolution counts too: the opening's radius is in cells, so components of another grid are other features.
    """
    domain, facts = model.training_domain, observation
    resolution_m = facts.features.grid.resolution_m
    if model.features != COMPONENTS:
        raise _bad_model(f"its features are {model.features}, the mask computes {COMPONENTS}", "Train it again.")
    if domain.level != facts.level:
        raise _bad_model(
            f"it was trained on {domain.level}, {facts.scene_id} is {facts.level}",
            "Give a model of that level, or choose an engine that needs none: hollstein for L1C, scl for L2A.",
        )
    if domain.mask_resolution_m != resolution_m:
        raise _bad_model(
            f"it was trained at {domain.mask_resolution_m:g} m, the mask of {facts.scene_id} has {resolution_m:g} m",
            f"Set mask_resolution_m to {domain.mask_resolution_m:g}, or train a model at {resolution_m:g} m.",
        )
    if domain.simulated and not facts.simulated and not allow_simulated_model:
        raise _bad_model(
            f"it was trained on simulated scenes, {facts.scene_id} is a real one",
            "Train a model with cloud_mask_model on labels of real scenes, choose engine hollstein or scl, or set "
            "allow_simulated_model if you know what that means.",
        )


def cloud_probability(components: NDArray[np.uint8], model: MaskModel) -> NDArray[np.float32]:
    """Probability of cloud, (y, x), from components (feature, y, x) in the model's order: 0, 1, or 255 not computed.

    With all components known it is what the forest's `predict_proba` says. An unknown one is marginalised:
    P(cloud | known) = Σ n·p / Σ n over the combinations that agree with the known ones, n their training pixels.
    NaN where no component is known. Raises `bad_model` where the number of components differs.
    """
    if len(components) != len(model.features):
        raise _bad_model(
            f"it asks for {len(model.features)} components {model.features}, {len(components)} were given",
            "Give the components in the model's order.",
        )
    cell = np.zeros(components.shape[1:], np.int32)
    for layer in components:
        cell *= _STATES
        cell += np.minimum(layer, _STATES - 1)
    return _lookup_table(model.probabilities, model.pixels)[cell]


@lru_cache(maxsize=8)
def _lookup_table(probabilities: tuple[float, ...], pixels: tuple[int, ...]) -> NDArray[np.float32]:
    """Probability by the number with one digit in base 3 per component, the first one highest."""
    n_features = len(pixels).bit_length() - 1
    weight = np.array(pixels, np.float64).reshape((2,) * n_features) + _UNSEEN_WEIGHT
    mass = np.array(probabilities, np.float64).reshape(weight.shape) * weight
    for axis in range(n_features):
        weight = np.concatenate([weight, weight.sum(axis=axis, keepdims=True)], axis=axis)
        mass = np.concatenate([mass, mass.sum(axis=axis, keepdims=True)], axis=axis)
    table: NDArray[np.float32] = (mass / weight).astype(np.float32).ravel()
    table[-1] = np.nan
    return table


def _bad_model(reason: str, hint: str) -> StepError:
    return StepError("bad_model", f"{reason}.", hint)
