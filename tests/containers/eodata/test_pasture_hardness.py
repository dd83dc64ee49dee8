"""The archive of pastures is hard. Frozen before the classifiers: never loosen it to pass a bar."""

import json
from pathlib import Path

import numpy as np
import pytest

from containers.base.contract.step import Execution
from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.pasture_hardness import PERIODS, figures, period_medians
from containers.eodata.simulate import run

PROFILE = Path("containers/eodata/profiles/pastures.json")


@pytest.fixture(scope="module")
def pasture_figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """Of the profile's first year: the second one is not looked at."""
    folder = tmp_path_factory.mktemp("hardness")
    profile = json.loads(PROFILE.read_text())
    profile |= {"years": profile["years"][:1], "traps": [], "execution": Execution(threads=2)}
    run(ArchiveParams.model_validate(profile), folder)
    return figures(folder)


@pytest.mark.slow
def test_a_plain_forest_gets_about_half_of_unseen_pastures_right(pasture_figures: dict[str, float]) -> None:
    assert 0.45 <= pasture_figures["grouped_accuracy"] <= 0.65
    assert pasture_figures["grouped_macro_f1"] < 0.60


@pytest.mark.slow
def test_seen_pastures_look_easier_than_unseen_ones(pasture_figures: dict[str, float]) -> None:
    assert pasture_figures["random_accuracy"] - pasture_figures["grouped_accuracy"] >= 0.05


@pytest.mark.slow
def test_the_survey_is_wrong_and_uneven(pasture_figures: dict[str, float]) -> None:
    assert 0.09 < pasture_figures["wrong_labels"] < 0.15
    assert pasture_figures["types"] >= 7
    assert pasture_figures["rarest_type_sites"] < 0.06 * pasture_figures["sites"]
    assert pasture_figures["pastures"] >= 8


def test_medians_by_hand() -> None:
    """Two sites: one seen three times in the first period, the other never."""
    spectra = np.full((4, 2, 1), np.nan, dtype=np.float32)
    spectra[:, 0, 0] = [0.1, 0.4, 0.2, 0.8]
    found = period_medians(spectra, np.array([0, 0, 0, PERIODS - 1]))
    assert found.shape == (2, PERIODS)
    assert found[0, 0] == pytest.approx(0.2)
    assert found[0, -1] == pytest.approx(0.8)
    assert found[0, 1] == pytest.approx(0.2 + 0.6 / (PERIODS - 1))
    assert (found[1] == 0).all()
