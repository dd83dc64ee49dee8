"""How a network is built and trained: the YAML files of `networks/`, and keys that a run sets otherwise."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from containers.base.contract.model import Contract
from containers.base.contract.step import StepError

FOLDER: Final = Path(__file__).with_name("networks")
Count = Annotated[int, Field(ge=1, le=4096)]
Convolution = tuple[Count, Literal[1, 3, 5, 7]]
"""Filters and the edge of the kernel."""


class GeneratorConfig(Contract):
    output: Literal["linear", "tanh"] = Field(description="Activation of the last layer")
    residual: bool = Field(description="Predict the change from the image that is known, not the image itself")
    regression: bool = Field(
        description="Of a residual network: where the second date is hidden, what is known is a linear regression on "
        "all channels, fitted to the training tiles and then learnt further; else the first date"
    )


class ResnetConfig(GeneratorConfig):
    """Residual blocks at full resolution."""

    kind: Literal["resnet"]
    before: tuple[Convolution, ...] = Field(min_length=1, description="Convolutions before the blocks: filters, kernel")
    blocks: int = Field(ge=1, le=64, description="Residual blocks")
    filters: int = Field(ge=1, le=1024, description="Filters in the blocks; those of the last convolution before")
    after: tuple[Convolution, ...] = Field(description="Convolutions after the blocks: filters, kernel")
    dropout: float = Field(ge=0, lt=1, description="Share of a block's values that is dropped in training")
    momentum: float = Field(ge=0, lt=1, description="Momentum of batch normalisation")

    @model_validator(mode="after")
    def _blocks_fit(self) -> Self:
        if self.before[-1][0] != self.filters:
            raise ValueError(f"filters={self.filters} of the blocks differ from before's last {self.before[-1][0]}")
        return self

    @property
    def multiple_px(self) -> int:
        """Edges of windows are multiples of this."""
        return 1


class UnetConfig(GeneratorConfig):
    """Residual blocks on the way down and up, with skips."""

    kind: Literal["unet"]
    filters: tuple[Count, ...] = Field(min_length=1, max_length=6, description="Filters of each level on the way down")
    bottleneck: int = Field(ge=1, le=2048, description="Filters at the bottom")

    @property
    def multiple_px(self) -> int:
        """Edges of windows are multiples of this."""
        return 1 << len(self.filters)


class InputsConfig(Contract):
    radar_means: tuple[Annotated[int, Field(ge=3, le=255)], ...] = Field(
        description="Backscatter is told as means over windows with these edges, too, in cells, odd: one cell's is "
        "mostly speckle"
    )
    seen_t0: bool = Field(description="A channel says where the first date was seen; hidden cells then count, too")
    visible_t1: bool = Field(
        description="The network sees what is visible at the second date; in training, clouds of other tiles hide "
        "more of it"
    )

    @model_validator(mode="after")
    def _centred(self) -> Self:
        if even := [edge for edge in self.radar_means if edge % 2 == 0]:
            raise ValueError(f"radar_means={even} are even: a window has its cell in the middle")
        return self


class LossConfig(Contract):
    l1: float = Field(ge=0, description="Weight of the mean absolute error")
    l2: float = Field(ge=0, description="Weight of the mean squared error, which counts large errors more")
    hidden_weight: float = Field(gt=0, description="Weight of cells whose second date the network does not see")
    visible_weight: float = Field(ge=0, description="Weight of cells whose second date it sees")
    change_weight: float = Field(
        ge=0,
        description="A cell's weight is multiplied by 1 + this · its change since the first date, the mean over bands "
        "of the absolute difference in tenths of reflectance; 0: cells weigh alike",
    )


class AdversarialConfig(Contract):
    """A discriminator that is trained beside the generator."""

    filters: tuple[Count, ...] = Field(min_length=2, max_length=8, description="Filters of its layers; the last is 1")
    strides: tuple[Literal[1, 2], ...] = Field(min_length=2, max_length=8, description="Strides of its layers")
    weight: float = Field(gt=0, description="Weight of its judgement in the generator's loss")
    real_labels: tuple[float, float] = Field(description="Range that the label of real images is drawn from")
    fake_labels: tuple[float, float] = Field(description="Range that the label of predicted images is drawn from")
    noise: float = Field(ge=0, le=10, description="Standard deviation of the noise on what it sees, at first")
    noise_decay: float = Field(ge=0, le=1, description="What it is multiplied by")
    noise_epochs: int = Field(ge=1, description="Epochs between two decays")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.filters) != len(self.strides) or self.filters[-1] != 1:
            raise ValueError(f"filters={self.filters} and strides={self.strides} must be as many, filters end with 1")
        for name in ("real_labels", "fake_labels"):
            low, high = getattr(self, name)
            if not 0 <= low <= high <= 1:
                raise ValueError(f"{name}={low, high} is no range between 0 and 1")
        return self

    def noise_at(self, epoch: int) -> float:
        """Standard deviation of the noise in an epoch, the first being 0."""
        return float(self.noise * self.noise_decay ** (epoch // self.noise_epochs))


class OptimizerConfig(Contract):
    """Adam (Kingma and Ba 2015, arXiv 1412.6980)."""

    learning_rate: float = Field(gt=0, le=1, description="First step size")
    beta_1: float = Field(ge=0, lt=1, description="Decay of the mean gradient")
    beta_2: float = Field(ge=0, lt=1, description="Decay of the mean squared gradient")
    schedule: Literal["constant", "cosine"] = Field(description="cosine: steps shrink to nothing over all epochs")
    clip_norm: float | None = Field(gt=0, description="Largest norm of the whole gradient; null: any")


class AugmentationConfig(Contract):
    flips: bool = Field(description="Half of the tiles are mirrored")
    rotations: bool = Field(description="Tiles are turned by quarters")
    hide_all: float = Field(
        ge=0, le=1, description="Share of tiles whose second date is hidden whole, where the network sees it"
    )


class TrainingConfig(Contract):
    epochs: int = Field(ge=1, le=100_000, description="Epochs at most")
    batch: int = Field(ge=1, le=1024, description="Tiles per step, on every device together")
    patience: int | None = Field(ge=1, description="Epochs without a better validation before it stops; null: all")
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = Field(description="Numbers of the layers")
    devices: Literal["one", "all"] = Field(description="all: batches are split over every GPU of the machine")
    picture_interval: int = Field(ge=1, description="Epochs between two pictures of validation tiles")


class RemovalConfig(Contract):
    """One file of `networks/`. Every key is given there, so that nothing is set in silence."""

    network: ResnetConfig | UnetConfig = Field(discriminator="kind")
    inputs: InputsConfig
    loss: LossConfig
    adversarial: AdversarialConfig | None
    optimizer: OptimizerConfig
    augmentation: AugmentationConfig
    training: TrainingConfig


def load_config(preset: str, overrides: Mapping[str, Any]) -> RemovalConfig:
    """A preset with keys set otherwise, nested or dotted (`training.epochs`). Raises `bad_config`."""
    settings = yaml.safe_load((FOLDER / f"{preset}.yaml").read_text())
    for key, value in overrides.items():
        settings = _merged(settings, _nested(key, value))
    try:
        return RemovalConfig.model_validate(settings)
    except ValidationError as error:
        reasons = "; ".join(_reason(each, settings) for each in error.errors())
        raise StepError("bad_config", f"{preset} with its overrides: {reasons}.", "See docs/networks.md.") from error


def _nested(key: str, value: Any) -> dict[str, Any]:
    first, _, rest = key.partition(".")
    return {first: _nested(rest, value) if rest else value}


def _merged(settings: Any, changes: Any) -> Any:
    """Nested settings with changes; those of another kind of network replace the section whole."""
    if not isinstance(settings, dict) or not isinstance(changes, dict):
        return changes
    if "kind" in changes and changes["kind"] != settings.get("kind"):
        return changes
    return settings | {key: _merged(settings.get(key), value) for key, value in changes.items()}


def _reason(error: Mapping[str, Any], settings: Any) -> str:
    path = [str(part) for part in error["loc"] if part not in ("resnet", "unet")]
    if error["type"] != "extra_forbidden":
        return f"{'.'.join(path) or 'the whole'}={error['input']!r}: {error['msg']}"
    return f"unknown key {'.'.join(path)}; allowed are {', '.join(_allowed(path[:-1], settings))}"


def _allowed(path: list[str], settings: Any) -> list[str]:
    """Keys of the section that a path of names leads to."""
    if not path:
        return list(RemovalConfig.model_fields)
    sections = {
        "network": UnetConfig if settings["network"].get("kind") == "unet" else ResnetConfig,
        "inputs": InputsConfig,
        "loss": LossConfig,
        "adversarial": AdversarialConfig,
        "optimizer": OptimizerConfig,
        "augmentation": AugmentationConfig,
        "training": TrainingConfig,
    }
    return list(sections[path[0]].model_fields)
