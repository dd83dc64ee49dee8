import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.base.contract.legend import LandCover
from containers.gdal.contract.consistency import Transitions
from containers.gdal.emission import Emission, log_ratios
from containers.gdal.hidden_markov import Model, model_of, see
from containers.gdal.history import (
    Histories,
    decoded,
    gain_of_changes,
    in_large_patches,
    is_convincing,
    last_change,
)

I, G, O = (int(code) for code in (LandCover.IMPERVIOUS, LandCover.GREEN, LandCover.OTHER))  # noqa: E741
UNSEEN = 255
MATRIX = Transitions().matrix


def seen(codes: np.ndarray, certainty: float = 0.9) -> np.ndarray:
    """Probabilities uint8 (period, class, y, x) of a classifier so certain of codes (period, y, x); 0 is unseen."""
    other = (1 - certainty) / 2
    probabilities = np.where(codes[:, None] == np.array([I, G, O])[None, :, None, None], certainty, other)
    return np.where(codes[:, None] == 0, UNSEEN, np.rint(probabilities * 250)).astype(np.uint8)


def model_for(certainty: float = 0.9, noise: float = 1.0, effect: float = 1.0, most_changes: int = 2) -> Model:
    """Of a classifier so certain of the class that it sees."""
    means = log_ratios(seen(np.array([I, G, O])[None, None], certainty)[0].transpose(2, 0, 1))[:, :, 0]
    return model_of(MATRIX, Emission(means, noise, effect), most_changes)


def smoothed(codes: list[list[list[int]]] | np.ndarray, least_cells: int = 1, **model: float) -> Histories:
    return decoded(seen(np.array(codes)), model_for(**model), spatial_weight=0.0, least_cells=least_cells)  # type: ignore[arg-type]


def of_cell(codes: list[int], **model: float) -> Histories:
    return smoothed(np.array(codes)[:, None, None], **model)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("codes", "expected", "change"),
    [
        ([G, G, G, G], [G, G, G, G], 0),
        ([G, I, G, G], [G, G, G, G], 0),
        ([G, G, I, I], [G, G, I, I], 2),
        ([G, I, I, I], [G, I, I, I], 1),
        ([I, I, G, G], [I, I, G, G], 2),
        ([G, 0, G, G], [G, 0, G, G], 0),
        ([G, 0, I, I, I], [G, 0, I, I, I], 2),
        ([0, G, I, I, I], [0, G, I, I, I], 2),
        ([0, 0, 0, 0], [0, 0, 0, 0], 255),
        ([0, G, 0, 0], [0, G, 0, 0], 255),
    ],
)
def test_histories_of_single_cells(codes: list[int], expected: list[int], change: int) -> None:
    result = of_cell(codes)
    assert result.classes[:, 0, 0].tolist() == expected
    assert result.change_period.item() == change
    assert (result.confidence[:, 0, 0] == 255).tolist() == [code == 0 for code in codes]
    assert (result.change_probability.item() == 255) == (np.count_nonzero(codes) < 2)


def test_noise_takes_weight_from_what_was_seen() -> None:
    assert of_cell([G, G, I, I], noise=1).change_period.item() == 2
    assert of_cell([G, G, I, I], noise=4).change_period.item() == 0


def test_change_probability_grows_with_the_evidence() -> None:
    steady, doubtful, certain = (
        of_cell(codes, noise=2).change_probability.item() for codes in ([G, G, G, G], [G, G, G, I], [G, G, I, I])
    )
    assert steady < 10 < doubtful < 125 < certain


def test_small_patches_are_undone_and_large_ones_kept() -> None:
    """A change of 2×2 cells, impervious most of the time, and an annexe of one cell, a year later than its house of
    2×3, are undone."""
    codes = np.full((4, 8, 12), G)
    codes[1:, 1:3, 1:3] = I
    codes[2:, 4:6, 6:9] = I
    codes[3:, 6, 9] = I
    result = smoothed(codes, least_cells=5)
    expected = np.full((4, 8, 12), G)
    expected[:, 1:3, 1:3] = I
    expected[2:, 4:6, 6:9] = I
    np.testing.assert_array_equal(result.classes, expected)
    np.testing.assert_array_equal(result.change_period, np.where(expected[0] != expected[3], 2, 0))


def test_undone_cell_takes_its_most_probable_constant_class() -> None:
    """Four of five years say impervious: without the change the cell is impervious throughout."""
    codes = np.full((5, 3, 3), I)
    codes[0, 1, 1] = G
    result = smoothed(codes, least_cells=2)
    assert (result.classes == I).all()


def test_cell_keeps_its_large_change_when_a_small_one_is_undone() -> None:
    codes = np.full((6, 6, 6), G)
    codes[2:] = I
    codes[4:, 3, 3] = O
    result = smoothed(codes, least_cells=3, noise=0.5)
    expected = np.full((6, 6, 6), G)
    expected[2:] = I
    np.testing.assert_array_equal(result.classes, expected)


def test_neighbours_decide_with_the_cell_whether_a_change_is_believed() -> None:
    """The middle cell of a new 3×3 building is hardly seen to change, the others clearly are."""
    probabilities = seen(np.stack([np.full((9, 9), G)] * 2 + [np.full((9, 9), I)] * 2))
    probabilities[2:, :, 4, 4] = np.array([150, 90, 10])
    alone, together = (
        decoded(probabilities, model_for(), spatial_weight=weight, least_cells=1).classes[:, 4, 4].tolist()
        for weight in (0.0, 1.0)
    )
    assert alone == [G, G, G, G]
    assert together == [G, G, I, I]


def test_gain_by_hand() -> None:
    """The exponents' difference, less the price of changing instead of staying.

    Green then impervious, each seen at its mean, d apart: no residual with the change, d in one of two periods without
    it, so that the exponent is −(d² − d²·e / (s + 2e)) / 2s = −d²/3 with both variances 1. Impervious throughout costs
    as much, and less to stay: ln 0.988 against ln 0.988.
    """
    distance = 2 * np.log(225 / 12) ** 2  # as they are stored
    found = seen(np.array([G, I])[:, None, None])
    gains = gain_of_changes(
        np.array([1, 0], np.uint8)[:, None, None],
        see(found[..., 0], model_for().emission),
        model_for(),
    )
    assert gains.item() == pytest.approx(distance / 3 + np.log(0.010) - np.log(0.988), rel=0.01)
    steady = np.array([1, 1], np.uint8)[:, None, None]
    assert gain_of_changes(steady, see(found[..., 0], model_for().emission), model_for()).item() == 0


def test_neighbours_of_the_same_event_within_reach_count() -> None:
    """Means over 7×7 cells of the event alone: 4 and −2 for the pair, −5 for the one that lies too far away."""
    gains, event = np.zeros((1, 12), np.float32), np.zeros((1, 12), bool)
    gains[0, [0, 3, 8]], event[0, [0, 3, 8]] = (4, -2, -5), True
    gains[0, 1] = -100
    assert np.flatnonzero(is_convincing(gains, event, spatial_weight=1.0)).tolist() == [0, 3]
    assert np.flatnonzero(is_convincing(gains, event, spatial_weight=0.5)).tolist() == [0]


def test_patches_touch_at_corners() -> None:
    event = np.array([[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 0, 0]], bool)
    assert in_large_patches(event, 2).sum() == 4
    assert in_large_patches(event, 3).sum() == 0


def test_last_change_skips_unknown_periods() -> None:
    cells = [([G, 0, I, I], 2), ([G, I, G, 0], 2), ([0, G, G, 0], 0), ([G, I, I, O], 3), ([G, 0, G, G], 0)]
    classes = np.array([codes for codes, _ in cells], np.uint8).T[:, None]
    assert last_change(classes)[0].tolist() == [expected for _, expected in cells]


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), n_periods=st.integers(2, 5), least=st.integers(1, 4))
def test_products_agree_with_each_other(seed: int, n_periods: int, least: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = np.rint(rng.dirichlet((0.3, 0.3, 0.3), (n_periods, 9, 9)) * 250).astype(np.uint8)
    probabilities = np.ascontiguousarray(probabilities.transpose(0, 3, 1, 2))
    unseen = rng.random((n_periods, 9, 9)) < 0.2
    probabilities.transpose(0, 2, 3, 1)[unseen] = UNSEEN
    result = decoded(probabilities, model_for(), spatial_weight=0.3, least_cells=least)
    np.testing.assert_array_equal(result.classes == 0, unseen)
    np.testing.assert_array_equal(result.confidence == UNSEEN, unseen)
    seen_twice = (~unseen).sum(axis=0) >= 2
    np.testing.assert_array_equal(result.change_period == 255, ~seen_twice)
    np.testing.assert_array_equal(result.change_probability == UNSEEN, ~seen_twice)
    for cell in zip(*np.nonzero(seen_twice), strict=True):
        known = [code for code in result.classes[:, *cell] if code]
        assert (len(set(known)) > 1) == (result.change_period[cell] > 0)
