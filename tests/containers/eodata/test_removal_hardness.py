"""The archive of cloud removal is hard. Frozen before the networks: never loosen it to pass a bar."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from containers.base.contract.step import Execution
from containers.eodata.contract.scenario import RadarDate
from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.radar_dates import StoredPass, radar_pass
from containers.eodata.removal_hardness import auc, common_passes, figures
from containers.eodata.simulate import run
from containers.eodata.world import World

PROFILE = Path("containers/eodata/profiles/cloud_removal_tiny.json")


def without_products(wanted: RadarDate, world: World, params: ArchiveParams, out: Path) -> StoredPass:
    """The figures look at the ground that the radar meets, not at its products."""
    return StoredPass(radar_pass(wanted, params.seed), [], [])


@pytest.fixture(scope="module")
def removal_figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    folder = tmp_path_factory.mktemp("removal")
    profile = json.loads(PROFILE.read_text()) | {"execution": Execution(threads=2)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("containers.eodata.simulate.write_pass", without_products)
        run(ArchiveParams.model_validate(profile), folder)
    return figures(folder)


@pytest.mark.slow
def test_clouds_hide_most_of_the_scar_and_leave_enough_to_learn_from(removal_figures: dict[str, float]) -> None:
    assert 0.5 <= removal_figures["scar_hidden"] <= 0.8
    assert 0.35 <= removal_figures["hidden"] <= 0.60
    assert removal_figures["early_hidden"] < 0.05
    assert 0.07 < removal_figures["burned"] < 0.16


@pytest.mark.slow
def test_the_earlier_image_is_clearly_wrong_where_clouds_hide_the_ground(removal_figures: dict[str, float]) -> None:
    assert removal_figures["copy_mae_hidden"] > 0.018
    assert removal_figures["copy_mae_hidden_scar"] > 0.03


@pytest.mark.slow
def test_a_linear_regression_explains_only_part_of_the_change(removal_figures: dict[str, float]) -> None:
    assert 0.1 < removal_figures["linear_explains_of_change"] < 0.6
    assert removal_figures["linear_mae_hidden"] > 0.7 * removal_figures["copy_mae_hidden"]


@pytest.mark.slow
def test_radar_alone_tells_burned_from_spared_woods_but_poorly(removal_figures: dict[str, float]) -> None:
    assert 0.6 < removal_figures["vh_auc_product"] < removal_figures["vh_auc_filtered"] < 0.9
    assert -3 < removal_figures["vh_change_db"] < -1
    assert abs(removal_figures["vv_change_db"]) < 1


def test_auc_by_hand() -> None:
    """Of six pairs, four are in order and one is a tie."""
    assert auc(np.array([1, 2, 3], np.float32), np.array([2, 4], np.float32)) == pytest.approx(4.5 / 6)


def test_the_nearest_pass_is_not_on_the_best_common_track() -> None:
    dates = ArchiveParams.model_validate_json(PROFILE.read_text()).radar_dates or ()
    images = [datetime(2020, 6, 3, 10, 10, tzinfo=UTC), datetime(2020, 7, 5, 10, 0, tzinfo=UTC)]
    sound = [each for each in dates if not each.damage]
    nearest = min(sound, key=lambda each: abs(each.start - images[0]))
    found = common_passes(dates, *images)
    assert nearest.relative_orbit == 44
    assert [each.relative_orbit for each in found] == [168, 168]
    assert [each.platform for each in found] == ["S1B", "S1A"]
    assert found[1].slices == 2
