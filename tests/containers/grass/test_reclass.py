"""Reclass equals a look-up table in numpy, cell by cell; what has no rule is named."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from pydantic import ValidationError

from containers.base.contract.step import StepError
from containers.grass.contract.reclass import ReclassParams
from containers.grass.reclass import rules_text, run, unmapped

S2GLC = {
    62: 1,
    121: 1,
    73: 2,
    75: 2,
    82: 2,
    83: 2,
    102: 2,
    103: 2,
    104: 2,
    105: 3,
    106: 3,
    123: 3,
    162: 3,
    0: 0,
    255: 0,
}
WORLDCOVER = {50: 1, 60: 1, 10: 2, 20: 2, 30: 2, 40: 2, 95: 2, 100: 2, 70: 3, 80: 3, 90: 3, 0: 0, 255: 0}
CLCPLUS = {1: 1, 9: 1} | dict.fromkeys(range(2, 9), 2) | {10: 3, 11: 3, 253: 3, 0: 0, 254: 0, 255: 0}


def lookup(codes, table):
    classes = np.zeros(256, "uint8")
    classes[list(table)] = list(table.values())
    return classes[codes]


@pytest.mark.parametrize(("rules", "table"), [("s2glc", S2GLC), ("worldcover", WORLDCOVER), ("clcplus", CLCPLUS)])
def test_shipped_rules_equal_the_table_cell_by_cell(rules, table, stored_raster, grass_grid, step_out):
    codes = np.random.default_rng(1).choice(list(table), size=grass_grid.shape).astype("uint8")
    result = run(ReclassParams(codes=stored_raster("codes.tif", codes), rules=rules), step_out)
    with rasterio.open(step_out / result.classes.href) as classes:
        assert classes.nodata == 0
        assert classes.dtypes == ("uint8",)
        assert classes.transform.c == grass_grid.west_m
        np.testing.assert_array_equal(classes.read(1), lookup(codes, table))
    expected = dict(zip(*np.unique(lookup(codes, table), return_counts=True), strict=True))
    assert result.counts == expected


def test_cells_on_which_two_maps_disagree_become_unknown(stored_raster, grass_grid, step_out):
    rng = np.random.default_rng(2)
    first = rng.choice([62, 73, 162, 0], size=grass_grid.shape).astype("uint8")
    second = rng.choice([50, 40, 80, 0], size=grass_grid.shape).astype("uint8")
    params = ReclassParams(
        codes=stored_raster("first.tif", first),
        second_codes=stored_raster("second.tif", second),
        second_rules="worldcover",
    )
    result = run(params, step_out)
    one, two = lookup(first, S2GLC), lookup(second, WORLDCOVER)
    with rasterio.open(step_out / result.classes.href) as classes:
        np.testing.assert_array_equal(classes.read(1), np.where(one == two, one, 0))


def test_codes_without_a_rule_are_named_with_their_cells(stored_raster, grass_grid, step_out):
    codes = np.full(grass_grid.shape, 62, "uint8")
    codes[0, :3], codes[1, :7] = 99, 17
    with pytest.raises(StepError) as raised:
        run(ReclassParams(codes=stored_raster("codes.tif", codes)), step_out)
    assert raised.value.code == "unknown_label"
    assert "17 (7 cells), 99 (3 cells)" in raised.value.reason


@pytest.mark.parametrize(
    ("custom", "words"),
    [("5 = 7 seven\n", "[7]"), ("five = 1 impervious\n", "invalid reclass rule")],
    ids=["class outside the legend", "not a rule"],
)
def test_bad_custom_rules_are_refused_with_what_is_wrong(custom, words, stored_raster, grass_grid, step_out):
    codes = stored_raster("codes.tif", np.full(grass_grid.shape, 5, "uint8"))
    with pytest.raises(StepError) as raised:
        run(ReclassParams(codes=codes, rules="custom", custom_rules=custom), step_out)
    assert raised.value.code == "bad_labels"
    assert words in raised.value.reason


def test_a_second_map_elsewhere_is_a_grid_mismatch(stored_raster, grass_grid, step_out):
    codes = np.full(grass_grid.shape, 62, "uint8")
    elsewhere = grass_grid.model_copy(update={"west_m": grass_grid.west_m + 20})
    params = ReclassParams(
        codes=stored_raster("codes.tif", codes), second_codes=stored_raster("second.tif", codes, grid=elsewhere)
    )
    with pytest.raises(StepError) as raised:
        run(params, step_out)
    assert raised.value.code == "grid_mismatch"


@pytest.mark.parametrize(
    "fields", [{"rules": "corine"}, {"rules": "custom"}], ids=["unknown name", "custom without text"]
)
def test_rules_are_checked_before_anything_runs(fields, stored_raster, grass_grid):
    codes = stored_raster("codes.tif", np.full(grass_grid.shape, 62, "uint8"))
    with pytest.raises(ValidationError):
        ReclassParams(codes=codes, **fields)


def test_missing_grass_says_what_to_install(stored_raster, grass_grid, step_out, monkeypatch):
    codes = stored_raster("codes.tif", np.full(grass_grid.shape, 62, "uint8"))
    monkeypatch.setenv("PATH", str(Path("/nonexistent")))
    with pytest.raises(StepError) as raised:
        run(ReclassParams(codes=codes), step_out)
    assert raised.value.code == "missing_tool"
    assert "apt install grass-core" in raised.value.hint


def test_rules_text_drops_comments_and_blank_lines():
    assert rules_text("custom", "# a\n\n1 = 2 green\n  # b\n") == "1 = 2 green\n"


def test_unmapped_counts_codes_but_not_nodata():
    assert unmapped("62,1,40\n99,*,3\n*,*,7\n") == {99: 3}
