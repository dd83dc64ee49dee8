"""What the dataset holds and how it describes itself: the layout of docs/cloud_removal.md."""

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from containers.base.contract.legend import REFLECTANCE_SCALE
from containers.base.decibel import DB_SCALE
from containers.base.scalers import STORED_NODATA, Channel, Scaler
from containers.gdal.chunks import DEFLATE_LEVEL
from containers.gdal.contract.dataset import DatasetParams
from containers.gdal.scaler_fit import RADAR_UNIT
from containers.gdal.tile_table import Tile

LAYOUT_VERSION: Final = 1
LAYERS: Final = ("inputs", "target", "sky_t0", "sky_t1")


def channels_of(polarisations: Sequence[str], bands: Sequence[Channel]) -> tuple[Channel, ...]:
    """What the network sees: radar of both dates, then the optical image of the first."""
    radar = tuple(
        Channel(name=f"{polarisation}_{date}", group=polarisation, date=date, scale=DB_SCALE, unit=RADAR_UNIT)
        for date in ("t0", "t1")
        for polarisation in polarisations
    )
    return (*radar, *(band.model_copy(update={"name": f"{band.name}_t0", "date": "t0"}) for band in bands))


def bands_of(names: Sequence[str], optical_groups: Sequence[Sequence[str]] = ()) -> tuple[Channel, ...]:
    """What it must tell: the optical image of the second date, in these bands."""
    groups = {name: name for name in names}
    for group in optical_groups:
        present = [name for name in group if name in groups]
        groups |= dict.fromkeys(present, "_".join(present))
    return tuple(Channel(name=name, group=groups[name], date="t1", scale=REFLECTANCE_SCALE, unit="1") for name in names)


class Axes(NamedTuple):
    """What the last axes of inputs and target are."""

    channels: tuple[Channel, ...]
    bands: tuple[Channel, ...]

    @classmethod
    def of(cls, params: DatasetParams) -> "Axes":
        bands = bands_of(params.bands, params.scaling.optical_groups)
        return cls(channels_of(params.polarisations, bands), bands)


def create_part(file: Any, part: str, tiles: Sequence[Tile], size: int, depths: dict[str, int]) -> None:
    """The group of one part: empty layers, one chunk per tile, and where its tiles lie. `depths` are of last axes."""
    group = file.create_group(part)
    for layer in LAYERS:
        axes = (size, size, depths[layer]) if layer in depths else (size, size)
        group.create_dataset(
            layer,
            shape=(len(tiles), *axes),
            dtype="int16" if layer in depths else "uint8",
            chunks=(1, *axes),
            compression="gzip",
            compression_opts=DEFLATE_LEVEL,
            shuffle=True,
            fillvalue=STORED_NODATA if layer in depths else 0,
        )
    for name, values in (("ids", "id"), ("pairs", "pair"), ("blocks", "block")):
        group[name] = np.array([getattr(tile, values).encode() for tile in tiles])
    for name, values in (("rows", "row_px"), ("cols", "col_px")):
        group[name] = np.array([getattr(tile, values) for tile in tiles], np.int32)


def describe(file: Any, params: DatasetParams, scalers: dict[str, Scaler], filled: dict[str, int]) -> None:
    channels, bands = Axes.of(params)
    radars = [radar for pair in params.pairs for radar in (pair.radar_t0, pair.radar_t1)]
    file.attrs.update(
        {
            "clearground_dataset": LAYOUT_VERSION,
            "channels": json.dumps([channel.model_dump() for channel in channels]),
            "bands": json.dumps([band.model_dump() for band in bands]),
            "scalers": json_of(scalers),
            "scaling": params.scaling.model_dump_json(),
            "grid": params.grid.model_dump_json(),
            "tile_px": params.tile_px,
            "nodata": STORED_NODATA,
            "filled_cells": json.dumps(filled),
            "simulated": int(params.simulated or any(radar.simulated for radar in radars)),
        }
    )


def json_of(scalers: dict[str, Scaler]) -> str:
    return json.dumps({group: scaler.model_dump() for group, scaler in scalers.items()}, indent=1)
