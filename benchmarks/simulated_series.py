"""Series of a simulated archive (profile `vegetation_tiny`), whose NDVI is known on every date."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

from benchmarks.real_series import EPOCH, Cells
from containers.base.contract.legend import INDEX_NODATA, INDEX_SCALE
from containers.base.sentinel2 import QUANTIFICATION, SceneClass, baseline_offset_dn, parse_product_name

CLEAR = (SceneClass.DARK_AREA, SceneClass.VEGETATION, SceneClass.NOT_VEGETATED, SceneClass.UNCLASSIFIED)


def simulated(folder: Path, every: int = 28) -> Cells:
    """Every 28th cell of the truth that any L1C scene sees; seen where the true class is clear land."""
    with rasterio.open(next((folder / "truth" / "ndvi").glob("*_toa.tif"))) as truth:
        frame = {"crs": truth.crs, "transform": truth.transform, "width": truth.width, "height": truth.height}
    by_day = dict(_scenes(folder, frame, every))
    days = np.array(sorted(by_day), np.int32)
    values = np.stack([by_day[int(day)] for day in days])
    seen = np.isfinite(values)
    cells = np.flatnonzero(seen.sum(axis=0) >= 3)
    truth_values = _truth(folder, days, every)
    return Cells(days, np.nan_to_num(values), seen, truth_values).of(cells)


def _scenes(folder: Path, frame: dict[str, Any], every: int) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Day and NDVI of every readable scene, NaN where it is not clear."""
    found: dict[int, NDArray[np.float64]] = {}
    for product in sorted((folder / "eodata").rglob("*MSIL1C*.SAFE")):
        name = parse_product_name(product.name)
        classes = folder / "truth" / "scenes" / f"{product.stem}.tif"
        if name is None or not classes.exists():
            continue
        try:
            red, nir = (_warped(next(product.rglob(f"*_{band}.jp2")), frame, "average") for band in ("B04", "B08"))
        except (rasterio.errors.RasterioError, StopIteration):
            continue
        offset = baseline_offset_dn(name.baseline)
        clear = np.isin(_warped(classes, frame, "nearest"), CLEAR) & (red > 0) & (nir > 0)
        red, nir = ((band + offset) / QUANTIFICATION for band in (red, nir))
        ndvi = np.where(clear & (red + nir > 0), (nir - red) / np.maximum(red + nir, 1e-4), np.nan).ravel()[::every]
        day = (name.datatake.date() - EPOCH).days
        found[day] = np.where(np.isfinite(found[day]), found[day], ndvi) if day in found else ndvi
    yield from found.items()


def _warped(path: Path, frame: dict[str, Any], method: str) -> NDArray[np.float64]:
    nodata = {"src_nodata": 0, "nodata": 0}
    with rasterio.open(path) as source, WarpedVRT(source, resampling=Resampling[method], **frame, **nodata) as warped:
        values: NDArray[np.float64] = warped.read(1).astype(np.float64)
    return values


def _truth(folder: Path, days: NDArray[np.int32], every: int) -> NDArray[np.float64]:
    """(date, cell): the true index, linear between its ten-day steps."""
    known, curves = [], []
    for path in sorted((folder / "truth" / "ndvi").glob("*_toa.tif")):
        with rasterio.open(path) as source:
            known += [(date.fromisoformat(text) - EPOCH).days for text in source.descriptions]
            layers = source.read().reshape(source.count, -1)[:, ::every]
        curves.append(np.where(layers == INDEX_NODATA, np.nan, layers * INDEX_SCALE))
    layers = np.concatenate(curves)
    after = np.clip(np.searchsorted(known, days), 1, len(known) - 1)
    start, end = np.array(known)[after - 1], np.array(known)[after]
    share = ((days - start) / (end - start))[:, np.newaxis]
    return layers[after - 1] * (1 - share) + layers[after] * share
