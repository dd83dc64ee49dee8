"""A real cube of the Copernicus Data Space (April 2023, 12 dates) by its scene classification, to filled values."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine
from shapely import box

from containers.base.contract.files import File, sha256_of
from containers.base.contract.grid import Grid
from containers.base.contract.scene import Scene
from containers.gdal import fill, mask, observe, series
from containers.gdal.contract.fill import FillParams
from containers.gdal.contract.mask import MaskParams, MaskRules
from containers.gdal.contract.observe import ObserveParams
from containers.gdal.contract.series import Seen, SeriesParams, SeriesResult
from tasks.records import with_files

pytestmark = pytest.mark.real
CUBE = "gfmap-cdse/tests/tests_integration/results/cdse_sentinel2_l2a.nc"
BANDS = {"red": "B04", "nir": "B08", "swir16": "B11"}
CLEAR = (2, 4, 5, 6)
FIRST = date(1990, 1, 1)


class Cube(NamedTuple):
    """(time, y, x) of each layer, dates, and the grid, which is of UTM 31N at 10 m."""

    layers: dict[str, NDArray[np.int64]]
    dates: list[date]
    grid: Grid


@pytest.fixture(scope="module")
def cube(sample_data: Path) -> Cube:
    if not (sample_data / CUBE).is_file():
        pytest.skip(f"the samples lack {CUBE}")
    with h5py.File(sample_data / CUBE) as file:
        layers = {name: file[f"S2-L2A-{code}"][:].astype(np.int64) for name, code in {**BANDS, "scl": "SCL"}.items()}
        dates = [FIRST + timedelta(days=int(day)) for day in file["t"][:]]
        west, north = float(file["x"][0]) - 5, float(file["y"][0]) + 5
    rows, columns = layers["red"].shape[1:]
    grid = Grid(epsg=32631, resolution_m=10, west_m=west, north_m=north, width=columns, height=rows)
    return Cube({name: np.where(values < 0, 0, values) for name, values in layers.items()}, dates, grid)


class Bench:
    """Steps run one after another in a store of this test."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, step: Any, params: Any) -> Any:
        number = len(list(self.root.glob("*/*")))
        out = self.root / params.step / f"{number:064x}" / "1"
        out.mkdir(parents=True)
        return with_files(step.run(params, out), lambda file: self._placed(file, out))

    def file(self, name: str, values: NDArray[np.int64], grid: Grid) -> File:
        path = self.root / "made" / name / "1" / "band.tif"
        path.parent.mkdir(parents=True)
        transform = Affine(10, 0, grid.west_m, 0, -10, grid.north_m)
        profile = {"driver": "GTiff", "width": grid.width, "height": grid.height, "count": 1, "dtype": "uint16"}
        with rasterio.open(path, "w", crs=f"EPSG:{grid.epsg}", transform=transform, **profile) as sink:
            sink.write(values.astype(np.uint16), 1)
        href = f"store:{path.relative_to(self.root)}"
        return File(href=href, content_id=sha256_of(path), size=path.stat().st_size)

    def _placed(self, file: File, out: Path) -> File:
        is_bare = ":" not in file.href
        return (
            file.model_copy(update={"href": f"store:{(out / file.href).relative_to(self.root)}"}) if is_bare else file
        )


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("CLEARGROUND_STORE", str(tmp_path))
    return Bench(tmp_path)


def seen_on(bench: Bench, cube: Cube, index: int) -> Seen:
    taken = datetime.combine(cube.dates[index], datetime.min.time(), UTC).replace(hour=10)
    files = {name: bench.file(f"{index}-{name}", values[index], cube.grid) for name, values in cube.layers.items()}
    # The provider has settled the offset already.
    scene = Scene(
        id=f"cdse-{index}", platform="S2A", level="L2A", tile="31UFS", datetime=taken, datatake=taken, orbit=8,
        baseline="02.14", processed=taken, footprint=box(5, 51, 6, 52).wkt, scl=files.pop("scl"), bands=files,
        offsets_dn=dict.fromkeys(files, 0.0),
    )  # fmt: skip
    observation = bench.run(
        observe,
        ObserveParams(
            parts=(scene,), index_bands=("red", "nir"), mask_bands=("red", "nir", "swir16"), grid=cube.grid,
            block_px=16, mask_resolution_m=10, background_resolution_m=40,
        ),
    )  # fmt: skip
    rules = MaskRules(engine="auto", dilate_m={})
    masked = bench.run(mask, MaskParams(observation=observation, rules=rules))
    assert masked.engine == "scl"
    return Seen(scene_id=scene.id, acquired=taken, grid=observation.grid, bands=observation.bands, mask=masked.mask)


def test_from_scene_classes_to_filled_values(bench: Bench, cube: Cube) -> None:
    has_data = [index for index in range(len(cube.dates)) if (cube.layers["red"][index] > 0).any()]
    seen = tuple(seen_on(bench, cube, index) for index in has_data)
    found: SeriesResult = bench.run(series, SeriesParams(seen=seen, index="ndvi", grid=cube.grid))
    red, nir, scl = (cube.layers[name][has_data] for name in ("red", "nir", "scl"))
    clear = np.isin(scl, CLEAR) & (red > 0) & (nir > 0)
    expected = np.where(clear, (nir - red) / np.maximum(nir + red, 1), np.nan)
    with h5py.File(bench.root / found.series.store_path) as file:
        values = np.where(file["values"][:] == -32768, np.nan, file["values"][:] * 1e-4)
    kept = [index for index, day in enumerate(cube.dates) if day in found.dates]
    assert np.array_equal(np.isfinite(values), clear[[has_data.index(index) for index in kept]])
    assert np.nanmax(np.abs(values - expected[[has_data.index(index) for index in kept]])) < 1e-4

    filled = bench.run(fill, FillParams(series=found.series, first=cube.dates[0], last=cube.dates[-1], every_days=0))
    with h5py.File(bench.root / filled.filled.store_path) as file:
        curve, quality = file["values"][:] * 1e-4, file["quality"][:]
    ever = clear.any(axis=0)
    assert (quality[:, ever] != 0).all()
    assert (quality[:, ~ever] == 0).all()
    assert (np.abs(curve[:, ever]) < 1).all()
