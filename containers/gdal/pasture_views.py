"""What each slice shows of one pasture: NDVI of its clear cells, and which cells lie under snow."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import geometry_mask

from containers.base.contract.grid import Grid
from containers.base.contract.legend import INDEX_NODATA, INDEX_SCALE
from containers.base.contract.step import StepError
from containers.base.grid import grid_of, transform_of, window_of
from containers.base.raster import open_raster
from containers.base.step import local_path
from containers.gdal.contract.cut import LAYERS, Slice
from containers.gdal.indices import index_of

_EPOCH: Final = np.datetime64("1970-01-01", "D")


class View(NamedTuple):
    """One day; (cell,) of the pasture's cells."""

    day: int
    """Since 1970."""
    ndvi: NDArray[np.float32]
    """NaN where a cell is not clear, or under snow."""
    snow: NDArray[np.bool_]
    """Seen without a cloud, under snow."""

    @property
    def clear(self) -> NDArray[np.bool_]:
        return np.isfinite(self.ndvi)


class Summary(NamedTuple):
    """One view of the whole pasture; figures of its clear cells are NaN without any."""

    day: int
    mean: float
    p10: float
    p90: float
    clear_share: float
    """Clear and free of snow, of all cells."""
    snow_share: float


def pasture_cells(outline: Path, pasture_id: str, grid: Grid) -> NDArray[np.bool_]:
    """Cells of the window whose centre lies in the pasture, (y, x). Raises `bad_regions`, `no_valid_pixels`."""
    frame = gpd.read_parquet(outline)
    ids = frame["pasture_id"].astype(str) if "pasture_id" in frame else frame.index.astype(str)[:0]
    row = np.flatnonzero(ids == pasture_id)
    if len(row) != 1:
        raise StepError(
            "bad_regions",
            f"{outline.name} has {len(row)} rows of the pasture {pasture_id!r}.",
            "Give one row per pasture, named in the column pasture_id.",
        )
    geometry = frame.to_crs(grid.epsg).geometry.iloc[row[0]]
    if geometry is None or geometry.is_empty or shapely.area(geometry) == 0:
        raise StepError("bad_regions", f"The pasture {pasture_id!r} has no area.", "Give a polygon.")
    inside: NDArray[np.bool_] = ~geometry_mask([geometry], grid.shape, transform_of(grid))
    if not inside.any():
        raise StepError(
            "no_valid_pixels",
            f"No cell of {tuple(grid.bounds)} in EPSG:{grid.epsg} has its centre in the pasture {pasture_id!r}.",
            "Give the window around this pasture, and pastures larger than a cell.",
        )
    return inside


def views(slices: Sequence[Slice], grid: Grid, inside: NDArray[np.bool_]) -> Iterator[View]:
    """Day after day, one slice in memory; of several slices of a day the one that shows more.

    Raises `grid_mismatch`, `unknown_band`.
    """
    ordered = sorted(slices, key=lambda one: (one.acquired, one.product_ids))
    for _, same_day in groupby(ordered, key=lambda one: one.acquired.date()):
        yield max((_view(one, grid, inside) for one in same_day), key=lambda view: int((view.clear | view.snow).sum()))


def summary(view: View) -> Summary:
    seen = view.ndvi[view.clear]
    mean = float(seen.mean(dtype=np.float64)) if seen.size else np.nan
    p10, p90 = np.percentile(seen, [10, 90]).tolist() if seen.size else (np.nan, np.nan)
    return Summary(view.day, mean, p10, p90, float(view.clear.mean()), float(view.snow.mean()))


def _view(one: Slice, grid: Grid, inside: NDArray[np.bool_]) -> View:
    red, nir = _layers(local_path(one.bands), ("red", "nir"), grid)
    cloud, shadow, snow = _layers(local_path(one.layers), LAYERS, grid)
    index = index_of("ndvi", {"red": red, "nir": nir})[inside]
    open_sky = (cloud == 0) & (shadow == 0)
    usable = (index != INDEX_NODATA) & (open_sky & (snow == 0))[inside]
    ndvi = np.where(usable, index * np.float32(INDEX_SCALE), np.float32(np.nan))
    day = int((np.datetime64(one.acquired.date(), "D") - _EPOCH).astype(int))
    return View(day, ndvi, (open_sky & (snow == 1))[inside])


def _layers(path: Path, names: Sequence[str], grid: Grid) -> list[NDArray[Any]]:
    """Layers by their descriptions in the window, (y, x) each."""
    with open_raster(path) as raster:
        if missing := [name for name in names if name not in raster.descriptions]:
            raise StepError(
                "unknown_band",
                f"{path.name} has no band {missing}; it has {list(raster.descriptions)}.",
                "Cut the slices with the bands red and nir.",
            )
        window = window_of(grid_of(raster), grid)
        return [raster.read(raster.descriptions.index(name) + 1, window=window) for name in names]
