"""Snow by hand: every test at its edge, and what it may take back from an engine."""

import numpy as np
import pytest

from containers.base.contract.legend import Sky
from containers.gdal.snow import is_snow, may_be_snow


def cells(**bands: float) -> dict[str, np.ndarray]:
    return {name: np.array([[round(value * 10_000)]], np.int16) for name, value in bands.items()}


@pytest.mark.parametrize(
    ("green", "nir", "swir16", "expected"),
    [
        (0.7, 0.6, 0.1, True),
        (0.7, 0.6, 0.3, False),  # NDSI exactly 0.4
        (0.7, 0.6, 0.2999, True),
        (0.2, 0.11, 0.05, False),
        (0.2, 0.1101, 0.05, True),
        (0.1, 0.2, 0.01, False),
        (0.08, 0.03, 0.01, False),  # water
        (0.5, 0.55, 0.45, False),  # a water cloud
    ],
)
def test_by_hand(green, nir, swir16, expected) -> None:
    assert is_snow(cells(green=green, nir=nir, swir16=swir16)).item() == expected


def test_what_gives_way_to_snow() -> None:
    """Clear cells do; cloudy ones only below a cirrus band that shows nothing, and never without that band."""
    sky = np.array([[Sky.CLEAR, Sky.CLOUD, Sky.CIRRUS, Sky.CLOUD, Sky.NODATA, Sky.SHADOW]], np.uint8)
    cirrus = np.array([[500, 119, 10, 120, 0, 0]], np.int16)
    assert may_be_snow(sky, {"cirrus": cirrus}).tolist() == [[True, True, True, False, False, False]]
    assert may_be_snow(sky, {}).tolist() == [[True, False, False, False, False, False]]
