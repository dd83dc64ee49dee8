"""The scene classification of L2A products, read as what hides the ground."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import REFLECTANCE_NODATA, Sky
from containers.base.sentinel2 import SceneClass

SKY_OF_CLASS: Final = {
    SceneClass.NO_DATA: Sky.NODATA,
    SceneClass.SATURATED_OR_DEFECTIVE: Sky.NODATA,
    # Mostly slopes in their own shade and dark soil; cloud shadow has its own class. Masking it would empty northern
    # slopes for the whole winter.
    SceneClass.DARK_AREA: Sky.CLEAR,
    SceneClass.CLOUD_SHADOW: Sky.SHADOW,
    SceneClass.VEGETATION: Sky.CLEAR,
    SceneClass.NOT_VEGETATED: Sky.CLEAR,
    SceneClass.WATER: Sky.CLEAR,
    # Also the class of low cloud probability; a series loses little by a date too few, much by a cloud taken for
    # ground. The mosaics of the Copernicus Data Space leave it out, too.
    SceneClass.UNCLASSIFIED: Sky.CIRRUS,
    SceneClass.CLOUD_MEDIUM_PROBABILITY: Sky.CLOUD,
    SceneClass.CLOUD_HIGH_PROBABILITY: Sky.CLOUD,
    SceneClass.THIN_CIRRUS: Sky.CIRRUS,
    SceneClass.SNOW: Sky.SNOW,
}


def sky_of(scl: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Sky classes of scene classes with nodata −32768, (y, x). A code that is none is nodata: never clear."""
    table = np.full(256, Sky.NODATA, dtype=np.uint8)
    for scene_class, sky in SKY_OF_CLASS.items():
        table[scene_class] = sky
    return table[np.where(scl == REFLECTANCE_NODATA, 0, scl).astype(np.uint8)]
