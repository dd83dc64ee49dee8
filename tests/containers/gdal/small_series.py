"""Series, filled curves and seasons of a few cells, in a store."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.raster import write_cog
from containers.gdal.contract.productivity import METRICS, NODATA, FilledWindow, Metrics
from containers.gdal.season import first_of_january
from containers.gdal.series_file import CHUNK_PX, Header, chunk_windows, create_series


def every_ten_days(year: int = 2021, before: int = 120, after: int = 120) -> NDArray[np.int32]:
    """Days since 1970 around a year."""
    return np.arange(first_of_january(year) - before, first_of_january(year + 1) + after, 10, dtype=np.int32)


def double_logistic(days: NDArray[Any], rise: Any, fall: Any, year: int = 2021, **shape: float) -> NDArray[np.float64]:
    """Beck et al. 2006 (doi:10.1016/j.rse.2005.10.021): (time, cell), half of the rise and fall on these days."""
    facts = {"base": 0.2, "amplitude": 0.6, "rise_rate": 0.09, "fall_rate": 0.07} | shape
    day = np.asarray(days, dtype=np.float64)[:, np.newaxis] - first_of_january(year) + 1
    up = 1 / (1 + np.exp(-facts["rise_rate"] * (day - np.atleast_1d(rise))))
    down = 1 / (1 + np.exp(facts["fall_rate"] * (day - np.atleast_1d(fall))))
    return facts["base"] + facts["amplitude"] * (up + down - 1)


def stored(values: NDArray[np.floating]) -> NDArray[np.int16]:
    """Index values as a series holds them; NaN is nodata."""
    return np.where(np.isnan(values), -32768, np.rint(np.nan_to_num(values) * 1e4)).astype(np.int16)


@dataclass
class SmallSeries:
    """Writes windows into a raster store (tests/containers/gdal/conftest.py)."""

    store: Any

    def file(self, grid: Grid, days: NDArray[np.int32], layers: dict[Any, NDArray[Any]], name: str) -> File:
        """Layers are (time, y, x), `land` (y, x); `values` and `uncertainty` are index values."""
        path = self.store.folder(f"gdal.{name}") / f"{name}.h5"
        integers = {key: array if key in ("quality", "land") else stored(array) for key, array in layers.items()}
        with create_series(path, Header(grid, "ndvi", days), tuple(integers)) as writer:
            for window in chunk_windows(grid, CHUNK_PX, CHUNK_PX):
                rows, cols = window.toslices()
                for key, array in integers.items():
                    writer.write(writer.packed(key, window, array[..., rows, cols]))
        return self.store.file(path)

    def seasons(self, grid: Grid, years: Sequence[int], **metrics: float) -> tuple[Metrics, ...]:
        """Rasters in which every cell has these metrics, the others nodata."""
        layers = np.stack([np.full(grid.shape, metrics.get(name, NODATA), dtype=np.float32) for name in METRICS])
        found = []
        for year in years:
            path = self.store.folder("gdal.productivity") / f"season_{year}.tif"
            write_cog(path, layers, grid, nodata=NODATA, bands=METRICS)
            found.append(Metrics(year=year, raster=self.store.file(path)))
        return tuple(found)

    def window(
        self,
        grid: Grid,
        days: NDArray[np.int32],
        values: NDArray[np.floating],
        seen_days: NDArray[np.int32],
        seen: NDArray[np.floating],
        seasons: tuple[Metrics, ...] = (),
    ) -> FilledWindow:
        """Arrays are (time, y, x) of index values, NaN where there is none."""
        layers = {
            "values": values,
            "quality": np.where(np.isnan(values), 0, 1).astype(np.int8),
            "uncertainty": np.where(np.isnan(values), np.nan, 0.03),
        }
        return FilledWindow(
            grid=grid,
            filled=self.file(grid, days, layers, "fill"),
            series=self.file(grid, seen_days, {"values": seen}, "series"),
            seasons=seasons,
        )
