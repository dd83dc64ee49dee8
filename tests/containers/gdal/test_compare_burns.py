"""Scores of burn maps against scikit-learn and by hand, apart under clouds and beside them."""

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import (
    accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    f1_score,
    jaccard_score,
    precision_score,
    recall_score,
)

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.raster import write_cog
from containers.gdal import compare_burns
from containers.gdal.burn_scores import burned_scores, severity_scores
from containers.gdal.compare_burns import scores_of, tabulate
from containers.gdal.contract.burn import CompareBurnsParams

GRID = Grid(epsg=32633, resolution_m=20, west_m=500_000, north_m=5_300_000, width=40, height=300)
NAMES = {1: "unburned", 2: "low", 3: "high"}
CODES = arrays(np.int64, 40, elements=st.integers(0, 3))


@settings(max_examples=40, deadline=None)
@given(CODES, CODES)
def test_severity_scores_equal_those_of_scikit_learn(truth, found) -> None:
    scores = severity_scores(confusion_matrix(truth, found, labels=range(4)))
    options = {"average": "macro", "zero_division": 0}
    assert scores.severity_accuracy == pytest.approx(accuracy_score(truth, found))
    assert scores.macro_precision == pytest.approx(precision_score(truth, found, **options))
    assert scores.macro_recall == pytest.approx(recall_score(truth, found, **options))


@settings(max_examples=40, deadline=None)
@given(arrays(np.int64, 30, elements=st.integers(0, 1)), arrays(np.int64, 30, elements=st.integers(0, 1)))
def test_burned_scores_equal_those_of_scikit_learn(truth, found) -> None:
    scores = burned_scores(confusion_matrix(truth, found, labels=[0, 1]))
    assert scores.accuracy == pytest.approx(accuracy_score(truth, found))
    for score, function, defined in (
        (scores.precision, precision_score, found.any()),
        (scores.recall, recall_score, truth.any()),
        (scores.f1, f1_score, truth.any() or found.any()),
        (scores.iou, jaccard_score, truth.any() or found.any()),
    ):
        assert (score is not None) == bool(defined)
        assert not defined or score == pytest.approx(function(truth, found, zero_division=0))
    if scores.kappa is not None:
        assert scores.kappa == pytest.approx(cohen_kappa_score(truth, found))
    else:
        assert len({*truth, *found}) == 1


def test_precision_is_of_the_map_and_recall_of_the_truth() -> None:
    """Rows are the truth. 8 of 10 true cells found, among 12 mapped; an earlier code swapped the macro names."""
    table = np.array([[84, 4], [2, 8]])
    scores = burned_scores(table)
    assert (scores.precision, scores.recall) == (8 / 12, 8 / 10)
    assert scores.f1 == pytest.approx(16 / 22)
    assert scores.iou == 8 / 14
    macro = severity_scores(table)
    assert macro.macro_precision == pytest.approx((84 / 86 + 8 / 12) / 2)
    assert macro.macro_recall == pytest.approx((84 / 88 + 8 / 10) / 2)


def test_scores_apart_by_what_hid_the_ground() -> None:
    """Ten true cells: six under cloud, cirrus and shadow, of which three found; three seen, all found; one no sky."""
    rasters = {
        "sky": [2, 2, 3, 3, 4, 4, 1, 1, 5, 0, 1, 2],
        "truth_burned": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 255, 0],
        "burned": [1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 255],
        "truth_severity": [3, 3, 3, 3, 2, 2, 3, 3, 2, 3, 0, 1],
        "severity": [3, 1, 2, 1, 2, 1, 3, 3, 3, 1, 2, 0],
    }
    rows = {row.where: row for row in scores_of(tabulate({k: np.array(v, np.uint8) for k, v in rasters.items()}, 3))}
    assert (rows["hidden"].burned.recall, rows["seen"].burned.recall) == (3 / 6, 1)
    assert rows["all"].burned.recall == 6 / 10
    assert {where: row.cells for where, row in rows.items()} == {"all": 10, "hidden": 6, "seen": 3}
    assert {where: row.unknown_cells for where, row in rows.items()} == {"all": 2, "hidden": 1, "seen": 1}
    assert rows["hidden"].scar_hidden_share == 6 / 10
    assert rows["hidden"].severity.severity_accuracy == 2 / 6


@pytest.fixture
def compared(raster_store):
    """Run the step over arrays of (y, x); the result, and its folder."""

    def classes(array, tags):
        path = raster_store.folder("gdal.burn") / "severity.tif"
        return raster_store.file(write_cog(path, array, GRID, nodata=0, tags=tags))

    def run(tags=None, **changes):
        rng = np.random.default_rng(5)
        truth = rng.integers(1, 4, GRID.shape).astype(np.uint8)
        found = np.where(rng.random(GRID.shape) < 0.7, truth, rng.integers(1, 4, GRID.shape)).astype(np.uint8)
        arrays_ = {"truth_severity": truth, "severity": found, "sky": rng.integers(1, 5, GRID.shape).astype(np.uint8)}
        arrays_ |= {"truth_burned": (truth > 1).astype(np.uint8), "burned": (found > 1).astype(np.uint8)} | changes
        legend = {f"CLASS_{code}": name for code, name in NAMES.items()}
        params = CompareBurnsParams(
            truth_severity=classes(arrays_["truth_severity"], legend),
            severity=classes(arrays_["severity"], legend if tags is None else tags),
            **{name: raster_store.cog(arrays_[name], GRID, nodata=255) for name in ("truth_burned", "burned", "sky")},
        )
        out = raster_store.folder("gdal.compare_burns")
        return compare_burns.run(params, out), out, arrays_

    return run


def rows_of(path):
    with path.open() as stream:
        return list(csv.DictReader(stream))


def test_files_over_several_blocks(compared) -> None:
    result, out, arrays_ = compared()
    truth, found = (arrays_[name].ravel() for name in ("truth_severity", "severity"))
    hidden = np.isin(arrays_["sky"], (2, 3, 4)).ravel()
    table = [row for row in rows_of(out / result.confusion.href) if row["where"] == "hidden"]
    assert [row["truth"] for row in table] == list(NAMES.values())
    expected = confusion_matrix(truth[hidden], found[hidden], labels=[1, 2, 3]).tolist()
    assert [[int(row[name]) for name in NAMES.values()] for row in table] == expected
    scores = {row["where"]: row for row in rows_of(out / result.scores.href)}
    assert float(scores["hidden"]["f1"]) == pytest.approx(f1_score(truth[hidden] > 1, found[hidden] > 1), abs=1e-6)
    assert result.f1["hidden"] == pytest.approx(float(scores["hidden"]["f1"]), abs=1e-6)
    assert result.scar_hidden_share == pytest.approx(hidden[truth > 1].mean())
    assert list(scores["all"]) == [
        "where", "precision", "recall", "f1", "iou", "accuracy", "kappa", "severity_accuracy", "macro_precision",
        "macro_recall", "cells", "burned_cells", "unknown_cells", "scar_hidden_share",
    ]  # fmt: skip
    assert (out / result.figure.href).read_bytes().startswith(b"\x89PNG")


def test_the_same_maps_give_the_same_files(compared) -> None:
    assert compared()[0] == compared()[0]


def test_a_figure_that_is_not_defined_is_empty(compared) -> None:
    nothing = np.zeros(GRID.shape, np.uint8)
    result, out, _ = compared(truth_burned=nothing, burned=nothing)
    assert [row["f1"] + row["kappa"] for row in rows_of(out / result.scores.href)] == ["", "", ""]
    assert result.scar_hidden_share is None
    assert result.f1 == {"all": None, "hidden": None, "seen": None}


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({"tags": {"CLASS_1": "unburned", "CLASS_2": "high"}}, "bad_labels", "The severity classes differ"),
        ({"tags": {}}, "bad_labels", "carries no class names"),
        ({"severity": np.full(GRID.shape, 9, np.uint8)}, "bad_labels", "severity holds the code 9"),
        ({"sky": np.full(GRID.shape, 6, np.uint8)}, "bad_labels", "sky holds the code 6"),
        ({"burned": np.full(GRID.shape, 255, np.uint8)}, "no_valid_pixels", "No cell is known"),
    ],
)
def test_maps_that_cannot_be_compared_are_refused(options, code, words, compared) -> None:
    with pytest.raises(StepError) as raised:
        compared(**options)
    assert raised.value.code == code
    assert words in raised.value.reason


def test_maps_of_different_grids_are_refused(compared, raster_store, monkeypatch) -> None:
    other = GRID.model_copy(update={"west_m": GRID.west_m + 20})
    cog = raster_store.cog
    monkeypatch.setattr(raster_store, "cog", lambda array, _, **options: cog(array, other, **options))
    with pytest.raises(StepError) as raised:
        compared()
    assert raised.value.code == "grid_mismatch"
