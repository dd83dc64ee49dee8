"""The engine omnicloudmask: a segmentation network for red, green and near infrared, of either level.

Wright, N. et al., Training sensor-agnostic deep learning models for remote sensing: Achieving state-of-the-art cloud
and cloud shadow identification with OmniCloudMask, Remote Sensing of Environment 2025, 322, 114694
(https://doi.org/10.1016/j.rse.2025.114694). It needs the packages omnicloudmask and torch, which are not shipped.
"""

import importlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import File
from containers.base.contract.legend import Sky
from containers.base.contract.step import StepError
from containers.base.step import local_path
from containers.gdal.features import Picture, has_data, stacked

BANDS: Final = ("red", "green", "nir")
PATCH_OVERLAP_PX: Final = 300
_SKY_OF_CLASS: Final = np.array([Sky.CLEAR, Sky.CLOUD, Sky.CIRRUS, Sky.SHADOW], dtype=np.uint8)
"""Its classes are clear, thick cloud, thin cloud and shadow."""


def classified(scene: Picture, weights: File | None) -> NDArray[np.uint8]:
    """Sky classes (y, x). `weights`: a model file, else those that the package brings or has downloaded.

    Raises `missing_tool` without the package. It was trained at 10–50 m: over coarser masks expect less of it.
    """
    scene.require(*BANDS)
    try:
        package = importlib.import_module("omnicloudmask")
    except ImportError as error:
        raise StepError(
            "missing_tool",
            "The engine omnicloudmask needs the packages omnicloudmask and torch, which are not installed.",
            "Install omnicloudmask where the step runs, or choose hollstein (L1C) or scl (L2A).",
        ) from error
    stack = stacked(scene.whole(*BANDS), BANDS)
    valid = has_data(stack)
    # It takes 0 for nodata, so what has data must not be 0.
    positive = np.where(valid, np.maximum(stack, 1), 0).astype(np.float32)
    options = {"custom_models": [str(local_path(weights))]} if weights else {}
    classes = package.predict_from_array(
        positive, patch_overlap=PATCH_OVERLAP_PX, no_data_value=0, apply_no_data_mask=False, **options
    )
    sky = _SKY_OF_CLASS[np.squeeze(np.asarray(classes)).astype(np.uint8)]
    return np.where(valid, sky, Sky.NODATA).astype(np.uint8)
