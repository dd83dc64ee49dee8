"""The engine s2cloudless: a boosted-tree classifier of single pixels, run as its authors run it.

Zupanc, A., Improving Cloud Detection with Machine Learning, 2017; Skakun et al., Cloud Mask Intercomparison eXercise
(CMIX), Remote Sensing of Environment 2022, 274, 112990. The weights are a file of the package s2cloudless,
`pixel_s2_cloud_detector_lightGBM_v0.1.txt`; they are not shipped.
"""

import importlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from containers.base.contract.files import File
from containers.base.contract.legend import REFLECTANCE_SCALE
from containers.base.contract.step import StepError
from containers.base.raster import row_windows
from containers.base.step import local_path
from containers.gdal.clear import dilated
from containers.gdal.features import Picture, has_data, stacked

BANDS: Final = (
    "coastal", "blue", "red", "rededge071", "nir", "nir08", "nir09", "cirrus", "swir16", "swir22",
)  # fmt: skip
"""In the order of its training: B01, B02, B04, B05, B08, B8A, B09, B10, B11, B12."""
THRESHOLD: Final = 0.4
AVERAGED_PX, DILATED_PX = 4, 2
"""Radii of the disks by which the published pipeline averages the probability and grows the mask."""


def detected(scene: Picture, weights: File | None) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Probability of cloud, NaN without data, and where it is cloud after averaging and dilation; both (y, x).

    Raises `unknown_band` without the ten L1C bands, `missing_file` without weights, `missing_tool` without LightGBM.
    """
    if missing := sorted(set(BANDS) - set(scene.names)):
        raise StepError(
            "unknown_band",
            f"s2cloudless needs the bands {', '.join(missing)}, too; there are {', '.join(scene.names)}.",
            "Take L1C with all ten bands in mask_bands; over L2A, scl or omnicloudmask work.",
        )
    booster = _booster(weights)
    probability = np.full(scene.grid.shape, np.nan, dtype=np.float32)
    for window in row_windows(scene.grid.shape):
        stack = stacked(scene.read(window), BANDS)
        valid = has_data(stack)
        if valid.any():
            probability[window.toslices()][valid] = booster.predict(stack[:, valid].T * REFLECTANCE_SCALE)
    return probability, is_cloud(probability)


def is_cloud(probability: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The probability averaged over a disk, above the threshold, grown by a disk; unknown cells count as clear."""
    rows, cols = np.mgrid[-AVERAGED_PX : AVERAGED_PX + 1, -AVERAGED_PX : AVERAGED_PX + 1]
    disk = (rows**2 + cols**2 <= AVERAGED_PX**2).astype(np.float32)
    averaged = ndimage.convolve(np.nan_to_num(probability), disk / disk.sum())
    return dilated(averaged > THRESHOLD, DILATED_PX)


def _booster(weights: File | None) -> Any:
    try:
        lightgbm = importlib.import_module("lightgbm")
    except ImportError as error:
        raise StepError(
            "missing_tool",
            "The engine s2cloudless needs the package lightgbm, which is not installed.",
            "Install it (`pip install clearground[masks]`, or add it to the image), or choose another engine.",
        ) from error
    if weights is None:
        raise StepError(
            "missing_file",
            "The engine s2cloudless needs weights, and none were given.",
            "Give pixel_s2_cloud_detector_lightGBM_v0.1.txt of the package s2cloudless as weights.",
        )
    try:
        return lightgbm.Booster(model_file=str(local_path(weights)))
    except lightgbm.basic.LightGBMError as error:
        raise StepError(
            "bad_model", f"{weights.name} is no LightGBM model: {error}", "Give the weights of s2cloudless."
        ) from error
