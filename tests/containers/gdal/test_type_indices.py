"""Indices of vegetation types against their formulas, one place at a time."""

import numpy as np
import pytest

from containers.gdal.contract.cut import TEN_BANDS
from containers.gdal.type_indices import FORMULAS, type_index

GRASS = dict(zip(TEN_BANDS, (0.03, 0.06, 0.04, 0.1, 0.3, 0.38, 0.4, 0.42, 0.2, 0.1), strict=True))
BY_HAND = {
    "ndvi": (0.4 - 0.04) / 0.44,
    "evi": 2.5 * 0.36 / (0.4 + 6 * 0.04 - 7.5 * 0.03 + 1),
    "msavi2": (1.8 - np.sqrt(1.8**2 - 8 * 0.36)) / 2,
    "ndmi": (0.4 - 0.2) / 0.6,
    "nbr": (0.42 - 0.1) / 0.52,
    "ndre": (0.4 - 0.1) / 0.5,
    "ndsi": (0.06 - 0.2) / 0.26,
    "ndti": (0.2 - 0.1) / 0.3,
    "psri": (0.04 - 0.03) / 0.3,
    "tcb": 0.2043 * 0.03 + 0.4158 * 0.06 + 0.5524 * 0.04 + 0.5741 * 0.4 + 0.3124 * 0.2 + 0.2303 * 0.1,
    "tcg": -0.1603 * 0.03 - 0.2819 * 0.06 - 0.4934 * 0.04 + 0.7940 * 0.4 - 0.0002 * 0.2 - 0.1446 * 0.1,
    "tcw": 0.0315 * 0.03 + 0.2021 * 0.06 + 0.3102 * 0.04 + 0.1594 * 0.4 - 0.6806 * 0.2 - 0.6109 * 0.1,
}


def bands(**other: float) -> dict[str, np.ndarray]:
    return {name: np.array([value], np.float32) for name, value in (GRASS | other).items()}


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas(name) -> None:
    assert type_index(name, bands())[0] == pytest.approx(BY_HAND[name], abs=1e-6)


@pytest.mark.parametrize("name", FORMULAS)
def test_without_a_band_there_is_no_value(name) -> None:
    for band in FORMULAS[name][0]:
        assert np.isnan(type_index(name, bands(**{band: np.nan}))[0])


def test_without_light_there_is_no_value() -> None:
    assert np.isnan(type_index("psri", bands(rededge075=0.0))[0])
    assert np.isnan(type_index("ndvi", bands(red=0.0, nir=0.0))[0])
