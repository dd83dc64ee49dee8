"""The archive is as hard as reality. The simulator was frozen before the models: never loosen it to pass a bar."""

import json
from pathlib import Path

import pytest

from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.hardness import Archive, figures
from containers.eodata.simulate import run

PROFILE = Path("containers/eodata/profiles/tiny.json")


@pytest.fixture(scope="module")
def hardness_figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    folder = tmp_path_factory.mktemp("hardness")
    profile = json.loads(PROFILE.read_text())
    changes = {"dates_per_year": 4, "bands": ["B04_20m", "B11_20m", "B12_20m"], "traps": [], "second_map": False}
    run(ArchiveParams.model_validate(profile | changes), folder)
    return figures(Archive(folder))


def test_a_pixelwise_forest_on_one_date_is_right_in_80_to_88_percent(hardness_figures: dict[str, float]) -> None:
    assert 0.80 <= hardness_figures["forest_accuracy"] <= 0.88


def test_14_percent_of_the_training_labels_are_wrong(hardness_figures: dict[str, float]) -> None:
    assert hardness_figures["wrong_labels"] == pytest.approx(0.14, abs=0.01)


def test_the_scene_classification_is_right_in_85_percent_and_weak_on_shadow(hardness_figures: dict[str, float]) -> None:
    assert hardness_figures["scl_accuracy"] == pytest.approx(0.85, abs=0.03)
    assert hardness_figures["scl_shadow_found"] < 0.6


def test_pixels_mix_and_dates_are_misregistered_by_less_than_half_a_pixel(hardness_figures: dict[str, float]) -> None:
    assert hardness_figures["mixed_cells"] > 0.09
    assert 0.2 < hardness_figures["largest_shift_px"] < 0.5


def test_bare_fields_resemble_sealed_land(hardness_figures: dict[str, float]) -> None:
    assert hardness_figures["bare_taken_for_impervious"] > 0.08
    assert hardness_figures["forest_f1_impervious"] < 0.80


def test_all_three_classes_are_there(hardness_figures: dict[str, float]) -> None:
    assert 0.12 < hardness_figures["share_impervious"] < 0.25
    assert 0.06 < hardness_figures["share_other"] < 0.15
    assert 0.60 < hardness_figures["share_green"] < 0.80
