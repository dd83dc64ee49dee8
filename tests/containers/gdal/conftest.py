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


def smooth_noise(shape: tuple[int, int], seed: int = 0, coarseness: int = 8) -> NDArray[np.float64]:
    """Texture between 0 and 1 without steps: bilinear between random knots."""
    rng = np.random.default_rng(seed)
    knots = rng.random((shape[0] // coarseness + 2, shape[1] // coarseness + 2))
    rows, cols = np.arange(shape[0]) / coarseness, np.arange(shape[1]) / coarseness
    r, c = rows.astype(int), cols.astype(int)
    fr, fc = (rows - r)[:, None], (cols - c)[None, :]
    above = knots[r][:, c] * (1 - fc) + knots[r][:, c + 1] * fc
    below = knots[r + 1][:, c] * (1 - fc) + knots[r + 1][:, c + 1] * fc
    result: NDArray[np.float64] = above * (1 - fr) + below * fr
    return result
