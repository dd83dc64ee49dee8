"""How hard an archive makes it to tell what lies under the cloud, and what burned.

`python -m containers.eodata.removal_hardness ARCHIVE` prints the figures as JSON.
"""

import json
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import rasterio
from scipy.stats import rankdata

from containers.base.contract.radar import Polarisation
from containers.base.sentinel2 import QUANTIFICATION
from containers.eodata.acquisitions import Acquisition
from containers.eodata.camera import MARGIN
from containers.eodata.contract.scenario import RadarDate
from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.cover import Cover
from containers.eodata.landscape import landscape
from containers.eodata.noise import FloatArray
from containers.eodata.place import FINE_M, PIXEL_M, tile_grid
from containers.eodata.product import cell_m, image_path
from containers.eodata.radar_dates import radar_ground
from containers.eodata.scar import BURNED_FROM
from containers.eodata.scenario import Scenario, empty_world
from containers.eodata.scl import Scl
from containers.eodata.traps import planned
from containers.eodata.world import World

BoolArray = npt.NDArray[np.bool_]
LOOKS: Final = 4.4
FILTERED_LOOKS: Final = 20.0
"""Equivalent looks of a product, and about those that a speckle filter leaves."""
_HIDING: Final = (Scl.SHADOW, Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH, Scl.CIRRUS)
_CLEAR: Final = 0.05
_WOODS: Final = (Cover.CONIFER, Cover.BROADLEAF)


class Ground(NamedTuple):
    """What the simulator knows of the tile's cells of 10 m: (row, column)."""

    cover: npt.NDArray[np.uint8]
    severity: FloatArray
    before: dict[Polarisation, FloatArray]
    """Gamma nought of both polarisations in dB, with speckle, of the radar pass that belongs to t0."""
    after: dict[Polarisation, FloatArray]


@dataclass(frozen=True)
class Removal:
    """An archive of chosen dates before and after a fire, as `simulate` has left it."""

    folder: Path
    params: ArchiveParams

    @classmethod
    def at(cls, folder: Path) -> "Removal":
        record = json.loads((folder / "simulation.json").read_text())
        return cls(folder, ArchiveParams.model_validate(record["parameters"]))

    def dates(self) -> tuple[Acquisition, Acquisition]:
        """The last clear image before the fire, and the one whose clouds hide most of the scar."""
        fire, chosen = self.params.fire, self.params.optical_dates
        if not fire or not chosen:
            raise ValueError(f"{self.folder} has no fire between chosen dates")
        early = max(each.day for each in chosen if each.day <= fire.day and each.hidden < _CLEAR)
        last = max(chosen, key=lambda each: (each.scar_hidden, each.day)).day
        at = {each.start.date(): each for each in planned(self.params)[0]}
        return at[early], at[last]

    def image(self, acquisition: Acquisition) -> FloatArray:
        """Reflectance of the bands of the clear image, in their order: (band, row, column)."""
        bands = ("B02_10m", "B03_10m", "B04_10m", "B08_10m", "B8A_20m", "B11_20m", "B12_20m")
        layers = []
        for asset in bands:
            with rasterio.open(self.folder / "eodata" / image_path(acquisition, asset)) as source:
                values = (source.read(1).astype(np.float32) + acquisition.offset_dn) / np.float32(QUANTIFICATION)
            scale = cell_m(asset) // FINE_M
            layers.append(values.repeat(scale, axis=0).repeat(scale, axis=1))
        return np.stack(layers)

    def clear(self, acquisition: Acquisition) -> FloatArray:
        """What the image would show without clouds: (band, row, column)."""
        values: FloatArray = self._read(f"truth/clear/{acquisition.name}.tif").astype(np.float32)
        return values / np.float32(QUANTIFICATION)

    def hidden(self, acquisition: Acquisition) -> BoolArray:
        """Cells under clouds, cirrus or shadow."""
        classes = self._read(f"truth/scenes/{acquisition.name}.tif")[0]
        scale = PIXEL_M // FINE_M
        return np.isin(classes, _HIDING).repeat(scale, axis=0).repeat(scale, axis=1)

    def burned(self) -> BoolArray:
        """Cells that burned."""
        burned: BoolArray = self._read("truth/fire.tif")[0] == 1
        return burned

    def ground(self, looks: float) -> Ground:
        """The landscape grown again, with radar of the passes that belong to both images."""
        early, last = self.dates()
        passes = common_passes(self.params.radar_dates or (), early.start, last.start)
        tile, scene = tile_grid(self.params, self.params.tiles[0]), landscape(self.params)
        inner = slice(MARGIN, -MARGIN)
        with TemporaryDirectory() as scratch:
            world, scenario = empty_world(self.params, Path(scratch)), Scenario.planned(self.params, scene)
            for window in world.windows():
                scenario.fill(world, scene, window)
            cover = world.under(tile, last.start.year, 0, tile.height).cover[inner, inner]
            severity = world.severity_under(tile, 0, tile.height)[inner, inner]
            at = world.nearest(tile, 0, tile.height)[inner, inner]
            before, after = (_speckled(world, self.params.seed, each, looks, at) for each in passes)
        return Ground(cover, severity, before, after)

    def _read(self, path: str) -> npt.NDArray[np.generic]:
        with rasterio.open(self.folder / path) as source:
            values: npt.NDArray[np.generic] = source.read()
        return values


def common_passes(dates: tuple[RadarDate, ...], *images: datetime) -> list[RadarDate]:
    """Whole passes of one track, nearest in time to each image."""
    sound = [each for each in dates if not each.damage]

    def nearest(track: int) -> list[RadarDate]:
        same = [each for each in sound if each.relative_orbit == track]
        return [min(same, key=lambda each: abs(each.start - image)) for image in images]

    def gaps(found: list[RadarDate]) -> float:
        return sum(abs((each.start - image).total_seconds()) for each, image in zip(found, images, strict=True))

    return min((nearest(track) for track in sorted({each.relative_orbit for each in sound})), key=gaps)


def _speckled(
    world: World, seed: int, date: RadarDate, looks: float, at: npt.NDArray[np.int64]
) -> dict[Polarisation, FloatArray]:
    random = np.random.default_rng(date.start.toordinal())
    found: dict[Polarisation, FloatArray] = {}
    for band, power in radar_ground(world, seed, date).gamma0.items():
        speckle = random.gamma(looks, 1 / looks, at.shape)
        found[band] = (10 * np.log10(power.reshape(-1)[at] * speckle)).astype(np.float32)
    return found


def auc(low: FloatArray, high: FloatArray) -> float:
    """Chance that a value of `high` is above one of `low` (Mann & Whitney 1947)."""
    ranks = rankdata(np.concatenate([high, low]))[: len(high)]
    return float((ranks.sum() - len(high) * (len(high) + 1) / 2) / (len(high) * len(low)))


def image_figures(archive: Removal) -> dict[str, float]:
    """What is hidden, and how wrong the earlier image is where it stands in for what is hidden."""
    early, last = archive.dates()
    hidden, burned = archive.hidden(last), archive.burned()
    error = np.abs(archive.image(early) - archive.clear(last))
    return {
        "hidden": float(hidden.mean()),
        "burned": float(burned.mean()),
        "scar_hidden": float(hidden[burned].mean()),
        "early_hidden": float(archive.hidden(early).mean()),
        "copy_mae_hidden": float(error[:, hidden].mean()),
        "copy_mae_hidden_scar": float(error[:, hidden & burned].mean()),
    }


def learning_figures(archive: Removal) -> dict[str, float]:
    """What a regression of each band on all channels, fitted where the image is clear, tells of hidden cells.

    Its radar is better than any that a product gives: no relief, no misregistration, and filtered speckle.
    """
    early, last = archive.dates()
    hidden, ground = archive.hidden(last), archive.ground(FILTERED_LOOKS)
    first, clear = archive.image(early), archive.clear(last)
    channels = [*first, *ground.before.values(), *ground.after.values(), np.ones(hidden.shape, np.float32)]
    stack = np.stack(channels).reshape(len(channels), -1).T.astype(np.float64)
    target, rows = clear.reshape(len(clear), -1).T, hidden.ravel()
    weights = np.linalg.lstsq(stack[~rows], target[~rows], rcond=None)[0]
    error, change = stack[rows] @ weights - target[rows], (clear - first).reshape(len(clear), -1).T[rows]
    return {
        "linear_mae_hidden": float(np.abs(error).mean()),
        "linear_explains_of_change": float(1 - (error**2).sum() / ((change - change.mean(axis=0)) ** 2).sum()),
    }


def radar_figures(archive: Removal) -> dict[str, float]:
    """How well VH after the fire alone tells burned from unburned woods, and by how much burned woods are darker."""
    ground = archive.ground(LOOKS)
    woods = np.isin(ground.cover, _WOODS)
    burned = woods & (ground.severity >= BURNED_FROM)
    spared = woods & ~burned
    changes = {
        f"{band}_change_db": float((after - ground.before[band])[burned].mean())
        - float((after - ground.before[band])[spared].mean())
        for band, after in ground.after.items()
    }
    filtered = archive.ground(FILTERED_LOOKS).after["vh"]
    return changes | {
        "vh_auc_product": auc(ground.after["vh"][burned], ground.after["vh"][spared]),
        "vh_auc_filtered": auc(filtered[burned], filtered[spared]),
    }


def figures(folder: Path) -> dict[str, float]:
    """All figures of an archive."""
    archive = Removal.at(folder)
    return {**image_figures(archive), **learning_figures(archive), **radar_figures(archive)}


if __name__ == "__main__":
    print(json.dumps(figures(Path(sys.argv[1])), indent=1))
