"""The mask model that comes with the project was trained on invented land, and says so to every real scene."""

from datetime import UTC, datetime

import pytest

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal.contract.mask_forest import MaskModel
from containers.gdal.contract.observe import Image, Observation
from containers.gdal.mask_forest import read_model, require_fit
from tests.demo_run import ROOT

GRID = Grid(epsg=32633, resolution_m=60, west_m=300_000, north_m=5_400_000, width=10, height=10)


@pytest.fixture
def model() -> MaskModel:
    return read_model(ROOT / "deployments" / "models" / "cloud_mask.simulated.json")


def observation(*, simulated: bool) -> Observation:
    image = Image(file=File(href="store:made/1/1/features.tif", content_id="sha256:1", size=1), grid=GRID)
    return Observation(
        scene_id="S2A", tile="33UUP", acquired=datetime(2020, 5, 1, tzinfo=UTC), platform="S2A", orbit=1, level="L1C",
        baseline="05.00", simulated=simulated, cloud_cover=None, footprint="POLYGON EMPTY", grid=GRID, bands={},
        features=image, background=image, valid_share=1,
    )  # fmt: skip


def test_it_masks_simulated_scenes_and_refuses_real_ones(model: MaskModel) -> None:
    assert model.training_domain.simulated
    require_fit(model, observation(simulated=True), allow_simulated_model=False)
    with pytest.raises(StepError, match="simulated") as refused:
        require_fit(model, observation(simulated=False), allow_simulated_model=False)
    assert refused.value.code == "bad_model"
    require_fit(model, observation(simulated=False), allow_simulated_model=True)


def test_cloud_is_what_every_component_calls_cloud(model: MaskModel) -> None:
    assert model.probabilities[0] < model.cutoff < model.probabilities[-1]
