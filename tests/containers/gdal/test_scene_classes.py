"""Scene classes as sky classes."""

import numpy as np

from containers.base.contract.legend import Sky
from containers.base.sentinel2 import SceneClass
from containers.gdal.scene_classes import SKY_OF_CLASS, sky_of


def test_every_class_by_hand() -> None:
    codes = np.array([[*range(12), -32768, 99]], np.int16)
    nodata, clear, cloud, cirrus, shadow, snow = (
        Sky.NODATA, Sky.CLEAR, Sky.CLOUD, Sky.CIRRUS, Sky.SHADOW, Sky.SNOW
    )  # fmt: skip
    expected = [nodata, nodata, clear, shadow, clear, clear, clear, cirrus, cloud, cloud, cirrus, snow, nodata, nodata]
    assert sky_of(codes).tolist() == [expected]
    assert set(SKY_OF_CLASS) == set(SceneClass)
