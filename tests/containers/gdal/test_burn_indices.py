"""Burn indices against values computed by hand, and what has none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.gdal.burn_indices import differences, indices_of, reflectance
from containers.gdal.contract.burn import BURN_BANDS

NODATA, SATURATED = -32768, 32767
GREEN = {"blue": 400, "red": 600, "nir": 3400, "nir08": 3600, "swir22": 900}
STORED = st.integers(-32767, 32766)


def values(**bands: int) -> dict[str, float]:
    read = {name: reflectance(np.array([stored], np.int16)) for name, stored in (GREEN | bands).items()}
    return {name: float(index[0]) for name, index in indices_of(BURN_BANDS, read).items()}


@pytest.mark.parametrize(
    ("name", "by_hand"),
    [
        ("ndvi", 0.28 / 0.40),
        ("evi", 2.5 * 0.28 / (0.34 + 0.36 - 0.30 + 1)),
        ("msavi", (1.68 - (1.68**2 - 8 * 0.28) ** 0.5) / 2),
        ("bai", 1 / (0.04**2 + 0.28**2)),
        ("nbr", 0.27 / 0.45),
    ],
)
def test_by_hand(name, by_hand) -> None:
    assert values()[name] == pytest.approx(by_hand, rel=1e-5)


def test_bai_is_highest_at_charcoal_and_finite_there() -> None:
    """A product of squares, as in an earlier code, would be infinite along both axes of charcoal."""
    assert values(red=1000, nir=600)["bai"] == pytest.approx(1 / (0.5e-4) ** 2, rel=1e-3)
    assert values(red=1000, nir=3000)["bai"] == pytest.approx(1 / 0.24**2, rel=1e-4)
    assert values(red=3000, nir=600)["bai"] == pytest.approx(1 / 0.20**2, rel=1e-4)


@pytest.mark.parametrize("name", BURN_BANDS)
@pytest.mark.parametrize("stored", [NODATA, SATURATED])
def test_nodata_and_saturation_have_no_index(name, stored) -> None:
    for band in BURN_BANDS[name]:
        assert np.isnan(values(**{band: stored})[name])
    for band in set(GREEN) - set(BURN_BANDS[name]):
        assert not np.isnan(values(**{band: stored})[name])


def test_without_light_there_is_no_ratio() -> None:
    dark = values(red=0, nir=-3, nir08=0, swir22=0)
    assert np.isnan([dark["ndvi"], dark["nbr"]]).all()
    assert dark["bai"] == pytest.approx(1 / (0.1**2 + 0.06**2), rel=1e-5)


def test_slightly_negative_reflectance_counts_as_none() -> None:
    assert (values(swir22=-20)["nbr"], values(nir08=-20)["nbr"]) == (1, -1)


def test_differences_are_before_minus_after_and_not_multiplied() -> None:
    before = indices_of(("nbr",), {"nir08": np.float32([0.32]), "swir22": np.float32([0.06])})
    after = indices_of(("nbr",), {"nir08": np.float32([0.10]), "swir22": np.float32([0.18])})
    found = differences(before, after)
    dnbr = 0.26 / 0.38 + 0.08 / 0.28
    assert found["dnbr"][0] == pytest.approx(dnbr, rel=1e-5)
    assert found["rbr"][0] == pytest.approx(dnbr / (0.26 / 0.38 + 1.001), rel=1e-5)
    assert set(found) == {"dnbr", "rbr"}


def test_rbr_is_finite_where_nothing_grew() -> None:
    before, after = ({"nbr": np.float32([value])} for value in (-1, 1))
    assert differences(before, after)["rbr"][0] == pytest.approx(-2 / 0.001, rel=1e-3)


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(GREEN, STORED)))
def test_every_reflectance_gives_nothing_or_an_index_in_its_range(bands) -> None:
    found = values(**bands)
    for name in ("ndvi", "evi", "msavi", "nbr"):
        assert np.isnan(found[name]) or -1 <= found[name] <= 1
    assert 0 < found["bai"] <= 4.1e8
