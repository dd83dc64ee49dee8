"""Rasters in a store of their own, small enough to check by hand."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine

from containers.base.contract.files import File, output_file
from containers.base.contract.grid import Grid
from containers.base.contract.scene import Scene
from containers.base.raster import write_cog
from containers.gdal import cube
from containers.gdal.contract.cube import CubeParams, CubeResult
from containers.gdal.contract.mosaic import PeriodLayers


@dataclass
class RasterStore:
    """A store folder, and files put into it under the addresses that a runner would give them."""

    root: Path
    _numbers: Any = field(default_factory=itertools.count)

    def folder(self, step: str = "gdal.composite") -> Path:
        """A new attempt folder."""
        path = self.root / step / f"{next(self._numbers):064x}" / "1"
        path.mkdir(parents=True)
        return path

    def file(self, path: Path, *, members: tuple[File, ...] = ()) -> File:
        """The artifact at a place in the store."""
        href = f"store:{path.relative_to(self.root)}"
        return output_file(path, members=members).model_copy(update={"href": href})

    def adopt(self, file: File, out: Path) -> File:
        """What the runner makes of a file in a step's result."""
        return file.model_copy(update={"href": f"store:{(out / file.href).relative_to(self.root)}"})

    def cog(self, array: NDArray[Any], grid: Grid, *, nodata: float | None, name: str = "red") -> File:
        return self.file(write_cog(self.folder() / f"{name}.tif", array, grid, nodata=nodata))

    def source(self, array: NDArray[Any], *, epsg: int | None, transform: Affine, name: str = "B04.jp2") -> File:
        """An archive-like raster without declared nodata: reversible JP2 or GeoTIFF by its suffix."""
        path = self.folder("archive.sentinel2") / name
        jp2 = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES", "BLOCKXSIZE": 64, "BLOCKYSIZE": 64}
        options = jp2 if path.suffix == ".jp2" else {"driver": "GTiff"}
        height, width = array.shape
        crs = f"EPSG:{epsg}" if epsg else None
        profile = {
            "width": width,
            "height": height,
            "count": 1,
            "dtype": array.dtype,
            "crs": crs,
            "transform": transform,
        }
        with rasterio.open(path, "w", **profile, **options) as sink:
            sink.write(array, 1)
        return self.file(path)

    def read(self, file: File, out: Path) -> NDArray[Any]:
        """The first band of a file that a step has left in its output folder."""
        with rasterio.open(out / file.href) as dataset:
            array: NDArray[Any] = dataset.read(1)
        return array


@pytest.fixture
def raster_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RasterStore:
    root = tmp_path / "store"
    root.mkdir()
    monkeypatch.setenv("CLEARGROUND_STORE", str(root))
    return RasterStore(root)


SceneMaker = Callable[..., Scene]


@pytest.fixture
def make_scene() -> SceneMaker:
    def make(bands: dict[str, File], **fields: Any) -> Scene:
        when = datetime(2020, 5, 17, 10, 10, 31, tzinfo=UTC)
        facts: dict[str, Any] = {
            "id": "S2A_MSIL2A_20200517T101031_N0214_R022_T33UUP_20200517T132021",
            "platform": "S2A",
            "level": "L2A",
            "tile": "33UUP",
            "datetime": when,
            "datatake": when,
            "orbit": 22,
            "baseline": "02.14",
            "processed": when,
            "footprint": "POLYGON EMPTY",
            "offsets_dn": dict.fromkeys(bands, 0.0),
        }
        return Scene(bands=bands, **(facts | fields))

    return make


@dataclass
class SmallCube:
    """Two periods of two bands with counts, dates and labels, and the cube that is made of them."""

    store: RasterStore
    grid = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=90, height=70)
    bands = ("swir16", "red")
    nodata = -32768

    def __post_init__(self) -> None:
        self.periods = tuple(PeriodLayers(period=period, layers=self.layers(period)) for period in ("2018", "2019"))
        self.codes = np.random.default_rng(5).integers(0, 4, self.grid.shape).astype(np.uint8)
        self.labels = self.store.cog(self.codes, self.grid, nodata=0, name="labels")

    def values(self, period: str, band: str) -> NDArray[np.int16]:
        rng = np.random.default_rng([int(period), self.bands.index(band)])
        array = rng.integers(-300, 9000, self.grid.shape).astype(np.int16)
        array[rng.random(self.grid.shape) < 0.1] = self.nodata
        return array

    def seen(self, period: str) -> NDArray[np.bool_]:
        return self.values(period, "red") != self.nodata

    def layers(self, period: str) -> dict[str, File]:
        count = self.seen(period).astype(np.uint8) * 3
        date = np.where(count, 17_000 + int(period), 0).astype(np.int32)
        bands = {band: self.store.cog(self.values(period, band), self.grid, nodata=self.nodata) for band in self.bands}
        return bands | {
            "observations": self.store.cog(count, self.grid, nodata=None, name="observations"),
            "source_date": self.store.cog(date, self.grid, nodata=0, name="source_date"),
        }

    def write(self, **options: Any) -> tuple[CubeResult, Path]:
        """The step's result, and the path of the cube."""
        out = self.store.folder("gdal.cube")
        facts = {"periods": self.periods, "bands": self.bands, "labels": {"2018": self.labels}, "chunk_px": 32}
        return cube.run(CubeParams(grid=self.grid, **(facts | options)), out), out / "cube.h5"


@pytest.fixture
def small_cube(raster_store: RasterStore) -> SmallCube:
    return SmallCube(raster_store)
