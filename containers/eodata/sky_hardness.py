"""How hard the sky of a year-round archive is, in the figures by which real skies are known.

`python -m containers.eodata.sky_hardness ARCHIVE` prints them as JSON.
"""

import json
import sys
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import rasterio

from containers.base.sentinel2 import QUANTIFICATION
from containers.eodata.acquisitions import Acquisition
from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.place import PIXEL_M, world_grid
from containers.eodata.product import BAND_IDS, cell_m, image_path
from containers.eodata.scl import Scl
from containers.eodata.season_scene import SeasonScene
from containers.eodata.traps import planned
from containers.eodata.world import World

BoolArray = npt.NDArray[np.bool_]
Bands = dict[str, npt.NDArray[np.float32]]
_CLOUDED: Final = (Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH, Scl.CIRRUS)
_GROUPS: Final = np.array([0, 1, 1, 2, 1, 1, 1, 1, 3, 3, 3, 4], dtype=np.uint8)
"""Scene class to what a user of a mask tells apart: no data, clear, shadow, cloud or cirrus, snow."""
_SHARES: Final = {
    "cloud": (Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH), "cirrus": (Scl.CIRRUS,), "shadow": (Scl.SHADOW,), "snow": (Scl.SNOW,),
}  # fmt: skip
_BINS: Final = np.linspace(0, 1.2, 121)


def trees(b: Bands) -> dict[str, BoolArray]:
    """Cloud by the three simple decision trees of Hollstein et al. (2016, Remote Sensing 8, 666, figures 6 to 8)."""
    dark, high = b["B03"] < 0.325, b["B10"]
    tree1 = np.where(
        dark, (b["B8A"] < 0.166) & (high > 0.011),
        np.where(b["B11"] < 0.267, b["B04"] < 0.674, b["B07"] < 1.544),
    )  # fmt: skip
    ratio, steep = b["B10"] / np.maximum(b["B02"], 1e-4), b["B06"] / np.maximum(b["B11"], 1e-4)
    tree2 = (b["B8A"] > 0.156) & np.where(b["B03"] < 0.333, ratio > 0.065, steep < 4.292)
    low = np.where(high < 0.012, b["B02"] > 0.271, True)
    bright = np.where(b["B11"] < 0.239, b["B02"] < 0.711, b["B05"] < 1.393)
    thin = (b["B8A"] > 0.051) & (b["B12"] < 0.097) & (high > 0.011)
    tree3 = np.where(b["B8A"] < 0.181, thin, np.where(b["B01"] < 0.331, low, bright))
    return {name: tree.astype(bool) for name, tree in (("tree1", tree1), ("tree2", tree2), ("tree3", tree3))}


def balanced(found: BoolArray, true: BoolArray) -> float:
    """Mean of the shares of true and of untrue cells that are found to be so."""
    return float((found[true].mean() + (~found[~true]).mean()) / 2)


def best_threshold(values: npt.NDArray[np.float32], true: BoolArray) -> float:
    """Balanced accuracy of the threshold that suits the truth best."""
    return max(balanced(values > threshold, true) for threshold in _BINS)


def otsu(values: npt.NDArray[np.floating]) -> float:
    """The threshold that separates two groups of values best (Otsu 1979)."""
    counts, edges = np.histogram(values, _BINS)
    middle, share = (edges[:-1] + edges[1:]) / 2, counts / max(1, counts.sum())
    below = np.cumsum(share)
    mean = np.cumsum(share * middle)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mean[-1] * below - mean) ** 2 / (below * (1 - below))
    return float(middle[np.nanargmax(np.where(np.isfinite(between), between, -1))])


def broken(params: ArchiveParams, level: str) -> list[Acquisition]:
    """Whole products of a level that are 10 to 90 % clouded."""
    return [
        each
        for each in planned(params)[0]
        if each.in_archive and not each.damage and each.level == level and 0.1 <= each.clouds <= 0.9
    ]


def read_bands(folder: Path, acquisition: Acquisition) -> Bands:
    """Reflectance of all bands on cells of 20 m."""
    bands = {}
    for band in BAND_IDS:
        with rasterio.open(folder / "eodata" / image_path(acquisition, band)) as source:
            values = (source.read(1).astype(np.float32) + acquisition.offset_dn) / np.float32(QUANTIFICATION)
        cell = cell_m(band)
        if cell < PIXEL_M:
            values = values.reshape(len(values) // 2, 2, -1, 2).mean(axis=(1, 3))
        bands[band] = values.repeat(max(1, cell // PIXEL_M), axis=0).repeat(max(1, cell // PIXEL_M), axis=1)
    return bands


def read_truth(folder: Path, acquisition: Acquisition) -> npt.NDArray[np.uint8]:
    """True scene classes of a product."""
    with rasterio.open(folder / "truth" / "scenes" / f"{acquisition.name}.tif") as source:
        values: npt.NDArray[np.uint8] = source.read(1)
    return values


def rule_figures(folder: Path, params: ArchiveParams) -> dict[str, float]:
    """Simple rules against the truth over all cells of broken L1C scenes: cloud or cirrus against everything else."""
    found: dict[str, list[BoolArray]] = {}
    classes, brightness = [], []
    for acquisition in broken(params, "L1C"):
        true, bands = read_truth(folder, acquisition), read_bands(folder, acquisition)
        seen = true > 0
        bright = (bands["B02"] + bands["B03"] + bands["B04"])[seen] / 3
        for name, mask in trees(bands).items():
            found.setdefault(name, []).append(mask[seen])
        found.setdefault("otsu", []).append(bright > otsu(bright))
        classes.append(true[seen])
        brightness.append(bright)
    true = np.concatenate(classes)
    clouded = np.isin(true, _CLOUDED)
    masks = {name: np.concatenate(parts) for name, parts in found.items()}
    figures = {f"{name}_accuracy": float((mask == clouded).mean()) for name, mask in masks.items()}
    figures |= {f"{name}_balanced": balanced(mask, clouded) for name, mask in masks.items()}
    figures["brightness_balanced"] = best_threshold(np.concatenate(brightness), clouded)
    return figures | {f"share_{name}": float(np.isin(true, kinds).mean()) for name, kinds in _SHARES.items()}


def scl_figures(folder: Path, params: ArchiveParams) -> dict[str, float]:
    """The scene classification against the truth over all cells of broken L2A scenes."""
    pairs = []
    for acquisition in broken(params, "L2A"):
        true = read_truth(folder, acquisition)
        with rasterio.open(folder / "eodata" / image_path(acquisition, "SCL_20m")) as source:
            pairs.append(np.stack([source.read(1)[true > 0], true[true > 0]]))
    mapped, true = np.concatenate(pairs, axis=1)
    figures = {"scl_accuracy": float((_GROUPS[mapped] == _GROUPS[true]).mean())}
    for index, name in ((2, "shadow"), (3, "cloud"), (4, "snow")):
        both = ((_GROUPS[mapped] == index) & (_GROUPS[true] == index)).sum()
        figures[f"scl_{name}_found"] = float(both / max(1, (_GROUPS[true] == index).sum()))
        figures[f"scl_{name}_right"] = float(both / max(1, (_GROUPS[mapped] == index).sum()))
    return figures


def date_figures(params: ArchiveParams) -> dict[str, float]:
    """Shares of dates by cloud cover, and the largest misregistration in cells of 10 m."""
    products = [each for each in planned(params)[0] if each.level == params.levels[0]]
    cover = np.array([clouds for _, clouds in sorted({each.start: each.clouds for each in products}.items())])
    world = World(Path(), world_grid(params))
    cameras = [SeasonScene.prepared(each, world, params.seed, params.jitter_px).camera for each in products]
    return {
        "dates": len(cover),
        "clear_dates": float((cover < 0.1).mean()),
        "overcast_dates": float((cover > 0.9).mean()),
        "largest_shift_10m_px": 2 * max(float(np.hypot(each.shift_x_px, each.shift_y_px)) for each in cameras),
    }


def figures(folder: Path) -> dict[str, float]:
    """All figures that the levels of an archive allow."""
    params = ArchiveParams.model_validate(json.loads((folder / "simulation.json").read_text())["parameters"])
    return {
        **date_figures(params),
        **(rule_figures(folder, params) if "L1C" in params.levels else {}),
        **(scl_figures(folder, params) if "L2A" in params.levels else {}),
    }


if __name__ == "__main__":
    print(json.dumps(figures(Path(sys.argv[1])), indent=1))
