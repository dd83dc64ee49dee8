"""How hard an archive of pastures makes it to tell vegetation types apart. Needs scikit-learn.

`python -m containers.eodata.pasture_hardness ARCHIVE` prints the figures as JSON. A plain forest sees, of every
surveyed point, medians of ten bands and two indices over eight periods of April to October, from the cells that the
scene classification calls clear. It knows nothing of terrain, and is judged by pastures that it has not seen, and by
points that it has not seen among others of the same pasture.
"""

import json
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

import geopandas
import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_predict

from containers.base.sentinel2 import QUANTIFICATION
from containers.eodata.acquisitions import Acquisition
from containers.eodata.alpine.types import PlantType
from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.noise import FloatArray
from containers.eodata.place import tile_grid
from containers.eodata.product import image_path
from containers.eodata.scl import Scl
from containers.eodata.traps import planned

PERIODS: Final = 8
_FIRST, _LAST = (4, 1), (10, 31)
_FOLDS: Final = 6
_TREES: Final = 100
_LEAST_SITES: Final = 10
"""Types with fewer sites are left out."""
_SEEDS: Final = (0, 1)
"""The figures are means over forests grown, and folds cut, with these."""
_CLEAR: Final = (Scl.VEGETATION, Scl.NOT_VEGETATED, Scl.WATER, Scl.UNCLASSIFIED, Scl.DARK)
_BANDS: Final = (
    "B02_10m", "B03_10m", "B04_10m", "B08_10m", "B05_20m", "B06_20m", "B07_20m", "B8A_20m", "B11_20m", "B12_20m",
)  # fmt: skip


class Sites(NamedTuple):
    """Surveyed points of one year: (site) and (site, feature)."""

    surveyed: npt.NDArray[np.str_]
    true: npt.NDArray[np.str_]
    pasture: npt.NDArray[np.str_]
    medians: FloatArray
    observed: npt.NDArray[np.int64]
    """Clear observations."""


@dataclass(frozen=True)
class PastureArchive:
    """An archive of pastures as `simulate` has left it."""

    folder: Path
    params: ArchiveParams

    @classmethod
    def at(cls, folder: Path) -> "PastureArchive":
        record = json.loads((folder / "simulation.json").read_text())
        return cls(folder, ArchiveParams.model_validate(record["parameters"]))

    def sites(self, year: int) -> Sites:
        """The sound points of the survey, each of them once, with what one year's products show of them."""
        parts = []
        for tile in self.params.tiles:
            points = self._points(tile.id)
            grid = tile_grid(self.params, tile)
            place = points.to_crs(grid.epsg).geometry
            column = ((place.x - grid.west_m) // 10).to_numpy(dtype=np.int64)
            row = ((grid.north_m - place.y) // 10).to_numpy(dtype=np.int64)
            with rasterio.open(self.folder / "truth" / f"types_{tile.id}.tif") as source:
                kinds = source.read(1)[row, column]
            series = self._series(tile.id, year, row, column)
            names = np.array([PlantType(kind).name for kind in kinds])
            ids = points["site_id"].to_numpy(dtype=str)
            parts.append(
                (ids, points["veg_type"].to_numpy(dtype=str), names, points["pasture"].to_numpy(dtype=str), *series)
            )
        ids, *columns = (np.concatenate(part) for part in zip(*parts, strict=True))
        _, first = np.unique(ids, return_index=True)
        return Sites(*(column[first] for column in columns))

    def _points(self, tile: str) -> geopandas.GeoDataFrame:
        folder = self.folder / "survey"
        files = [folder / f"points_T{tile}.geojson", folder / f"revisits_T{tile}.shp"]
        read = [geopandas.read_file(path).to_crs(4326) for path in files if path.exists()]
        points = pd.concat(read, ignore_index=True)
        named = points[points["veg_type"].isin([kind.name for kind in PlantType if kind])]
        return named[~named["site_id"].str.endswith("b")].drop_duplicates("site_id")

    def _series(
        self, tile: str, year: int, row: npt.NDArray[np.int64], column: npt.NDArray[np.int64]
    ) -> tuple[FloatArray, npt.NDArray[np.int64]]:
        """Medians per period, with those of the nearest period where nothing was seen, and observations."""
        seen = [
            each for each in planned(self.params)[0]
            if each.tile.id == tile and each.start.year == year and each.in_archive and not each.damage
            and each.level == "L2A"
        ]  # fmt: skip
        spectra = np.stack([self._spectra(each, row, column) for each in seen])
        first, last = (date(year, *day).toordinal() for day in (_FIRST, _LAST))
        share = np.array([(each.start.date().toordinal() - first) / (last - first + 1) for each in seen])
        period = np.clip(np.floor(share * PERIODS), 0, PERIODS - 1).astype(np.int64)
        return period_medians(spectra, period), np.isfinite(spectra[:, :, 0]).sum(axis=0)

    def _spectra(
        self, acquisition: Acquisition, row: npt.NDArray[np.int64], column: npt.NDArray[np.int64]
    ) -> FloatArray:
        """Bands, NDVI and NDMI of each site, NaN where it is hidden, snowy or outside: (site, feature)."""
        bands = {}
        for asset in _BANDS:
            scale = int(asset[-3:-1]) // 10
            with rasterio.open(self.folder / "eodata" / image_path(acquisition, asset)) as source:
                numbers = source.read(1)[row // scale, column // scale].astype(np.float32)
            bands[asset[:3]] = np.where(numbers > 0, (numbers + acquisition.offset_dn) / QUANTIFICATION, np.nan)
        with rasterio.open(self.folder / "eodata" / image_path(acquisition, "SCL_20m")) as source:
            clear = np.isin(source.read(1)[row // 2, column // 2], _CLEAR)
        ndvi, ndmi = (
            (bands["B08"] - bands[other]) / np.clip(bands["B08"] + bands[other], 0.01, None) for other in ("B04", "B11")
        )
        found: FloatArray = np.where(clear[:, None], np.column_stack([*bands.values(), ndvi, ndmi]), np.nan)
        return found.astype(np.float32)


def period_medians(spectra: FloatArray, period: npt.NDArray[np.int64]) -> FloatArray:
    """(date, site, feature) → (site, period · feature)."""
    _, sites, features = spectra.shape
    found = np.full((PERIODS, sites, features), np.nan, dtype=np.float32)
    for index in range(PERIODS):
        inside = spectra[period == index]
        known = np.isfinite(inside).any(axis=0)
        if known.any():
            found[index][known] = np.nanmedian(np.where(known, inside, 0), axis=0)[known]
    filled = pd.DataFrame(found.reshape(PERIODS, -1)).interpolate(limit_direction="both").fillna(0).to_numpy(np.float32)
    return np.ascontiguousarray(filled.reshape(PERIODS, sites, features).transpose(1, 0, 2).reshape(sites, -1))


def figures(folder: Path, year: int | None = None) -> dict[str, float]:
    """All figures of an archive's first year, or of another."""
    archive = PastureArchive.at(folder)
    sites = archive.sites(year or archive.params.years[0])
    kinds, counts = np.unique(sites.surveyed, return_counts=True)
    kept = np.isin(sites.surveyed, kinds[counts >= _LEAST_SITES]) & (sites.observed > 0)
    sites = Sites(
        sites.surveyed[kept], sites.true[kept], sites.pasture[kept], sites.medians[kept], sites.observed[kept]
    )
    told = {name: np.mean([_judged(sites, seed, name) for seed in _SEEDS], axis=0) for name in ("grouped", "random")}
    names = ("accuracy", "macro_f1", "kappa", "accuracy_of_truth")
    scores = {
        f"{split}_{name}": float(value)
        for split, found in told.items()
        for name, value in zip(names, found, strict=True)
    }
    return scores | {
        "sites": float(len(sites.surveyed)),
        "types": float(len(np.unique(sites.surveyed))),
        "pastures": float(len(np.unique(sites.pasture))),
        "rarest_type_sites": float(np.unique(sites.surveyed, return_counts=True)[1].min()),
        "wrong_labels": float((sites.surveyed != sites.true).mean()),
        "median_clear_observations": float(np.median(sites.observed)),
    }


def _judged(sites: Sites, seed: int, split: str) -> tuple[float, float, float, float]:
    """Accuracy, macro-F1 and kappa by the survey's own labels, and accuracy by the truth."""
    forest = RandomForestClassifier(_TREES, class_weight="balanced_subsample", random_state=seed, n_jobs=1)
    if split == "grouped":
        folds = GroupKFold(min(_FOLDS, len(np.unique(sites.pasture))), shuffle=True, random_state=seed)
        told = cross_val_predict(forest, sites.medians, sites.surveyed, groups=sites.pasture, cv=folds)
    else:
        folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
        told = cross_val_predict(forest, sites.medians, sites.surveyed, cv=folds)
    return (
        float(accuracy_score(sites.surveyed, told)),
        float(f1_score(sites.surveyed, told, average="macro")),
        float(cohen_kappa_score(sites.surveyed, told)),
        float(accuracy_score(sites.true, told)),
    )


if __name__ == "__main__":
    print(json.dumps(figures(Path(sys.argv[1])), indent=1))
