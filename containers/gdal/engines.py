"""The engines of the mask: each turns the features of a scene into what hides the ground, where it can."""

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import CLOUDY, Sky
from containers.base.contract.step import StepError, StepWarning
from containers.base.raster import row_windows
from containers.base.step import local_path
from containers.gdal import omnicloudmask, s2cloudless
from containers.gdal.components import (
    Backgrounds,
    Opinions,
    components_of,
    missing_backgrounds,
    tree_opinions,
    usable_backgrounds,
)
from containers.gdal.contract.mask import Engine, MaskParams
from containers.gdal.contract.mask_forest import MaskModel
from containers.gdal.features import Picture, has_data, stacked
from containers.gdal.hollstein import require_bands
from containers.gdal.mask_forest import cloud_probability, read_model, require_fit
from containers.gdal.scene_classes import sky_of
from containers.gdal.source import SCL


class Verdict(NamedTuple):
    """What an engine says of every cell."""

    sky: NDArray[np.uint8]
    """(y, x); NODATA where the engine cannot tell."""
    probability: NDArray[np.float32] | None = None
    """Of cloud, (y, x), NaN where unknown."""
    has_shadow: bool = False
    """Whether it tells shadows itself."""
    has_snow: bool = False


class Case:
    """One scene with everything that engines ask for, computed once and when asked for."""

    def __init__(self, params: MaskParams) -> None:
        self.params, self.scene = params, Picture(params.observation.features)
        self.rules = params.rules
        self.warnings: list[StepWarning] = []

    @cached_property
    def opinions(self) -> Opinions:
        return tree_opinions(self.scene)

    @cached_property
    def backgrounds(self) -> Backgrounds:
        return usable_backgrounds(self.params.backgrounds, self.scene, self.rules.multitemporal)

    @cached_property
    def components(self) -> NDArray[np.uint8]:
        self.warnings += missing_backgrounds(self.params.backgrounds, self.rules.multitemporal)
        return components_of(self.scene, self.opinions, self.backgrounds, self.rules.multitemporal)

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """Cells with data in every band, (y, x)."""
        names = tuple(name for name in self.scene.names if name != SCL)
        windows = row_windows(self.scene.grid.shape)
        return np.concatenate([has_data(stacked(self.scene.read(window), names)) for window in windows])

    def fit_model(self) -> MaskModel:
        """The model, if it may be asked about the scene. Raises `missing_file` without one, `bad_model`."""
        if self.params.model is None:
            raise StepError(
                "missing_file",
                "The engine multitemporal needs a trained mask model, and none was given.",
                "Train one with cloud_mask_model, or choose hollstein (L1C), scl (L2A) or omnicloudmask.",
            )
        model = read_model(local_path(self.params.model))
        require_fit(model, self.params.observation, allow_simulated_model=self.params.allow_simulated_model)
        return model


def choose(case: Case) -> Engine:
    """The engine that was asked for. auto: multitemporal with a fit model, else hollstein for L1C, scl for L2A.

    A model that does not fit is left aside with a warning under auto, and an error where multitemporal is asked for.
    """
    if case.rules.engine != "auto":
        return case.rules.engine
    fallback: Engine = "hollstein" if case.params.observation.level == "L1C" else "scl"
    if case.params.model is None:
        return fallback
    try:
        case.fit_model()
    except StepError as error:
        if error.code != "bad_model":
            raise
        reason = f"The mask model was left aside, and {fallback} used: {error.reason}"
        case.warnings.append(StepWarning(code="model_unfit", reason=reason, hint=error.hint))
        return fallback
    return "multitemporal"


def verdict(case: Case, engine: Engine) -> Verdict:
    """What the engine says, nodata wherever a band has none: never clear."""
    found = _ENGINES[engine](case)
    return found._replace(sky=np.where(case.valid, found.sky, Sky.NODATA).astype(np.uint8))


def _multitemporal(case: Case) -> Verdict:
    """By the forest's probability; cirrus where the trees call a cloudy cell cirrus."""
    model = case.fit_model()
    probability = cloud_probability(case.components, model)
    if np.isnan(probability[case.valid]).all() and case.valid.any():
        raise StepError(
            "no_scenes",
            f"None of the mask's components can be computed for {case.params.observation.scene_id}: it has no band "
            "B10 for the trees, and too few background images.",
            "Give more dates, or choose the engine scl or omnicloudmask.",
        )
    cutoff = model.cutoff if case.rules.cutoff is None else case.rules.cutoff
    sky = np.where(probability > cutoff, Sky.CLOUD, Sky.CLEAR).astype(np.uint8)
    sky[(sky == Sky.CLOUD) & (case.opinions.sky == Sky.CIRRUS)] = Sky.CIRRUS
    sky[np.isnan(probability)] = Sky.NODATA
    return Verdict(sky, probability)


def _hollstein(case: Case) -> Verdict:
    require_bands(case.scene.names)
    return Verdict(case.opinions.sky)


def _scl(case: Case) -> Verdict:
    if SCL not in case.scene.names:
        raise StepError(
            "unknown_band",
            f"{case.params.observation.scene_id} has no scene classification.",
            "Only L2A products carry one: choose hollstein, s2cloudless or omnicloudmask for L1C.",
        )
    return Verdict(sky_of(case.scene.whole(SCL)[SCL]), has_shadow=True, has_snow=True)


def _s2cloudless(case: Case) -> Verdict:
    probability, cloudy = s2cloudless.detected(case.scene, case.params.weights)
    return Verdict(np.where(cloudy, Sky.CLOUD, Sky.CLEAR).astype(np.uint8), probability)


def _omnicloudmask(case: Case) -> Verdict:
    return Verdict(omnicloudmask.classified(case.scene, case.params.weights), has_shadow=True)


_ENGINES: dict[Engine, Callable[[Case], Verdict]] = {
    "multitemporal": _multitemporal,
    "hollstein": _hollstein,
    "scl": _scl,
    "s2cloudless": _s2cloudless,
    "omnicloudmask": _omnicloudmask,
}


def is_cloudy(sky: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Cloud or cirrus, (y, x)."""
    return np.isin(sky, CLOUDY)
