"""Border noise of made images: fringes go whole, echoes stay."""

import numpy as np
import pytest

from containers.sarsen.border import HALF, REACH, border_noise

NOISE = 600.0


def image(seed: int = 0, signal: float = 400.0) -> np.ndarray:
    """Squared digital numbers of an echo and its noise."""
    power = (signal + NOISE) * np.random.default_rng(seed).gamma(4.4, 1 / 4.4, (300, 200))
    return np.rint(np.sqrt(power)).astype(np.int64) ** 2


def hidden(square: np.ndarray, extra_px: int = 0) -> np.ndarray:
    return border_noise(square, np.full(square.shape, NOISE, np.float32), extra_px)


def test_fringes_and_garbage_go_and_little_else() -> None:
    square = image()
    square[:, :17] = 0
    square[:, 17:25] = np.random.default_rng(1).integers(0, 20, (300, 8)) ** 2
    square[-13:] = 0
    mask = hidden(square)
    assert mask[:, :25].all()
    assert mask[-13:].all()
    assert mask[: -13 - 2 * HALF, 25 + 2 * HALF :].sum() == 0


@pytest.mark.parametrize("signal", [0.0, 50.0, 5_000.0])
def test_echoes_stay_even_where_there_is_only_noise(signal: float) -> None:
    assert not hidden(image(2, signal)).any()


def test_single_dark_pixels_are_no_border() -> None:
    square = image(3)
    square[100, 100] = square[0, 0] = 0
    assert not hidden(square).any()


def test_without_noise_only_zeros_go() -> None:
    square = np.ones((60, 60), np.int64)
    square[:, :12] = 0
    mask = border_noise(square, np.zeros(square.shape, np.float32))
    assert mask[:, :12].all()
    assert not mask[:, 12:].any()


def test_more_is_cut_along_the_range_only() -> None:
    square = image(4)
    square[:, :10] = 0
    assert np.flatnonzero(hidden(square)[150]).max() + 30 == np.flatnonzero(hidden(square, 30)[150]).max()
    square = image(4)
    square[:20] = 0
    usual, more = hidden(square), hidden(square, 30)
    assert usual[:20].all()
    assert not more[20 + REACH :].any()


def test_parts_are_those_of_the_whole() -> None:
    square = image(5)
    square[:, :33] = 0
    whole = hidden(square)
    part = hidden(square[50 - REACH : 90 + REACH, 20 - REACH : 70 + REACH])
    np.testing.assert_array_equal(part[REACH:-REACH, REACH:-REACH], whole[50:90, 20:70])
