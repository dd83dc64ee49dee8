"""Offset, nodata and saturation, by hand."""

import numpy as np
import pytest

from containers.base.contract.step import StepError
from containers.gdal.reflectance import by_table, class_table, lowest_percentile, reflectance_table

NODATA = -32768


@pytest.mark.parametrize(
    ("dn", "offset_dn", "quantification", "expected"),
    [
        (0, 0, 10_000, NODATA),
        (1, 0, 10_000, 1),
        (5000, 0, 10_000, 5000),
        (0, -1000, 10_000, NODATA),
        (1, -1000, 10_000, -999),
        (1000, -1000, 10_000, 0),
        (33_766, -1000, 10_000, 32_766),
        (33_767, -1000, 10_000, 32_767),
        (65_535, -1000, 10_000, 32_767),
        (3000, 0, 20_000, 1500),
    ],
)
def test_table_by_hand(dn: int, offset_dn: float, quantification: float, expected: int) -> None:
    assert by_table(np.array([[dn]], dtype=np.uint16), reflectance_table(offset_dn, quantification)) == expected


def test_a_declared_nodata_counts_beside_zero() -> None:
    table = reflectance_table(-1000, 10_000, declared_nodata=65_535)
    assert table[[0, 65_535]].tolist() == [NODATA, NODATA]


def test_signed_numbers_stay_signed() -> None:
    table = reflectance_table(0, 10_000, dtype="int16")
    assert by_table(np.array([-5, 0, 7], dtype=np.int16), table).tolist() == [-5, NODATA, 7]


def test_only_nodata_becomes_nodata() -> None:
    table = reflectance_table(-1000, 10_000)
    assert np.flatnonzero(table == NODATA).tolist() == [0]
    assert (np.diff(table[1:].astype(int)) >= 0).all()


def test_classes_stay_as_they_are() -> None:
    codes = np.arange(12, dtype=np.uint8)
    assert by_table(codes, class_table()).tolist() == codes.tolist()


def test_floats_are_no_digital_numbers() -> None:
    with pytest.raises(StepError, match="float32") as caught:
        by_table(np.zeros((2, 2), dtype=np.float32), class_table())
    assert caught.value.code == "corrupt_file"


def test_lowest_percentile_ignores_nodata_and_single_dark_pixels() -> None:
    scaled = np.full((100, 100), 1500, dtype=np.int16)
    scaled[0, :50] = NODATA
    scaled[1, :5] = 10
    assert lowest_percentile(scaled) == pytest.approx(0.15)
    assert lowest_percentile(np.full((4, 4), NODATA, dtype=np.int16)) is None
