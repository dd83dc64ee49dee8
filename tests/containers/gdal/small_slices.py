"""Slices of a small tile cube whose every number is known."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.gdal.contract.cut import TEN_BANDS, Slice
from tests.containers.gdal.small_sites import made_slice

TILE_GRID = Grid(epsg=32631, resolution_m=10, west_m=700_000, north_m=5_000_000, width=110, height=90)
PASTURE_GRID = TILE_GRID.model_copy(update={"west_m": 700_100, "north_m": 4_999_900, "width": 90, "height": 70})
OUTLINE = shapely.Point(700_550, 4_999_550).buffer(330).difference(shapely.Point(700_550, 4_999_550).buffer(70))

SHARES = {"valid": 0.95, "cloud": 0.3, "shadow": 0.1, "snow": 0.05}


@dataclass
class SmallSlices:
    """A year of a meadow seen every 12 days, with clouds, snow and holes that differ from cell to cell."""

    store: Any
    bands: tuple[str, ...] = TEN_BANDS

    def __post_init__(self) -> None:
        start = datetime(2024, 3, 2, 10, 30, tzinfo=UTC)
        self.times = [start + timedelta(days=12 * number) for number in range(23)]
        rng = np.random.default_rng(8)
        shape = len(self.times), *TILE_GRID.shape
        day = np.array([time.timetuple().tm_yday for time in self.times])[:, None, None]
        green = np.exp(-(((day - 180 - rng.normal(0, 9, TILE_GRID.shape)) / 45) ** 2))
        noise = rng.normal(0, 60, (len(self.bands), *shape))
        level = np.array([400, 600, 500, 900, 1700, 2000, 2100, 2200, 1900, 1200])[: len(self.bands)]
        slope = np.array([-150, 100, -250, 100, 1300, 1900, 2000, 2000, -100, -300])[: len(self.bands)]
        values = level[:, None, None, None] + slope[:, None, None, None] * green + noise
        self.reflectance = np.maximum(values, 20).astype(np.int16)
        self.reflectance[:, rng.random(shape) < 0.05] = -32768
        self.layers = np.stack([rng.random(shape) < share for share in (0.3, 0.1, 0.05)]).astype(np.uint8)
        self.layers[1, 5] = 255

    def slices(self, **fields: Any) -> tuple[Slice, ...]:
        return tuple(self.slice(number, **fields) for number in range(len(self.times)))

    def slice(self, number: int, **fields: Any) -> Slice:
        facts = {"simulated": True, "acquired": self.times[number], "shares": SHARES} | fields
        values, layers = self.reflectance[:, number], self.layers[:, number]
        return made_slice(self.store, values, layers, grid=TILE_GRID, bands=self.bands, **facts)

    def outlines(self, outline: Any = OUTLINE, epsg: int = 4326, pasture_id: str = "A1") -> File:
        path = self.store.folder("user.outlines") / "outlines.parquet"
        frame = geopandas.GeoDataFrame({"pasture_id": [pasture_id, "other"]}, geometry=[outline] * 2, crs=32631)
        frame.to_crs(epsg=epsg).to_parquet(path)
        return self.store.file(path)


def inside_by_hand(grid: Grid = PASTURE_GRID, outline: Any = OUTLINE) -> NDArray[np.bool_]:
    """Cells whose centre lies in the outline, one point at a time."""
    x = grid.west_m + (np.arange(grid.width) + 0.5) * grid.resolution_m
    y = grid.north_m - (np.arange(grid.height) + 0.5) * grid.resolution_m
    inside: NDArray[np.bool_] = shapely.contains_xy(outline, *np.meshgrid(x, y))
    return inside
