"""Simulated passes over small hills, in a store of their own: products whose gamma nought is known."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.transform import from_origin

from containers.base.contract.files import File, output_file
from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.radar import BackscatterResult, RadarProduct, SafeFolder
from containers.sarsen import backscatter
from containers.sarsen.contract.backscatter import SarsenBackscatterParams

GROUND = Grid(epsg=3035, resolution_m=10, west_m=4_470_000, north_m=2_770_000, width=300, height=280)
UTM = 32633
BASE_M = 420.0
GAMMA0 = {"vv": 0.12, "vh": 0.02}
PASS = {
    "platform": "S1B",
    "absolute_orbit": 30148,
    "relative_orbit": 22,
    "direction": "descending",
    "datatake": "039993",
}

Values = NDArray[np.float64]
Heights = Callable[[Values, Values], Values]
"""Heights in metres of places given in metres east and south of the ground's corner."""


def plain(east: Values, south: Values) -> Values:
    return np.full(np.broadcast(east, south).shape, BASE_M)


def hills(east: Values, south: Values) -> Values:
    """A ridge along the flight and a cone, both with slopes up to 27°, and level ground around them."""
    ridge = 120 * np.exp(-(((east - 1000) / 220) ** 2) - ((south - 1400) / 900) ** 4)
    cone = 110 * np.exp(-(((east - 2150) / 200) ** 2) - ((south - 1300) / 200) ** 2)
    return BASE_M + ridge + cone


@dataclass(frozen=True)
class RadarStore:
    """A store folder, and files put into it under the addresses that a runner would give them."""

    root: Path

    def file(self, path: Path) -> File:
        return output_file(path).model_copy(update={"href": f"store:{path.relative_to(self.root)}"})

    def safe(self, folder: Path) -> SafeFolder:
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        files = {path.relative_to(folder).as_posix(): self.file(path) for path in paths}
        return SafeFolder(id=folder.name.removesuffix(".SAFE"), files=files)

    def dem(self, heights: Heights, bounds: Bounds, step_deg: float = 1e-4, name: str = "dem") -> File:
        """Posts of a surface over some degrees."""
        shape = round((bounds.north - bounds.south) / step_deg), round((bounds.east - bounds.west) / step_deg)
        lon = bounds.west + (np.arange(shape[1]) + 0.5) * step_deg
        lat = bounds.north - (np.arange(shape[0]) + 0.5) * step_deg
        x, y = Transformer.from_crs(4326, GROUND.epsg, always_xy=True).transform(*np.meshgrid(lon, lat))
        values = heights(x - GROUND.west_m, GROUND.north_m - y)
        return self.raster(values, from_origin(bounds.west, bounds.north, step_deg, step_deg), 4326, name)

    def raster(self, values: NDArray[Any], transform: Any, epsg: int, name: str) -> File:
        path = self.root / "gdal.dem" / "key" / "1" / f"{name}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "crs": f"EPSG:{epsg}", "transform": transform}
        with rasterio.open(path, "w", width=values.shape[1], height=values.shape[0], **profile) as sink:
            sink.write(values.astype(np.float32), 1)
        return self.file(path)


@dataclass(frozen=True)
class SmallPass:
    """A pass over simulated ground, ready to be asked for."""

    store: RadarStore
    slices: tuple[RadarProduct, ...]
    folders: tuple[SafeFolder, ...]
    dem: File
    grid: Grid

    def params(self, **options: Any) -> SarsenBackscatterParams:
        facts = {"slices": self.slices, "folders": self.folders, "dem": self.dem, "grid": self.grid}
        return SarsenBackscatterParams(**(facts | options))

    def run(self, **options: Any) -> tuple[BackscatterResult, dict[str, NDArray[np.float32]]]:
        """The result, and gamma nought by polarisation with `incidence`."""
        number = len(list((self.store.root / "sarsen.backscatter").glob("*")))
        out = self.store.root / "sarsen.backscatter" / str(number) / "1"
        out.mkdir(parents=True)
        result = backscatter.run(self.params(**options), out)
        layers = {}
        for name, file in {**result.bands, "incidence": result.incidence}.items():
            with rasterio.open(out / file.href) as dataset:
                assert np.isnan(dataset.nodata)
                layers[name] = dataset.read(1)
        return result, layers

    def refused(self, code: str, **options: Any) -> str:
        """Why the step refuses to run."""
        from containers.base.contract.step import StepError

        with pytest.raises(StepError) as caught:
            self.run(**options)
        assert caught.value.code == code, str(caught.value)
        return caught.value.reason

    def with_files(self, **changes: Any) -> tuple[SafeFolder, ...]:
        """The first product's files, changed or, by None, left out, by a part of their names."""
        files = dict(self.folders[0].files)
        for part, change in changes.items():
            name = next(name for name in files if part in name)
            if change is None:
                del files[name]
            else:
                files[name] = change
        return (self.folders[0].model_copy(update={"files": files}), *self.folders[1:])

    def path(self, part: str) -> Path:
        """Where a file of the first product lies."""
        file = next(file for name, file in self.folders[0].files.items() if part in name)
        return self.store.root / file.store_path


def cells(gamma0: Mapping[str, Any]) -> dict[str, NDArray[np.float32]]:
    return {name: np.broadcast_to(np.float32(value), GROUND.shape).copy() for name, value in gamma0.items()}


def small_pass(
    store: RadarStore, heights: Heights = plain, gamma0: Mapping[str, Any] = GAMMA0, **options: Any
) -> SmallPass:
    """Gamma nought, uniform or by cell of GROUND, seen over a surface by one pass; the DEM is the surface itself."""
    products = pytest.importorskip("containers.eodata.radar_products")
    from containers.eodata.radar_ground import RadarGround
    from containers.eodata.radar_pass import RadarPass

    rows, cols = np.mgrid[: GROUND.height, : GROUND.width] + 0.5
    surface = heights(cols * 10, rows * 10).astype(np.float32)
    pass_ = RadarPass(start=datetime(2021, 6, 12, 5, 17, 30, tzinfo=UTC), **PASS, **options)
    bucket = store.root / "archive" / str(len(list((store.root / "archive").glob("*"))))
    stored = products.write_radar(pass_, RadarGround(GROUND, surface, cells(gamma0)), 7, bucket)
    slices = tuple(
        RadarProduct(
            id=each.name,
            polarisations=tuple(gamma0),
            start=each.start,
            stop=each.stop,
            footprint=each.footprint.wkt,
            simulated=True,
            **PASS,
        )
        for each in stored
    )
    folders = tuple(store.safe(bucket / pass_.folder(each.name)) for each in stored)
    return SmallPass(store, slices, folders, store.dem(heights, dem_bounds(), name=heights.__name__), inner_grid())


def inner_grid(width_m: float = 2200, height_m: float = 2000) -> Grid:
    x, y = Transformer.from_crs(GROUND.epsg, UTM, always_xy=True).transform(GROUND.west_m + 1500, GROUND.north_m - 1400)
    bounds = Bounds(x - width_m / 2, y - height_m / 2, x + width_m / 2, y + height_m / 2)
    return Grid.covering(bounds, epsg=UTM, resolution_m=10)


def ground_place(grid: Grid) -> tuple[Values, Values]:
    """Metres east and south of the ground's corner of a grid's cells; each (y, x)."""
    x = grid.west_m + (np.arange(grid.width) + 0.5) * grid.resolution_m
    y = grid.north_m - (np.arange(grid.height) + 0.5) * grid.resolution_m
    east, north = Transformer.from_crs(grid.epsg, GROUND.epsg, always_xy=True).transform(*np.meshgrid(x, y))
    return east - GROUND.west_m, GROUND.north_m - north


def dem_bounds() -> Bounds:
    """Degrees around GROUND, with a margin."""
    to_degrees = Transformer.from_crs(GROUND.epsg, 4326, always_xy=True)
    west, south, east, north = to_degrees.transform_bounds(*GROUND.bounds)
    return Bounds(west - 0.04, south - 0.03, east + 0.04, north + 0.03)
