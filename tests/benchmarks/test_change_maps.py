"""False and true change counted by hand."""

import numpy as np
import pytest

from benchmarks.change_maps import change_cells
from containers.base.contract.legend import LandCover


def maps(*rows: str) -> dict[str, np.ndarray]:
    """Periods as rows of class codes."""
    return {str(2018 + n): np.array([[int(code) for code in row]], np.uint8) for n, row in enumerate(rows)}


TRUTH = maps("22222332", "12222132", "12222132")


def test_counts_true_found_and_false_change_per_pair_of_periods():
    raw = maps("22222332", "11122132", "12212132")
    smoothed = maps("22222332", "12222332", "12222132")
    cells = change_cells(TRUTH, raw, smoothed, LandCover.IMPERVIOUS)
    # Raw: cells 0 and 5 are found, 1 and 2 false in the first pair, 3 false in the second.
    # Smoothed: cell 0 is found; cell 5 comes a period late: lost, and false.
    assert cells == (2, 2, 3, 1, 1, 1)
    assert cells.false_share == pytest.approx(1 / 3)
    assert cells.lost_share == cells.net_lost_share == 0.5


def test_what_only_the_smoothed_maps_find_is_a_gain_net_of_losses():
    raw = maps("22222332", "12222332", "12222132")
    smoothed = maps("22222332", "22222132", "22222132")
    cells = change_cells(TRUTH, raw, smoothed, LandCover.IMPERVIOUS)
    assert (cells.raw_found, cells.smoothed_found, cells.found_by_both) == (1, 1, 0)
    assert cells.lost_share == 1
    assert cells.net_lost_share == 0


def test_unknown_in_any_map_is_not_counted():
    raw = maps("02222332", "12222132", "12222132")
    cells = change_cells(TRUTH, raw, TRUTH, LandCover.IMPERVIOUS)
    assert (cells.true, cells.raw_found, cells.smoothed_found) == (1, 1, 1)


def test_green_is_counted_alike():
    truth, raw = maps("113", "213"), maps("113", "223")
    assert change_cells(truth, raw, truth, LandCover.GREEN)[:3] == (1, 1, 1)
