"""What a network sees: channels in their order, made the same way in training and in prediction."""

from collections.abc import Sequence
from typing import Final, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import Sky
from containers.base.contract.model import Contract
from containers.base.contract.radar import Polarisation
from containers.base.contract.step import StepError
from containers.base.scalers import STORED_NODATA, Channel, Scaler, Scalers, unscale
from containers.tensorflow.contract.removal import Inputs
from containers.tensorflow.local_mean import local_mean
from containers.tensorflow.removal_config import RemovalConfig

SEEN: Final = (Sky.CLEAR, Sky.SNOW)
"""Sky classes through which the ground is seen."""
_IS_SEEN: Final = np.isin(np.arange(256), SEEN)
"""By class: a look-up, since every tile of every batch asks."""


class Scene(NamedTuple):
    """Stored values of a tile or a strip: inputs int16 (y, x, channel), the image of t1 int16 (y, x, band), and sky
    classes of both dates uint8 (y, x)."""

    inputs: NDArray[np.int16]
    target: NDArray[np.int16]
    sky_t0: NDArray[np.uint8]
    sky_t1: NDArray[np.uint8]

    def upper(self, rows: int) -> "Scene":
        """The first so many rows."""
        return Scene(self.inputs[:rows], self.target[:rows], self.sky_t0[:rows], self.sky_t1[:rows])

    @property
    def seen_t0(self) -> NDArray[np.bool_]:
        return _IS_SEEN[self.sky_t0]

    @property
    def seen_t1(self) -> NDArray[np.bool_]:
        """Where the image of t1 shows the ground in every band."""
        seen: NDArray[np.bool_] = _IS_SEEN[self.sky_t1] & (self.target != STORED_NODATA).all(axis=-1)
        return seen

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where every input channel holds data."""
        known: NDArray[np.bool_] = (self.inputs != STORED_NODATA).all(axis=-1)
        return known


class Recipe(Contract):
    """What the network sees, in this order: `channels`; means of the radar channels around the cell, by window; where
    t0 was seen; the bands of t1 where they are visible, else 0, and where they are. All scaled; 0 stands for what is
    hidden or holds no data.

    A network that is told where t0 was seen has its values elsewhere, too: masks take bright ground for clouds.
    """

    channels: tuple[Channel, ...]
    bands: tuple[Channel, ...]
    scalers: dict[str, Scaler]
    radar_means: tuple[int, ...]
    seen_t0: bool
    visible_t1: bool
    residual: bool
    regression: bool

    @property
    def width(self) -> int:
        """Channels of the network."""
        return self.described + self.seen_t0 + (len(self.bands) + 1) * self.visible_t1

    @property
    def described(self) -> int:
        """Leading channels that describe the cell's ground: `channels` and means."""
        return len(self.channels) + len(self.radar_means) * len(self.radar)

    @property
    def radar(self) -> tuple[int, ...]:
        """Positions of backscatter among the channels."""
        return tuple(at for at, channel in enumerate(self.channels) if is_radar(channel))

    @property
    def optical(self) -> tuple[int, ...]:
        """Positions of the bands of t0 among the channels, in the order of `bands`."""
        names = [channel.name for channel in self.channels]
        return tuple(names.index(f"{band.name}_t0") for band in self.bands if f"{band.name}_t0" in names)

    def network_input(self, scene: Scene, visible: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Scene, whose inputs are this recipe's channels, to float32 (y, x, width)."""
        values = _scaled(scene.inputs, self.channels, self.scalers)
        parts = [values, *self._radar_means(scene, values)]
        if self.seen_t0:
            parts.append(scene.seen_t0[..., None].astype(np.float32))
        else:
            values[..., list(self.optical)] *= scene.seen_t0[..., None]
        if self.visible_t1:
            parts += [self.scaled_target(scene.target) * visible[..., None], visible[..., None].astype(np.float32)]
        return np.concatenate(parts, axis=-1)

    def _radar_means(self, scene: Scene, values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        radar = list(self.radar)
        known = scene.inputs[..., radar] != STORED_NODATA
        return [local_mean(values[..., radar], known, edge) for edge in self.radar_means]

    def scaled_target(self, target: NDArray[np.int16]) -> NDArray[np.float32]:
        """Stored reflectance (…, band) as the network tells it; 0 where there is no data."""
        return _scaled(target, self.bands, self.scalers)

    def reflectance(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the network tells (…, band) in reflectance."""
        return unscale(scaled, self.bands, self.scalers)


def recipe_of(
    channels: Sequence[Channel], bands: Sequence[Channel], scalers: Scalers, inputs: Inputs, config: RemovalConfig
) -> Recipe:
    """The recipe of a configuration. An ablation drops channels: `radar` must not see any optical image, not even as
    what the change is added to; `optical` no radar. Raises `bad_config`."""
    kept = tuple(channel for channel in channels if inputs == "all" or is_radar(channel) == (inputs == "radar"))
    sees_optical = inputs != "radar"
    recipe = Recipe(
        channels=kept,
        bands=tuple(bands),
        scalers=dict(scalers),
        radar_means=config.inputs.radar_means if inputs != "optical" else (),
        seen_t0=config.inputs.seen_t0 and sees_optical,
        visible_t1=config.inputs.visible_t1 and sees_optical,
        residual=config.network.residual and (sees_optical or config.network.regression),
        regression=config.network.residual and config.network.regression,
    )
    if not kept:
        raise StepError("bad_dataset", f"The dataset has no channels for inputs={inputs}.", "Choose other inputs.")
    if recipe.residual and not recipe.regression and len(recipe.optical) < len(bands):
        raise StepError(
            "bad_config", "network.residual needs every band of the target at t0.", "Set network.residual to false."
        )
    return recipe


def is_radar(channel: Channel) -> bool:
    """Backscatter, not reflectance."""
    return channel.name.partition("_")[0] in get_args(Polarisation)


def _scaled(values: NDArray[np.int16], channels: Sequence[Channel], scalers: Scalers) -> NDArray[np.float32]:
    """Scaled values as `containers.base.scalers` gives them, in one pass of float32, since every tile of every batch
    comes through here; 0, the centre, where there is no data. What is no number stays none."""
    own = [scalers[channel.group] for channel in channels]
    slope = [channel.scale * each.factor / each.spread for channel, each in zip(channels, own, strict=True)]
    offset = [each.centre * each.factor / each.spread for each in own]
    limit = np.array([each.clip or np.inf for each in own], np.float32)
    scaled = values.astype(np.float32) * np.array(slope, np.float32) - np.array(offset, np.float32)
    np.clip(scaled, -limit, limit, out=scaled)
    scaled[values == STORED_NODATA] = 0
    return scaled
