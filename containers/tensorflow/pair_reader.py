"""A pair of dates as the network sees it, read in rows over the full width."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.pair import Pair
from containers.base.contract.step import StepError
from containers.base.decibel import GAP_PX, filled_gaps, to_decibel
from containers.base.raster import grown, read_band
from containers.base.step import local_path
from containers.tensorflow.recipe import Recipe, Scene


class PairReader(NamedTuple):
    """Files of a pair by the names of channels and bands."""

    channels: Mapping[str, Path]
    radar: frozenset[str]
    """Those channels that hold linear power."""
    bands: Mapping[str, Path]
    sky_t0: Path
    sky_t1: Path
    shape: tuple[int, int]

    def scene(self, row: int, rows: int) -> Scene:
        """The stored values of so many rows, as in a dataset."""
        window = Window(0, row, self.shape[1], rows)
        channels = [
            self._decibel(path, window) if name in self.radar else read_band(path, window)
            for name, path in self.channels.items()
        ]
        return Scene(
            inputs=np.stack(channels, axis=-1),
            target=np.stack([read_band(path, window) for path in self.bands.values()], axis=-1),
            sky_t0=read_band(self.sky_t0, window),
            sky_t1=read_band(self.sky_t1, window),
        )

    def _decibel(self, path: Path, window: Window) -> NDArray[np.int16]:
        """Backscatter with narrow gaps closed, for which rows around are looked at."""
        wider, inner = grown(window, GAP_PX + 1, self.shape)
        return to_decibel(filled_gaps(read_band(path, wider))[inner])


def pair_reader(pair: Pair, recipe: Recipe, shape: tuple[int, int]) -> PairReader:
    """The files that a recipe asks for. Raises `bad_model` where the pair lacks one."""
    files = {f"{name}_t0": file for name, file in pair.optical_t0.bands.items()}
    radar = {
        f"{polarisation}_{date}": file
        for date, image in (("t0", pair.radar_t0), ("t1", pair.radar_t1))
        for polarisation, file in image.bands.items()
    }
    found = files | radar
    _require([channel.name for channel in recipe.channels], found)
    _require([band.name for band in recipe.bands], pair.optical_t1.bands)
    return PairReader(
        channels={channel.name: local_path(found[channel.name]) for channel in recipe.channels},
        radar=frozenset(radar),
        bands={band.name: local_path(pair.optical_t1.bands[band.name]) for band in recipe.bands},
        sky_t0=local_path(pair.optical_t0.sky),
        sky_t1=local_path(pair.optical_t1.sky),
        shape=shape,
    )


def _require(names: list[str], found: Mapping[str, object]) -> None:
    if missing := [name for name in names if name not in found]:
        raise StepError(
            "bad_model",
            f"The model needs {', '.join(names)}; the pair has {', '.join(sorted(found))}: no {', '.join(missing)}.",
            "Make the pair with the model's bands and polarisations, or train a model with these.",
        )
