"""Classes grown over clear ground only."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from containers.base.contract.legend import Sky
from containers.gdal.sky import PRECEDENCE, grown_sky, shares
from tests.reference import disk_dilation

SKIES = arrays(np.uint8, (9, 11), elements=st.sampled_from([int(code) for code in Sky] + [1] * 6))


def test_growth_by_hand() -> None:
    """Cloud reaches one cell, shadow two; the nodata cell stays, and cloud takes what both would."""
    row = np.array([[1, 2, 1, 1, 4, 0, 1, 5, 1]], np.uint8)
    grown = grown_sky(row, {"cloud": 60.0, "shadow": 120.0, "snow": 0.0}, 60.0)
    assert grown.tolist() == [[2, 2, 2, 4, 4, 0, 4, 5, 1]]


@settings(max_examples=60, deadline=None)
@given(
    sky=SKIES,
    reach=st.dictionaries(st.sampled_from(["cloud", "cirrus", "shadow", "snow"]), st.sampled_from([20.0, 45.0])),
)
def test_only_clear_cells_change_and_each_has_its_class_in_reach(sky, reach) -> None:
    grown = grown_sky(sky, reach, 20.0)
    assert ((grown == sky) | (sky == Sky.CLEAR)).all()
    near = {code: disk_dilation(sky == code, reach.get(code.name.lower(), 0.0) / 20.0) for code in PRECEDENCE}
    for cell in np.argwhere(sky == Sky.CLEAR):
        wanted = next((code for code in PRECEDENCE if near[code][tuple(cell)]), Sky.CLEAR)
        assert grown[tuple(cell)] == wanted


@settings(max_examples=30, deadline=None)
@given(sky=SKIES)
def test_shares_sum_to_one(sky) -> None:
    found = shares(sky)
    assert list(found) == ["clear", "cloud", "cirrus", "shadow", "snow"]
    assert abs(sum(found.values()) - (1.0 if (sky > 0).any() else 0.0)) < 1e-9
