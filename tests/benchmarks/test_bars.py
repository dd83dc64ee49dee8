"""A bar is missed or held; what is not a number holds none."""

import json
import math

import pytest
from rich.console import Console

from benchmarks.bars import Figure, print_figures, write_figures


@pytest.mark.parametrize(
    ("value", "low", "high", "passed"),
    [
        (0.85, 0.80, 0.88, True),
        (0.80, 0.80, 0.88, True),
        (0.79, 0.80, 0.88, False),
        (0.89, 0.80, 0.88, False),
        (0.3, None, 0.2, False),
        (1.0, 1.0, None, True),
        (math.nan, None, 0.5, False),
        (math.nan, 0.9, None, False),
        (5.0, None, None, None),
    ],
)
def test_passed(value, low, high, passed):
    assert Figure(1, "topic", "name", value, low, high).passed is passed


def test_table_has_a_column_per_seed_and_json_every_figure(tmp_path):
    figures = [Figure(seed, "intervals", "coverage", value, 0.92, 0.98) for seed, value in ((7, 0.95), (8, 0.90))]
    console = Console(record=True, width=100)
    print_figures(figures, console)
    table = console.export_text()
    assert "0.92 – 0.98" in table
    assert "0.95 pass" in table
    assert "0.9 FAIL" in table
    write_figures(figures, {"redraws": 10}, tmp_path / "accuracy.json")
    written = json.loads((tmp_path / "accuracy.json").read_text())
    assert written["redraws"] == 10
    assert [(row["seed"], row["value"], row["passed"]) for row in written["figures"]] == [
        (7, 0.95, True),
        (8, 0.9, False),
    ]
