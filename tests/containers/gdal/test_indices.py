"""Indices against values computed by hand, and what has no index."""

import numpy as np
import pytest

from containers.gdal.contract.series import INDEX_BANDS
from containers.gdal.indices import index_of

NODATA, SATURATED = -32768, 32767
GROUND = {"blue": 400, "red": 600, "nir": 3400, "swir16": 1800}


def value(name, **bands: int) -> int:
    return int(index_of(name, {key: np.array([number], np.int16) for key, number in (GROUND | bands).items()})[0])


@pytest.mark.parametrize(
    ("name", "by_hand"),
    [
        ("ndvi", 0.28 / 0.40),
        ("evi", 2.5 * 0.28 / (0.34 + 0.36 - 0.30 + 1)),
        ("ndmi", 0.16 / 0.52),
        ("msavi2", (1.68 - (1.68**2 - 8 * 0.28) ** 0.5) / 2),
        ("kndvi", np.tanh(0.7**2)),
    ],
)
def test_by_hand(name, by_hand) -> None:
    assert value(name) == round(by_hand * 1e4)


@pytest.mark.parametrize("name", INDEX_BANDS)
def test_nodata_and_saturation_have_no_index(name) -> None:
    for band in INDEX_BANDS[name]:
        assert value(name, **{band: NODATA}) == NODATA
        assert value(name, **{band: SATURATED}) == NODATA


def test_without_light_there_is_no_difference() -> None:
    assert value("ndvi", red=0, nir=0) == value("kndvi", red=-5, nir=0) == value("ndmi", nir=0, swir16=0) == NODATA


def test_slightly_negative_reflectance_counts_as_none() -> None:
    assert (value("ndvi", red=-20), value("ndvi", nir=-20)) == (10_000, -10_000)


def test_evi_does_not_blow_up() -> None:
    """Bluish haze drives the denominator through zero."""
    blue = np.arange(0, 12_000, 7, dtype=np.int16)
    bands = {"blue": blue, "red": np.full_like(blue, 1500), "nir": np.full_like(blue, 5000)}
    found = index_of("evi", bands)
    finite = found[found != NODATA]
    assert finite.size
    assert np.abs(finite).max() <= 10_000
    below = 0.5 + 6 * 0.15 - 7.5 * blue * 1e-4 + 1
    assert (found[below <= 0.1] == NODATA).all()


@pytest.mark.parametrize("name", INDEX_BANDS)
def test_every_pair_of_reflectances_gives_nodata_or_an_index(name) -> None:
    numbers = np.array([-32767, -300, -1, 0, 1, 100, 5000, 10_000, 32766], np.int16)
    bands = dict(zip(GROUND, map(np.ravel, np.meshgrid(*[numbers] * 4)), strict=True))
    found = index_of(name, bands)
    assert (np.abs(found[found != NODATA]) <= 10_000).all()
