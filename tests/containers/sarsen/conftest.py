"""Simulated passes over small hills, in a store of their own: products whose gamma nought is known."""

from collections.abc import Callable
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
BASE_M = 420.0
GAMMA0 = {"vv": 0.12, "vh": 0.02}

Heights = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
"""Heights in metres of places given in metres east and south of the ground's corner."""


def plain(east: NDArray[np.float64], south: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.full(east.shape, BASE_M)


def hills(east: NDArray[np.float64], south: NDArray[np.float64]) -> NDArray[np.float64]:
    """A ridge along the flight and a cone, both with slopes up to 25°, and level ground around them."""
    ridge = 120 * np.exp(-(((east - 1000) / 220) ** 2) - ((south - 1400) / 900) ** 4)
    cone = 110 * np.exp(-(((east - 2150) / 200) ** 2) - ((south - 1300) / 200) ** 2)
    return BASE_M + ridge + cone


@dataclass
class RadarStore:
    """A store folder, and files put into it under the addresses that a runner would give them."""

    root: Path

    def file(self, path: Path) -> File:
        return output_file(path).model_copy(update={"href": f"store:{path.relative_to(self.root)}"})

    def safe(self, folder: Path) -> SafeFolder:
        files = {path.relative_to(folder).as_posix(): self.file(path) for path in sorted(folder.rglob("*.*ml"))}
        files |= {path.relative_to(folder).as_posix(): self.file(path) for path in sorted(folder.rglob("*.tiff"))}
        files["manifest.safe"] = self.file(folder / "manifest.safe")
        return SafeFolder(id=folder.name.removesuffix(".SAFE"), files=files)

    def dem(self, heights: Heights, bounds: Bounds, step_deg: float = 1e-4) -> File:
        """Posts of a surface over some degrees."""
        path = self.root / "gdal.dem" / "key" / "1" / "dem.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = round((bounds.north - bounds.south) / step_deg), round((bounds.east - bounds.west) / step_deg)
        lon = bounds.west + (np.arange(shape[1]) + 0.5) * step_deg
        lat = bounds.north - (np.arange(shape[0]) + 0.5) * step_deg
        x, y = Transformer.from_crs(4326, GROUND.epsg, always_xy=True).transform(*np.meshgrid(lon, lat))
        values = heights(x - GROUND.west_m, GROUND.north_m - y).astype(np.float32)
        profile = {"driver": "GTiff", "width": shape[1], "height": shape[0], "count": 1, "dtype": "float32"}
        place = from_origin(bounds.west, bounds.north, step_deg, step_deg)
        with rasterio.open(path, "w", crs="EPSG:4326", transform=place, **profile) as sink:
            sink.write(values, 1)
        return self.file(path)


@pytest.fixture
def radar_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RadarStore:
    root, scratch = tmp_path / "store", tmp_path / "scratch"
    root.mkdir()
    scratch.mkdir()
    monkeypatch.setenv("CLEARGROUND_STORE", str(root))
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    return RadarStore(root)


@dataclass
class SimulatedPass:
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
                layers[name] = dataset.read(1)
        return result, layers


@pytest.fixture
def simulate(radar_store: RadarStore) -> Callable[..., SimulatedPass]:
    """Gamma nought, uniform or by cell of GROUND, seen over a surface by one pass of some slices."""
    products = pytest.importorskip("containers.eodata.radar_products")
    from containers.eodata.radar_ground import RadarGround
    from containers.eodata.radar_pass import RadarPass

    def make(
        heights: Heights = plain, gamma0: Any = GAMMA0, dem: Heights | None = None, **options: Any
    ) -> SimulatedPass:
        rows, cols = np.mgrid[: GROUND.height, : GROUND.width] + 0.5
        surface = heights(cols * 10, rows * 10).astype(np.float32)
        cells = {name: np.broadcast_to(np.float32(value), GROUND.shape).copy() for name, value in gamma0.items()}
        start = datetime(2021, 6, 12, 5, 17, 30, tzinfo=UTC)
        pass_ = RadarPass(
            start=start, platform="S1B", absolute_orbit=30148, relative_orbit=22, direction="descending",
            datatake="039993", **options,
        )  # fmt: skip
        bucket = radar_store.root / "archive" / "key" / "1"
        stored = products.write_radar(pass_, RadarGround(GROUND, surface, cells), 7, bucket)
        slices = tuple(
            RadarProduct(
                id=each.name, platform="S1B", polarisations=tuple(gamma0), start=each.start, stop=each.stop,
                datatake="039993", absolute_orbit=30148, relative_orbit=22, direction="descending",
                footprint=each.footprint.wkt, simulated=True,
            )
            for each in stored
        )  # fmt: skip
        folders = tuple(radar_store.safe(bucket / pass_.folder(each.name)) for each in stored)
        to_utm = Transformer.from_crs(GROUND.epsg, 32633, always_xy=True)
        x, y = to_utm.transform(GROUND.west_m + 1500, GROUND.north_m - 1400)
        grid = Grid.covering(Bounds(x - 1100, y - 1000, x + 1100, y + 1000), epsg=32633, resolution_m=10)
        return SimulatedPass(radar_store, slices, folders, radar_store.dem(dem or heights, dem_bounds()), grid)

    return make


def dem_bounds() -> Bounds:
    """Degrees around GROUND, with a margin."""
    to_degrees = Transformer.from_crs(GROUND.epsg, 4326, always_xy=True)
    west, south, east, north = to_degrees.transform_bounds(*GROUND.bounds)
    return Bounds(west - 0.01, south - 0.01, east + 0.01, north + 0.01)
