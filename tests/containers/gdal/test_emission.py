import numpy as np
import pytest

from containers.gdal.emission import Emission, emission_of, log_ratios, moments, together

MEANS = np.array([[1.4, -0.2, -1.2], [-0.9, 1.6, -0.7], [-0.8, -0.5, 1.3]])


def probabilities_of(
    seed: int, *, noise: float, effect: float, n_periods: int = 4, n_cells: int = 30_000
) -> np.ndarray:
    """uint8 (period, class, cell) of cells that keep a class, whose effect and noise have the given variances."""
    rng = np.random.default_rng(seed)
    cover = rng.integers(0, 3, n_cells)
    ratios = MEANS[cover].T + np.sqrt(effect) * rng.normal(size=(3, n_cells))
    ratios = ratios + np.sqrt(noise) * rng.normal(size=(n_periods, 3, n_cells))
    odds = np.exp(ratios)
    return np.rint(250 * odds / odds.sum(axis=1, keepdims=True)).astype(np.uint8)


def test_log_ratios_by_hand() -> None:
    """0.8, 0.1 and 0.1: ln 8 / 3 · (2, −1, −1). A stored 0 stands for 0.002; where nothing was seen they are 0."""
    probabilities = np.array([[[200, 0, 255], [25, 125, 255], [25, 125, 255]]], np.uint8)
    ratios = log_ratios(probabilities)[0]
    np.testing.assert_allclose(ratios[:, 0], np.log(8) / 3 * np.array([2, -1, -1]), rtol=1e-5)
    np.testing.assert_allclose(ratios[:, 1], np.log(250) / 3 * np.array([-2, 1, 1]), rtol=1e-5)
    np.testing.assert_array_equal(ratios[:, 2], 0)


@pytest.mark.parametrize(("noise", "effect"), [(0.02, 0.1), (0.1, 0.02), (0.05, 0.0)])
def test_what_was_put_in_is_measured(noise: float, effect: float) -> None:
    found = emission_of(moments(probabilities_of(1, noise=noise, effect=effect)))
    assert found.noise == pytest.approx(noise, rel=0.06, abs=0.002)
    assert found.effect == pytest.approx(effect, rel=0.15, abs=0.005)
    np.testing.assert_allclose(found.means, MEANS - MEANS.mean(axis=1, keepdims=True), atol=0.06)


def test_parts_add_up_to_the_whole() -> None:
    probabilities = probabilities_of(2, noise=0.1, effect=0.1, n_cells=500)
    probabilities.transpose(0, 2, 1)[np.random.default_rng(3).random((4, 500)) < 0.3] = 255
    whole = moments(probabilities)
    parts = together([moments(probabilities[:, :, :123]), moments(probabilities[:, :, 123:])])
    for mine, others in zip(whole, parts, strict=True):
        np.testing.assert_allclose(mine, others, rtol=1e-6)


def test_cells_seen_once_tell_nothing() -> None:
    probabilities = probabilities_of(4, noise=0.1, effect=0.1, n_periods=2, n_cells=200)
    probabilities[1, :, 100:] = 255
    for mine, others in zip(moments(probabilities), moments(probabilities[:, :, :100]), strict=True):
        np.testing.assert_allclose(mine, others)


def test_a_class_that_no_cell_keeps_looks_typical() -> None:
    """Ninety per cent for the class itself: ln 18 / 3 · (2, −1, −1)."""
    probabilities = np.tile(np.array([20, 215, 15], np.uint8)[None, :, None], (3, 1, 5))
    found = emission_of(moments(probabilities))
    np.testing.assert_allclose(found.means[2], np.log(18) / 3 * np.array([-1, -1, 2]), rtol=1e-5)
    assert found.means[1].argmax() == 1
    assert found.noise > 0


def test_nothing_seen_gives_an_emission_all_the_same() -> None:
    found = emission_of(moments(np.full((3, 3, 4), 255, np.uint8)))
    assert isinstance(found, Emission)
    assert np.isfinite(found.means).all()
    assert (found.noise, found.effect) == (1.0, 0.0)
