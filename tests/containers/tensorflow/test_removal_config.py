"""Configurations: every key is known, given and in its range."""

from typing import Any

import pytest
import yaml

from containers.base.contract.step import StepError
from containers.tensorflow.contract.removal import TrainRemovalParams
from containers.tensorflow.removal_config import FOLDER, RemovalConfig, load_config

PRESETS = ("reference", "small", "adaptive")


def refusal(preset: str, overrides: dict[str, Any]) -> str:
    with pytest.raises(StepError) as caught:
        load_config(preset, overrides)
    assert caught.value.code == "bad_config"
    return caught.value.reason


def test_the_step_declares_every_preset_as_data() -> None:
    assert set(TrainRemovalParams.data_files) == {f"networks/{path.name}" for path in FOLDER.glob("*.yaml")}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_gives_every_key_once(preset: str) -> None:
    text = (FOLDER / f"{preset}.yaml").read_text()
    config = RemovalConfig.model_validate(yaml.safe_load(text))
    assert load_config(preset, {}) == config
    nodes = [yaml.compose(text)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, yaml.MappingNode):
            names = [key.value for key, _ in node.value]
            assert len(names) == len(set(names)), f"{names} repeats a key"
            nodes += [value for _, value in node.value]


def test_the_reference_trains_as_the_reference_did() -> None:
    config = load_config("reference", {})
    assert (config.optimizer.learning_rate, config.optimizer.beta_1, config.loss.l1) == (1e-4, 0.5, 100)
    assert config.adversarial is not None
    assert [config.adversarial.noise_at(epoch) for epoch in (0, 9, 10, 25)] == [0.5, 0.5, 0.25, 0.125]


def test_overrides_are_nested_or_dotted_and_touch_nothing_else() -> None:
    nested = load_config("small", {"training": {"epochs": 3}, "network.filters": [4, 8]})
    dotted = load_config("small", {"training.epochs": 3, "network": {"filters": [4, 8]}})
    plain = load_config("small", {})
    assert nested == dotted
    assert nested.network.model_copy(update={"filters": plain.network.filters}) == plain.network
    assert nested.training == plain.training.model_copy(update={"epochs": 3})
    assert load_config("reference", {"adversarial": None}).adversarial is None


def test_another_kind_of_network_brings_all_its_keys() -> None:
    unet = {"kind": "unet", "filters": [4], "bottleneck": 8, "output": "tanh", "residual": False, "regression": False}
    assert load_config("reference", {"network": unet}).network.model_dump(mode="json") == unet
    assert "network.bottleneck" in refusal("reference", {"network": {"kind": "unet", "filters": [4]}})


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"trainning": {"epochs": 1}}, ("trainning", "training")),
        ({"training.epoch": 1}, ("training.epoch", "epochs", "picture_interval")),
        ({"network.blocks": 2}, ("network.blocks", "bottleneck")),
        ({"optimizer": {"lr": 1}}, ("optimizer.lr", "learning_rate")),
    ],
)
def test_an_unknown_key_is_named_with_those_allowed(overrides: dict[str, Any], told: tuple[str, ...]) -> None:
    reason = refusal("small", overrides)
    assert "unknown key" in reason
    assert all(word in reason for word in told)


@pytest.mark.parametrize(
    ("preset", "overrides", "told"),
    [
        ("small", {"training.epochs": 0}, "training.epochs=0"),
        ("small", {"optimizer.learning_rate": "fast"}, "optimizer.learning_rate='fast'"),
        ("small", {"network.filters": [0]}, "network.filters"),
        ("small", {"network.kind": "transformer"}, "network"),
        ("small", {"training": 5}, "training=5"),
        ("small", {"network": None}, "network"),
        ("reference", {"adversarial.real_labels": [1.0, 0.5]}, "real_labels"),
        ("reference", {"adversarial.strides": [2, 2]}, "strides"),
        ("reference", {"network.filters": 8}, "before"),
        ("small", {"inputs.radar_means": [5, 8]}, "[8] are even"),
        ("small", {"inputs.radar_means": [1]}, "inputs.radar_means"),
        ("small", {"loss.change_weight": -1.0}, "loss.change_weight=-1.0"),
    ],
)
def test_a_value_out_of_range_is_named(preset: str, overrides: dict[str, Any], told: str) -> None:
    assert told in refusal(preset, overrides)
