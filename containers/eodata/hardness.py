"""How hard a simulated archive is, in the figures by which real ones are known. Needs scikit-learn.

`python -m containers.eodata.hardness ARCHIVE` prints them as JSON.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import Resampling
from rasterio.transform import from_origin
from rasterio.vrt import WarpedVRT
from sklearn.ensemble import RandomForestClassifier

from containers.base.contract.grid import Grid
from containers.base.contract.legend import CLASSES, LandCover
from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.cover import LAND_COVER, S2GLC_CODES, land_cover
from containers.eodata.landscape import landscape
from containers.eodata.place import world_grid
from containers.eodata.product import image_path
from containers.eodata.scene import Scene
from containers.eodata.scl import Scl
from containers.eodata.traps import planned
from containers.eodata.truth import majority
from containers.eodata.world import World

ByteArray = npt.NDArray[np.uint8]

_JOB_BANDS: Final = ("B04_20m", "B11_20m", "B12_20m")
_BLOCK_PX: Final = 64
_TRAINING, _TESTED = 20_000, 40_000
_CLEAR: Final = (Scl.DARK, Scl.VEGETATION, Scl.NOT_VEGETATED, Scl.WATER, Scl.UNCLASSIFIED)
_GROUPS: Final = np.array([0, 1, 1, 2, 1, 1, 3, 1, 4, 4, 4, 5], dtype=np.uint8)
"""Scene class to what a user masks by: no data, clear land, shadow, water, cloud or cirrus, snow."""
_CLASS_OF_CODE: Final = np.array(
    [next((land_cover(c) for c, known in S2GLC_CODES.items() if known == code), 0) for code in range(256)],
    dtype=np.uint8,
)


@dataclass(frozen=True)
class Archive:
    """An archive folder as `simulate` has left it."""

    folder: Path

    @property
    def params(self) -> ArchiveParams:
        return ArchiveParams.model_validate(json.loads((self.folder / "simulation.json").read_text())["parameters"])

    @property
    def grid(self) -> Grid:
        return world_grid(self.params)

    def truth(self, year: int) -> ByteArray:
        with rasterio.open(self.folder / "truth" / f"{year}.tif") as source:
            values: ByteArray = source.read(1)
        return values

    def labels(self) -> ByteArray:
        """Training labels as a job would make them: class of each S2GLC code, by majority on 20 m."""
        with rasterio.open(self.folder / "labels" / f"s2glc_{self.params.years[0]}.tif") as source:
            return majority(_CLASS_OF_CODE[source.read(1)])

    def mosaic(self, paths: list[Path]) -> npt.NDArray[np.uint16]:
        """Images on the grid of the truth, nearest neighbour; the first one with data counts, 0 elsewhere."""
        grid = self.grid
        place = from_origin(grid.west_m, grid.north_m, grid.resolution_m, grid.resolution_m)
        whole = np.zeros(grid.shape, dtype=np.uint16)
        for path in paths:
            with (
                rasterio.open(path) as source,
                WarpedVRT(
                    source, crs=grid.epsg, transform=place, width=grid.width, height=grid.height, src_nodata=0,
                    nodata=0, resampling=Resampling.nearest,
                ) as warped,
            ):  # fmt: skip
                whole = np.where(whole == 0, warped.read(1), whole)
        return whole


def forest_figures(archive: Archive, bands: tuple[str, ...] = _JOB_BANDS) -> dict[str, float]:
    """A per-pixel forest on the clearest date of the first year, trained on wrong labels, tested on other blocks."""
    params = archive.params
    first = [each for each in planned(params)[0] if each.start.year == params.years[0] and each.in_archive]
    date = min(each.clouds for each in first if each.part == "whole" and each.clouds >= 0.02)
    chosen = [each for each in first if each.clouds == date]
    bucket = archive.folder / "eodata"
    image = np.stack(
        [archive.mosaic([bucket / image_path(each, band) for each in chosen]) for band in (*bands, "SCL_20m")]
    )
    truth, labels = archive.truth(params.years[0]), archive.labels()
    usable = np.isin(image[-1], _CLEAR) & (image[:-1] > 0).all(axis=0)
    training, tested = (
        _drawn(usable & ~_test_blocks(truth.shape), _TRAINING),
        _drawn(usable & _test_blocks(truth.shape), _TESTED),
    )
    pixels = image[:-1].reshape(len(bands), -1).T.astype(np.float32)
    forest = RandomForestClassifier(100, min_samples_leaf=5, n_jobs=-1, random_state=0)
    mapped = forest.fit(pixels[training], labels.ravel()[training]).predict(pixels[tested])
    true = truth.ravel()[tested]
    bare = (true == LandCover.GREEN) & (image[-1].ravel()[tested] == Scl.NOT_VEGETATED)
    figures = {
        "forest_accuracy": float((mapped == true).mean()),
        "bare_taken_for_impervious": float((mapped[bare] == LandCover.IMPERVIOUS).mean()),
    }
    for kind in CLASSES:
        both = (mapped == kind) & (true == kind)
        figures[f"forest_f1_{kind.name.lower()}"] = float(
            2 * both.sum() / ((mapped == kind).sum() + (true == kind).sum())
        )
    return figures


def _test_blocks(shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    rows, columns = (np.arange(length) // _BLOCK_PX for length in shape)
    blocks: npt.NDArray[np.bool_] = (rows[:, None] + 2 * columns[None, :]) % 4 == 0
    return blocks


def _drawn(mask: npt.NDArray[np.bool_], count: int) -> npt.NDArray[np.int64]:
    cells = np.flatnonzero(mask)
    return np.random.default_rng(0).choice(cells, min(count, len(cells)), replace=False)


def label_figures(archive: Archive) -> dict[str, float]:
    """Share of training labels that are wrong, and shares of the true classes."""
    truth = archive.truth(archive.params.years[0])
    figures = {"wrong_labels": float((archive.labels() != truth).mean())}
    return figures | {f"share_{kind.name.lower()}": float((truth == kind).mean()) for kind in CLASSES}


def scl_figures(archive: Archive) -> dict[str, float]:
    """Agreement of the scene classification with the truth over the cells of all scenes that are 10–90 % clouded."""
    right = right_groups = cells = shadows = found = 0
    for acquisition in planned(archive.params)[0]:
        if not acquisition.in_archive or not 0.1 <= acquisition.clouds <= 0.9:
            continue
        with rasterio.open(archive.folder / "eodata" / image_path(acquisition, "SCL_20m")) as source:
            mapped = source.read(1)
        with rasterio.open(archive.folder / "truth" / "scenes" / f"{acquisition.name}.tif") as source:
            true = source.read(1)
        cells += int((true > 0).sum())
        right += int(((mapped == true) & (true > 0)).sum())
        right_groups += int(((_GROUPS[mapped] == _GROUPS[true]) & (true > 0)).sum())
        shadows += int((true == Scl.SHADOW).sum())
        found += int(((mapped == Scl.SHADOW) & (true == Scl.SHADOW)).sum())
    return {
        "scl_accuracy": right_groups / cells,
        "scl_accuracy_all_classes": right / cells,
        "scl_shadow_found": found / shadows,
    }


def ground_figures(params: ArchiveParams, edge: int = 2_000) -> dict[str, float]:
    """Share of 20 m cells with more than one class, over a window in the middle, and the largest misregistration."""
    world = World(Path(), world_grid(params))
    rows, columns = ((length // 2 - min(edge, length) // 2) // 2 * 2 for length in world.shape)
    window = tuple(
        slice(first, first + min(edge, length) // 2 * 2)
        for first, length in zip((rows, columns), world.shape, strict=True)
    )
    fine = LAND_COVER[landscape(params).window(*world.axes((window[0], window[1]))).cover[params.years[0]]]
    quarters = fine.reshape(fine.shape[0] // 2, 2, fine.shape[1] // 2, 2)
    mixed = quarters.max(axis=(1, 3)) != quarters.min(axis=(1, 3))
    cameras = [Scene.prepared(each, world, params.seed, params.jitter_px).camera for each in planned(params)[0]]
    shift = max(float(np.hypot(each.shift_x_px, each.shift_y_px)) for each in cameras)
    return {"mixed_cells": float(mixed.mean()), "largest_shift_px": shift}


def figures(archive: Archive) -> dict[str, float]:
    """All figures of an archive."""
    return {
        **label_figures(archive), **forest_figures(archive), **scl_figures(archive), **ground_figures(archive.params),
    }  # fmt: skip


def change_figures(archive: Archive) -> dict[str, Any]:
    """Newly impervious and newly green share of the land per year, from the truth."""
    truth = {year: archive.truth(year) for year in archive.params.years}
    return {
        f"new_{kind.name.lower()}_{later}": float(((truth[later] == kind) & (truth[earlier] != kind)).mean())
        for earlier, later in zip(archive.params.years, archive.params.years[1:], strict=False)
        for kind in (LandCover.IMPERVIOUS, LandCover.GREEN)
    }


if __name__ == "__main__":
    found = Archive(Path(sys.argv[1]))
    print(json.dumps({**figures(found), **change_figures(found)}, indent=1))
