"""Year-round skies are as hard as real ones. Frozen before the masks: never loosen it to pass a bar."""

import json
from pathlib import Path

import numpy as np
import pytest

from containers.base.contract.step import Execution
from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.simulate import run
from containers.eodata.sky_hardness import balanced, best_threshold, figures, otsu, trees

PROFILE = Path("containers/eodata/profiles/vegetation_tiny.json")
SEEDS = (1, 2)


@pytest.fixture(scope="module")
def sky_figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """Means over two seeds: one small tile of one year has about ten broken scenes."""
    found = []
    for seed in SEEDS:
        folder = tmp_path_factory.mktemp("sky")
        changes = {"seed": seed, "levels": ["L1C", "L2A"], "bands": ["B04_20m"], "traps": [], "years": [2020]}
        profile = json.loads(PROFILE.read_text()) | changes | {"execution": Execution(threads=2)}
        run(ArchiveParams.model_validate(profile), folder)
        found.append(figures(folder))
    return {name: float(np.mean([each[name] for each in found])) for name in found[0]}


def test_single_rules_are_right_in_80_to_95_percent(sky_figures: dict[str, float]) -> None:
    for tree in ("tree1", "tree2", "tree3"):
        assert 0.78 <= sky_figures[f"{tree}_accuracy"] <= 0.95
    assert sky_figures["tree1_accuracy"] < sky_figures["tree3_accuracy"]


def test_a_threshold_on_brightness_is_not_enough(sky_figures: dict[str, float]) -> None:
    assert sky_figures["otsu_balanced"] <= 0.85
    assert sky_figures["brightness_balanced"] <= 0.90


def test_the_scene_classification_is_right_in_85_percent_and_weak_on_shadow(sky_figures: dict[str, float]) -> None:
    assert sky_figures["scl_accuracy"] == pytest.approx(0.85, abs=0.03)
    assert sky_figures["scl_shadow_found"] < 0.65
    assert sky_figures["scl_cloud_found"] < 0.93


def test_dates_are_registered_within_half_a_pixel_of_10_m(sky_figures: dict[str, float]) -> None:
    assert 0.3 < sky_figures["largest_shift_10m_px"] < 0.5


def test_skies_are_mixed(sky_figures: dict[str, float]) -> None:
    assert sky_figures["clear_dates"] == pytest.approx(1 / 3, abs=0.08)
    assert sky_figures["overcast_dates"] == pytest.approx(1 / 3, abs=0.08)
    assert sky_figures["share_shadow"] > 0.05
    assert sky_figures["share_cirrus"] > 0.01
    assert sky_figures["share_snow"] > 0.005


def test_trees_by_hand() -> None:
    """Grass, a thick low cloud, cirrus over grass, snow: the tree's branches of the published figures."""
    spectra = {
        "B01": (0.11, 0.62, 0.14, 0.75), "B02": (0.08, 0.60, 0.11, 0.78), "B03": (0.08, 0.58, 0.11, 0.80),
        "B04": (0.05, 0.58, 0.08, 0.80), "B05": (0.10, 0.60, 0.12, 0.78), "B06": (0.25, 0.61, 0.26, 0.76),
        "B07": (0.32, 0.62, 0.33, 0.74), "B8A": (0.35, 0.63, 0.36, 0.70), "B10": (0.001, 0.004, 0.02, 0.002),
        "B11": (0.20, 0.45, 0.21, 0.10), "B12": (0.10, 0.33, 0.11, 0.08),
    }  # fmt: skip
    found = trees({band: np.array(values, dtype=np.float32) for band, values in spectra.items()})
    assert found["tree2"].tolist() == [False, True, True, False]
    assert found["tree3"].tolist() == [False, True, True, False]


def test_thresholds_by_hand() -> None:
    values = np.concatenate([np.full(70, 0.1), np.full(30, 0.7)]).astype(np.float32)
    true = values > 0.5
    assert 0.1 < otsu(values) < 0.7
    assert best_threshold(values, true) == 1
    assert balanced(np.ones(100, bool), true) == 0.5
