"""Look-up tables between their vectors, and how noise in azimuth goes over that in range."""

from pathlib import Path

import numpy as np
import pytest
from rasterio.windows import Window

from containers.base.contract.step import StepError
from containers.sarsen.lut import read_calibration, read_noise

CALIBRATION = """<calibration><calibrationVectorList>
<calibrationVector><line>10</line><pixel>0 10 20</pixel><betaNought>100 200 400</betaNought></calibrationVector>
<calibrationVector><line>0</line><pixel>0 20</pixel><betaNought>100 100</betaNought></calibrationVector>
</calibrationVectorList></calibration>"""

NOISE = """<noise><noiseRangeVectorList>
<noiseRangeVector><line>0</line><pixel>0 4</pixel><noiseRangeLut>10 50</noiseRangeLut></noiseRangeVector>
</noiseRangeVectorList><noiseAzimuthVectorList>
<noiseAzimuthVector><swath>IW1</swath><firstAzimuthLine>0</firstAzimuthLine><firstRangeSample>0</firstRangeSample>
<lastAzimuthLine>9</lastAzimuthLine><lastRangeSample>1</lastRangeSample><line>0 4</line>
<noiseAzimuthLut>1 3</noiseAzimuthLut></noiseAzimuthVector>
<noiseAzimuthVector><swath>IW2</swath><firstAzimuthLine>2</firstAzimuthLine><firstRangeSample>2</firstRangeSample>
<lastAzimuthLine>9</lastAzimuthLine><lastRangeSample>4</lastRangeSample><line>0</line>
<noiseAzimuthLut>2</noiseAzimuthLut></noiseAzimuthVector>
</noiseAzimuthVectorList></noise>"""

OLD_NOISE = """<noise><noiseVectorList>
<noiseVector><line>0</line><pixel>0 4</pixel><noiseLut>10 50</noiseLut></noiseVector>
<noiseVector><line>4</line><pixel>0 2 4</pixel><noiseLut>30 30 30</noiseLut></noiseVector>
</noiseVectorList></noise>"""


@pytest.fixture
def write(tmp_path: Path):
    def to_file(text: str) -> Path:
        path = tmp_path / "table.xml"
        path.write_text(text)
        return path

    return to_file


def test_by_hand(write) -> None:
    """Lines are sorted, and each has pixels of its own."""
    table = read_calibration(write(CALIBRATION), "betaNought")
    found = table.at(Window(5, 0, 11, 11))
    assert found.shape == (11, 11)
    assert found[0].tolist() == [100] * 11
    assert found[10, [0, 5, 10]].tolist() == [150, 200, 300]
    assert found[5, [0, 5, 10]].tolist() == [125, 150, 200]


def test_beyond_the_ends_the_last_values_hold(write) -> None:
    table = read_calibration(write(CALIBRATION), "betaNought")
    assert table.at(Window(18, 9, 5, 4))[-1].tolist() == [360, 380, 400, 400, 400]


def test_parts_are_those_of_the_whole(write) -> None:
    noise = read_noise(write(NOISE))
    whole = noise.at(Window(0, 0, 5, 10))
    np.testing.assert_array_equal(noise.at(Window(1, 3, 3, 4)), whole[3:7, 1:4])


def test_azimuth_blocks_by_hand(write) -> None:
    found = read_noise(write(NOISE)).at(Window(0, 0, 5, 4))
    assert found[0].tolist() == [10, 20, 30, 40, 50]
    assert found[3].tolist() == [25, 50, 60, 80, 100]


def test_before_2_90_there_is_nothing_along_azimuth(write) -> None:
    found = read_noise(write(OLD_NOISE)).at(Window(0, 0, 5, 5))
    assert found[0].tolist() == [10, 20, 30, 40, 50]
    assert found[2].tolist() == [20, 25, 30, 35, 40]


@pytest.mark.parametrize(
    "text",
    ["", "<calibration/>", CALIBRATION.replace("100 200 400", "100 200"), CALIBRATION.replace("400", "nan"),
     CALIBRATION.replace("<line>10</line>", "")],
)  # fmt: skip
def test_broken_tables_are_refused(text: str, write) -> None:
    with pytest.raises(StepError) as caught:
        read_calibration(write(text), "betaNought")
    assert caught.value.code == "corrupt_file"
