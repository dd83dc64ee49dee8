"""What a network sees, and above all what it must not see."""

from typing import Any

import numpy as np
import pytest

from containers.base.contract.legend import Sky
from containers.base.contract.step import StepError
from containers.base.scalers import STORED_NODATA, physical, scale, stored
from containers.tensorflow.recipe import Recipe, Scene, recipe_of
from containers.tensorflow.removal_config import load_config
from tests.containers.tensorflow.removal_world import SCALERS, channels, cloudy, inputs_of, make_world

WORLD = make_world((16, 16))
SCENE = Scene(inputs_of(WORLD), stored(cloudy(WORLD), channels()[1]), WORLD.sky_t0, WORLD.sky_t1)
ALL = np.ones((16, 16), bool)


def recipe_for(preset: str, inputs: Any = "all", **overrides: Any) -> Recipe:
    return recipe_of(*channels(), SCALERS, inputs, load_config(preset, overrides))


def seen_by(recipe: Recipe, scene: Scene) -> Scene:
    names = [channel.name for channel in channels()[0]]
    return scene._replace(inputs=scene.inputs[..., [names.index(channel.name) for channel in recipe.channels]])


@pytest.mark.parametrize(
    ("preset", "inputs", "width"),
    [("reference", "all", 8), ("small", "radar", 4), ("small", "optical", 4), ("adaptive", "all", 26),
     ("adaptive", "radar", 16), ("adaptive", "optical", 10)],
)  # fmt: skip
def test_channels_are_as_many_as_the_recipe_says(preset: str, inputs: str, width: int) -> None:
    recipe = recipe_for(preset, inputs)
    assert recipe.width == width
    assert recipe.network_input(seen_by(recipe, SCENE), ALL).shape == (16, 16, width)


@pytest.mark.parametrize("preset", ["reference", "small", "adaptive"])
def test_radar_alone_sees_no_optical_image(preset: str) -> None:
    recipe = recipe_for(preset, "radar")
    assert not recipe.residual or recipe.regression
    assert recipe.optical == ()
    optical = SCENE.inputs + np.array([0] * 4 + [300] * 4, np.int16)
    cloud, clear = np.full((16, 16), Sky.CLOUD, np.uint8), np.full((16, 16), Sky.CLEAR, np.uint8)
    other = Scene(optical, SCENE.target + 500, cloud, clear)
    one, two = (recipe.network_input(seen_by(recipe, scene), ALL) for scene in (SCENE, other))
    np.testing.assert_array_equal(one, two)


def test_optical_alone_sees_no_radar() -> None:
    recipe = recipe_for("adaptive", "optical")
    other = SCENE._replace(inputs=SCENE.inputs + np.array([900] * 4 + [0] * 4, np.int16))
    one, two = (recipe.network_input(seen_by(recipe, scene), ALL) for scene in (SCENE, other))
    np.testing.assert_array_equal(one, two)
    assert recipe.residual


def test_hidden_cells_and_nodata_are_nothing() -> None:
    inputs = SCENE.inputs.copy()
    inputs[3, 3, 0] = STORED_NODATA
    sky_t0 = np.full((16, 16), Sky.CLEAR, np.uint8)
    sky_t0[5, 5], sky_t0[6, 6] = Sky.SHADOW, Sky.SNOW
    scene = SCENE._replace(inputs=inputs, sky_t0=sky_t0)
    visible = np.zeros((16, 16), bool)
    visible[0] = True
    found = recipe_for("adaptive").network_input(scene, visible)
    assert np.isfinite(found).all()
    assert found[3, 3, 0] == 0
    assert (found[5, 5, 4:8] != 0).all(), "the network is told that the mask doubts them"
    assert (recipe_for("small").network_input(scene, visible)[5, 5, 4:8] == 0).all()
    assert (found[5, 5, :4] != 0).all()
    assert (found[6, 6, 4:8] != 0).all(), "snow lies on the ground"
    seen_t0 = recipe_for("adaptive").described
    np.testing.assert_array_equal(found[..., seen_t0], sky_t0 != Sky.SHADOW)
    assert (found[1:, :, seen_t0 + 1 :] == 0).all()
    assert (found[0, :, -1] == 1).all()


def test_radar_is_told_as_means_over_windows_too() -> None:
    inputs = SCENE.inputs.copy()
    inputs[3, 3, 0] = STORED_NODATA
    recipe = recipe_for("adaptive", **{"inputs.radar_means": [3, 7]})
    assert recipe.described == 8 + 2 * 4
    found = recipe.network_input(SCENE._replace(inputs=inputs), ALL)
    around = found[2:5, 2:5, :4].reshape(9, 4)
    np.testing.assert_allclose(found[3, 3, 9:12], around[:, 1:].mean(axis=0), atol=1e-5)
    assert found[3, 3, 8] == pytest.approx(np.delete(around[:, 0], 4).mean(), abs=1e-5), "no data do not count"
    np.testing.assert_allclose(found[8, 8, 12:16], found[5:12, 5:12, :4].mean(axis=(0, 1)), atol=1e-5)
    assert recipe_for("adaptive", "optical").radar_means == ()


def test_what_lies_under_real_clouds_never_reaches_the_network() -> None:
    recipe, hidden = recipe_for("adaptive"), ~SCENE.seen_t1
    assert hidden.any()
    other = SCENE._replace(target=np.where(hidden[..., None], 7000, SCENE.target).astype(np.int16))
    one, two = (recipe.network_input(scene, scene.seen_t1) for scene in (SCENE, other))
    np.testing.assert_array_equal(one, two)


def test_values_are_scaled_as_the_dataset_says() -> None:
    found = recipe_for("small").network_input(SCENE, ALL)
    expected = scale(physical(SCENE.inputs, channels()[0]), channels()[0], SCALERS)
    seen = SCENE.seen_t0
    np.testing.assert_allclose(found[seen], expected[seen], atol=2e-5)
    assert found.dtype == np.float32
    row, col = 12, 12
    assert found[row, col, 1] == pytest.approx((SCENE.inputs[row, col, 1] * 0.01 + 17.5) / 2.5 * 0.2, abs=1e-5)
    assert found[row, col, 7] == pytest.approx((SCENE.inputs[row, col, 7] * 1e-4 - 0.26) / 0.06 * 0.142, abs=1e-5)


def test_what_is_told_comes_back_as_reflectance() -> None:
    recipe = recipe_for("small")
    clear = SCENE.target[SCENE.seen_t1]
    np.testing.assert_allclose(recipe.reflectance(recipe.scaled_target(clear)), clear * 1e-4, atol=1e-6)


def test_a_change_needs_every_band_of_the_first_date() -> None:
    inputs, bands = channels()
    with pytest.raises(StepError) as caught:
        recipe_of(inputs[:-1], bands, SCALERS, "all", load_config("small", {}))
    assert caught.value.code == "bad_config"
    with pytest.raises(StepError) as caught:
        recipe_of(inputs[4:], bands, SCALERS, "radar", load_config("small", {}))
    assert caught.value.code == "bad_dataset"
