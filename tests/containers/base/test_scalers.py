"""Scaled and back, for any numbers that a file can hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.base.scalers import STORED_NODATA, Channel, Scaler, physical, scale, stored, unscale

CHANNELS = (
    Channel(name="vv_t0", group="vv", date="t0", scale=0.01, unit="dB"),
    Channel(name="red_t0", group="red+green", date="t0", scale=1e-4, unit="1"),
)
SCALERS = {
    "vv": Scaler(centre=-11.0, spread=4.0, factor=0.2),
    "red+green": Scaler(centre=0.08, spread=0.05, factor=0.142, clip=1.0),
}


def test_by_hand() -> None:
    numbers = np.array([[-1100, 800], [-700, 1300], [STORED_NODATA, STORED_NODATA], [-1500, 30000]], np.int16)
    values = physical(numbers, CHANNELS)
    assert np.allclose(values, [[-11, 0.08], [-7, 0.13], [np.nan, np.nan], [-15, 3]], equal_nan=True)
    scaled = scale(values, CHANNELS, SCALERS)
    assert scaled.dtype == np.float32
    assert np.allclose(scaled, [[0, 0], [0.2, 0.142], [np.nan, np.nan], [-0.2, 1]], equal_nan=True)


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.integers(-32768, 32767)] * 2), min_size=1, max_size=20))
def test_round_trip_keeps_everything_but_what_is_clipped(rows) -> None:
    numbers = np.array(rows, np.int16)
    scaled = scale(physical(numbers, CHANNELS), CHANNELS, SCALERS)
    back = stored(unscale(scaled, CHANNELS, SCALERS), CHANNELS)
    clipped = np.abs(scaled) == 1
    clipped[:, 0] = False
    assert (back == numbers)[~clipped].all()
    limit = [0.08 - 0.05 / 0.142, 0.08 + 0.05 / 0.142]
    assert np.isin(back[clipped], np.rint(np.array(limit) * 1e4)).all()


def test_what_int16_cannot_hold_is_limited_and_never_nodata() -> None:
    values = np.array([[-1e6, 1e6], [np.nan, -3.2768]])
    assert stored(values, CHANNELS).tolist() == [[-32767, 32767], [STORED_NODATA, -32767]]


@pytest.mark.parametrize("wrong", [{"spread": 0.0}, {"factor": 0.0}, {"clip": 0.0}])
def test_constants_that_cannot_be_inverted_are_refused(wrong) -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        Scaler(**({"centre": 0.0, "spread": 1.0, "factor": 1.0} | wrong))
