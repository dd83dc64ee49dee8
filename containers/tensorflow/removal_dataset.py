"""The HDF5 file of tiles (docs/cloud_removal.md) as training sees it: one tile is read at a time."""

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import h5py
import numpy as np
from pydantic import TypeAdapter, ValidationError

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.scalers import Channel, Scaler
from containers.tensorflow.recipe import Scene

PARTS: Final = ("train", "validation", "test")
_ARRAYS: Final = ("inputs", "target", "sky_t0", "sky_t1", "ids")
_HINT: Final = "Make the dataset again with this release."


class Part:
    """The tiles of one part."""

    def __init__(self, group: Any, name: str, positions: list[int] | None = None) -> None:
        self._group, self.name, self._positions = group, name, positions

    def __len__(self) -> int:
        return int(self._group["inputs"].shape[0])

    def seeing(self, positions: list[int]) -> "Part":
        """The same tiles with these input channels alone."""
        return Part(self._group, self.name, positions)

    def scene(self, index: int) -> Scene:
        inputs = self._group["inputs"][index]
        return Scene(
            inputs=inputs if self._positions is None else inputs[..., self._positions],
            target=self._group["target"][index],
            sky_t0=self._group["sky_t0"][index],
            sky_t1=self._group["sky_t1"][index],
        )

    def sky_t1(self, index: int) -> Any:
        return self._group["sky_t1"][index]

    def id(self, index: int) -> str:
        value = self._group["ids"][index]
        return value.decode() if isinstance(value, bytes) else str(value)


class RemovalDataset:
    """An open dataset. Raises `corrupt_file` where it is no HDF5 file, `bad_dataset` where it is none of this layout
    or a part has no tiles."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = h5py.File(path, "r")
        except OSError as error:
            raise StepError("corrupt_file", f"{path.name} is not readable: {error}", _HINT) from error
        try:
            attributes = self._file.attrs
            self.channels = TypeAdapter(tuple[Channel, ...]).validate_json(attributes["channels"])
            self.bands = TypeAdapter(tuple[Channel, ...]).validate_json(attributes["bands"])
            self.scalers = TypeAdapter(dict[str, Scaler]).validate_json(attributes["scalers"])
            self.grid = Grid.model_validate_json(attributes["grid"])
            self.tile_px, self.simulated = int(attributes["tile_px"]), bool(attributes["simulated"])
            self.parts = {name: Part(self._file[name], name) for name in PARTS}
            self._check()
        except (KeyError, ValidationError, json.JSONDecodeError) as error:
            self._file.close()
            raise StepError("bad_dataset", f"{path.name} lacks what a dataset has: {error}", _HINT) from error
        except StepError:
            self._file.close()
            raise

    def __enter__(self) -> "RemovalDataset":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def _check(self) -> None:
        """Shapes and dtypes of every array agree with the attributes; no part is empty; scalers know every group."""
        edge = (self.tile_px, self.tile_px)
        for name, part in self.parts.items():
            group = self._file[name]
            count = len(part)
            if not count:
                raise StepError(
                    "bad_dataset", f"The part {name} has no tiles.", "Use a larger area, smaller tiles or other shares."
                )
            shapes = {"inputs": (*edge, len(self.channels)), "target": (*edge, len(self.bands)), "ids": ()}
            for array in _ARRAYS:
                expected = (count, *shapes.get(array, edge))
                if group[array].shape != expected:
                    raise StepError(
                        "bad_dataset", f"{name}/{array} has the shape {group[array].shape}, not {expected}.", _HINT
                    )
        groups = {channel.group for channel in (*self.channels, *self.bands)}
        if unknown := sorted(groups - set(self.scalers)):
            raise StepError("bad_dataset", f"There is no scaler for {', '.join(unknown)}.", _HINT)
        for name in groups:
            scaler = self.scalers[name]
            if not np.isfinite([scaler.centre, scaler.spread, scaler.factor]).all():
                raise StepError("bad_dataset", f"The scaler {name} is not finite: {scaler}.", _HINT)
