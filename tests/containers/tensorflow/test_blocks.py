import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.base.contract.step import StepError
from containers.tensorflow.blocks import PARTS, Block, count_classes, deal, inner_blocks


def test_gap_is_taken_off_every_side() -> None:
    assert inner_blocks((64, 100), block_px=32, gap_px=4, least_px=16) == [
        Block(4, 4, 24, 24), Block(4, 36, 24, 24), Block(4, 68, 24, 24),
        Block(36, 4, 24, 24), Block(36, 36, 24, 24), Block(36, 68, 24, 24),
    ]  # fmt: skip


def test_last_blocks_are_kept_where_a_patch_fits() -> None:
    assert inner_blocks((24, 80), block_px=32, gap_px=2, least_px=12) == [
        Block(2, 2, 20, 28), Block(2, 34, 20, 28), Block(2, 66, 20, 12),
    ]  # fmt: skip


def test_small_grid_is_refused_with_a_hint() -> None:
    with pytest.raises(StepError) as caught:
        inner_blocks((100, 100), block_px=64, gap_px=4, least_px=56)
    assert caught.value.code == "bad_grid"
    assert "block_px" in caught.value.hint


@settings(max_examples=20, deadline=None)
@given(
    n_blocks=st.integers(8, 60),
    seed=st.integers(0, 1000),
)
def test_every_part_gets_every_class(n_blocks: int, seed: int) -> None:
    counts = np.random.default_rng(seed).integers(1, 1000, (n_blocks, 3))
    parts = deal(counts, seed)
    np.testing.assert_array_equal(parts, deal(counts, seed))
    for index in range(len(PARTS)):
        assert (counts[parts == index].sum(axis=0) > 0).all()
    assert (parts == 0).sum() >= n_blocks / 2


def test_rare_class_is_spread_over_the_parts() -> None:
    counts = np.tile([0, 100, 100], (20, 1))
    counts[[3, 7, 11], 0] = 50
    assert sorted(deal(counts, seed=5)[[3, 7, 11]]) == [0, 1, 2]


def test_class_in_too_few_blocks_is_refused_with_counts() -> None:
    counts = np.tile([0, 100, 100], (20, 1))
    counts[[3, 7], 0] = 50
    with pytest.raises(StepError, match="impervious has 100 cells in 2 of 20 blocks") as caught:
        deal(counts, seed=0)
    assert caught.value.code == "bad_labels"


def test_counts_follow_the_order_of_the_legend() -> None:
    assert count_classes(np.array([[0, 1, 1], [3, 2, 1]], np.uint8)).tolist() == [3, 1, 1]
