import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.base.contract.legend import LandCover
from containers.gdal.contract.consistency import Transitions
from containers.gdal.hidden_markov import chain
from containers.gdal.history import (
    Histories,
    evidence_of,
    gain_of_changes,
    histories,
    in_large_patches,
    is_convincing,
    last_change,
)

I, G, O = (int(code) for code in (LandCover.IMPERVIOUS, LandCover.GREEN, LandCover.OTHER))  # noqa: E741
UNSEEN = 255
MODEL = chain(Transitions().matrix)


def seen(codes: np.ndarray, certainty: float = 0.9) -> np.ndarray:
    """Probabilities uint8 (period, class, y, x) of a classifier so certain of codes (period, y, x); 0 is unseen."""
    other = (1 - certainty) / 2
    probabilities = np.where(codes[:, None] == np.array([I, G, O])[None, :, None, None], certainty, other)
    return np.where(codes[:, None] == 0, UNSEEN, np.rint(probabilities * 250)).astype(np.uint8)


def smoothed(codes: list[list[list[int]]] | np.ndarray, certainty: float = 0.9, **options: float) -> Histories:
    settings_ = {"temperature": 1.0, "spatial_weight": 0.0, "least_cells": 1} | options
    return histories(seen(np.array(codes), certainty), MODEL, **settings_)  # type: ignore[arg-type]


def of_cell(codes: list[int], certainty: float = 0.9, **options: float) -> Histories:
    return smoothed(np.array(codes)[:, None, None], certainty, **options)


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
    result = of_cell(codes, certainty=0.998)
    assert result.classes[:, 0, 0].tolist() == expected
    assert result.change_period.item() == change
    assert (result.confidence[:, 0, 0] == 255).tolist() == [code == 0 for code in codes]
    assert (result.change_probability.item() == 255) == (np.count_nonzero(codes) < 2)


def test_temperature_takes_weight_from_what_was_seen() -> None:
    assert of_cell([G, G, I, I], 0.98, temperature=1).change_period.item() == 2
    assert of_cell([G, G, I, I], 0.98, temperature=4).change_period.item() == 0


def test_change_probability_grows_with_the_evidence() -> None:
    steady, doubtful, certain = (
        of_cell(codes, 0.9).change_probability.item() for codes in ([G, G, G, G], [G, G, G, I], [G, G, I, I])
    )
    assert steady < 10 < doubtful < 125 < certain


def test_small_patches_are_undone_and_large_ones_kept() -> None:
    """A change of 2×2 cells, impervious most of the time, and an annexe of one cell, a year later than its house of
    2×3, are undone."""
    codes = np.full((4, 8, 12), G)
    codes[1:, 1:3, 1:3] = I
    codes[2:, 4:6, 6:9] = I
    codes[3:, 6, 9] = I
    result = smoothed(codes, 0.998, least_cells=5)
    expected = np.full((4, 8, 12), G)
    expected[:, 1:3, 1:3] = I
    expected[2:, 4:6, 6:9] = I
    np.testing.assert_array_equal(result.classes, expected)
    np.testing.assert_array_equal(result.change_period, np.where(expected[0] != expected[3], 2, 0))


def test_undone_cell_takes_its_most_probable_constant_class() -> None:
    """Four of five years say impervious: without the change the cell is impervious throughout."""
    codes = np.full((5, 3, 3), I)
    codes[0, 1, 1] = G
    result = smoothed(codes, 0.995, least_cells=2)
    assert (result.classes == I).all()


def test_cell_keeps_its_large_change_when_a_small_one_is_undone() -> None:
    codes = np.full((6, 6, 6), G)
    codes[2:] = I
    codes[4:, 3, 3] = O
    result = smoothed(codes, 0.999, least_cells=3)
    expected = np.full((6, 6, 6), G)
    expected[2:] = I
    np.testing.assert_array_equal(result.classes, expected)


def test_neighbours_decide_with_the_cell_whether_a_change_is_believed() -> None:
    """The middle cell of a new 3×3 building is hardly seen to change, the others clearly are."""
    probabilities = seen(np.stack([np.full((9, 9), G)] * 2 + [np.full((9, 9), I)] * 2), 0.99)
    probabilities[2:, :, 4, 4] = np.array([150, 90, 10])
    alone, together = (
        histories(probabilities, MODEL, temperature=0.5, spatial_weight=weight, least_cells=1).classes[:, 4, 4].tolist()
        for weight in (0.0, 1.0)
    )
    assert alone == [G, G, G, G]
    assert together == [G, G, I, I]


def test_gain_by_hand() -> None:
    """Two classes' log ratio at the change, less the price of changing instead of staying.

    Green to impervious in the second of two periods: with the change ln(0.01 · 0.9 · 0.8), staying green
    ln(0.988 · 0.9 · 0.1), staying impervious ln(0.996 · 0.05 · 0.8), each times the same start.
    """
    evidence = np.log(np.array([[0.05, 0.9, 0.05], [0.8, 0.1, 0.1]], np.float32))[:, :, None]
    gains = gain_of_changes(np.array([1, 0], np.uint8)[:, None, None], evidence, MODEL)
    assert gains.item() == pytest.approx(np.log(0.01 * 0.9 * 0.8) - np.log(0.988 * 0.9 * 0.1), rel=1e-4)
    assert gain_of_changes(np.array([1, 1], np.uint8)[:, None, None], evidence, MODEL).item() == 0


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


def test_rounded_zero_rules_nothing_out() -> None:
    evidence = evidence_of(np.array([0, 250, 255], np.uint8).reshape(1, 3, 1, 1), temperature=2.0)
    np.testing.assert_allclose(evidence.ravel(), [np.log(0.002) / 2, 0, 0], rtol=1e-5)


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
    result = histories(probabilities, MODEL, temperature=0.5, spatial_weight=0.3, least_cells=least)
    np.testing.assert_array_equal(result.classes == 0, unseen)
    np.testing.assert_array_equal(result.confidence == UNSEEN, unseen)
    seen_twice = (~unseen).sum(axis=0) >= 2
    np.testing.assert_array_equal(result.change_period == 255, ~seen_twice)
    np.testing.assert_array_equal(result.change_probability == UNSEEN, ~seen_twice)
    for cell in zip(*np.nonzero(seen_twice), strict=True):
        known = [code for code in result.classes[:, *cell] if code]
        assert (len(set(known)) > 1) == (result.change_period[cell] > 0)
