"""Colours are told apart by everybody, and stand for the right cells."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from containers.gdal.palette import CHANGED, UNCHANGED, UNKNOWN, change_colours, class_colours, compose, paint, shade

# Machado, Oliveira and Fernandes (2009), severity 1.0, for linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
CLEARLY_DIFFERENT = 20.0
"""CIELAB distance; 2.3 is just noticeable."""


def lab(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = matrix @ np.clip(linear, 0, 1) / (0.9505, 1, 1.089)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def seen(colour: str, vision: str) -> NDArray[np.float64]:
    srgb = np.array(to_rgb(colour))
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return lab(np.array(VISION[vision]) @ linear)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(
    "colours",
    [
        list(class_colours([0, 1, 2, 3]).values()),
        [CHANGED, UNCHANGED, UNKNOWN],
        list(change_colours([0, 1, 2, 3]).values()),
    ],
    ids=["classes", "one change", "times"],
)
def test_colours_are_told_apart(colours: list[str], vision: str) -> None:
    if colours == [CHANGED, UNCHANGED, UNKNOWN]:
        pairs = [(CHANGED, UNCHANGED), (CHANGED, UNKNOWN)]
    else:
        pairs = list(combinations(colours, 2))
    nearest = min(float(np.linalg.norm(seen(a, vision) - seen(b, vision))) for a, b in pairs)
    assert nearest > CLEARLY_DIFFERENT


def test_many_times_get_as_many_colours() -> None:
    colours = change_colours(list(range(13)))
    assert len(set(colours.values())) == 13
    assert colours[0] == UNCHANGED


def test_foreign_codes_get_colours_of_their_own() -> None:
    assert len(set(class_colours([1, 62, 73, 162]).values())) == 4


def test_paint_colours_only_valid_cells_with_a_colour() -> None:
    values = np.array([[1, 2], [2, 9]], dtype=np.uint8)
    valid = np.array([[True, True], [False, True]])
    picture = paint(values, valid, {1: "#010203", 2: "#040506"})
    grey = [0xDD] * 3
    assert picture.tolist() == [[[1, 2, 3], [4, 5, 6]], [grey, grey]]


def test_compose_stretches_each_band_by_its_own_percentiles() -> None:
    ramp = np.linspace(0, 100, 101).reshape(1, 101)
    bands = np.stack([ramp, ramp * 1000, -ramp])
    picture = compose(bands, np.ones((1, 101), dtype=bool))
    assert picture[0, 2].tolist() == [0, 0, 255]
    assert picture[0, 50].tolist() == [128, 128, 128]
    assert picture[0, 98].tolist() == [255, 255, 0]


def test_compose_takes_no_percentile_from_missing_cells() -> None:
    bands = np.zeros((3, 1, 4))
    bands[:, 0] = (0.0, 1.0, 0.5, -1e9)
    picture = compose(bands, np.array([[True, True, True, False]]))
    assert picture[0, 2].tolist() == [128, 128, 128]
    assert picture[0, 3].tolist() == [0xDD] * 3


def test_shade_clips_to_its_limits_and_takes_constant_rasters() -> None:
    valid = np.ones((1, 4), dtype=bool)
    picture = shade(np.array([[-5.0, 0.0, 1.0, 7.0]]), valid, (0.0, 1.0))
    assert picture[0, 0].tolist() == picture[0, 1].tolist()
    assert picture[0, 2].tolist() == picture[0, 3].tolist()
    assert picture[0, 1].tolist() != picture[0, 2].tolist()
    assert (shade(np.full((1, 4), 3.0), valid, (3.0, 3.0)) == picture[0, 0]).all()
