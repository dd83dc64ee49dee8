"""An area of 20 km in a full scene of 26,102 × 16,705 pixels to gamma nought at 10 m, one polarisation.

Orbit, timing and tables are those of the real scene over Rome (SAMPLE_DATA); its pixels, blank upstream, are made here,
and so are the heights. Floor: sarsen's own `terrain_correction` of the same area, which neither removes noise nor
filters, by the faster of its ways to flatten; `unfiltered` is ours without a speckle filter.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import rasterio
import sarsen
from pyproj import Transformer
from rasterio.transform import from_origin
from rasterio.windows import Window

from benchmarks.cases import SAMPLES, Case, main
from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.radar import RadarProduct, SafeFolder, Speckle

SCENE = "S1B_IW_GRDH_1SDV_20211223T051122_20211223T051147_030148_039993_5371"
LINES, SAMPLES_PX = 16_705, 26_102
GRID = Grid(epsg=32633, resolution_m=10, west_m=282_000, north_m=4_664_000, width=2000, height=2000)
STEP_DEG = 1 / 3600


def prepare(folder: Path) -> None:
    """The scene with speckle in every pixel, uncompressed as real ones; heights in degrees and on the grid."""
    source = SAMPLES / "sarsen-rome" / "tests" / "data" / f"{SCENE}.SAFE"
    for path in source.rglob("*"):
        target = scene(folder) / path.relative_to(source)
        if path.is_file() and not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(b"" if path.suffix == ".tiff" else path.read_bytes())
    measurement = next(scene(folder).rglob("*.tiff"))
    if not measurement.stat().st_size:
        _write_measurement(measurement)
    lon, lat = 12.30 + np.arange(1300) * STEP_DEG, 42.20 - np.arange(1300) * STEP_DEG
    x, y = Transformer.from_crs(4326, GRID.epsg, always_xy=True).transform(*np.meshgrid(lon, lat))
    corner = from_origin(lon[0] - STEP_DEG / 2, lat[0] + STEP_DEG / 2, STEP_DEG, STEP_DEG)
    _write_heights(dem(folder), heights(x, y), corner, 4326)
    east = GRID.west_m + (np.arange(GRID.width) + 0.5) * 10
    south = GRID.north_m - (np.arange(GRID.height) + 0.5) * 10
    place = from_origin(GRID.west_m, GRID.north_m, 10, 10)
    _write_heights(folder / "dem_on_grid.tif", heights(*np.meshgrid(east, south)), place, GRID.epsg)


def heights(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Hills of up to 300 m and 15°."""
    return np.float32(200 + 150 * np.sin(x / 1500) * np.cos(y / 1800))


def plain(folder: Path) -> None:
    sarsen.terrain_correction(
        sarsen.Sentinel1SarProduct(str(scene(folder)), measurement_group="IW/VV"),
        str(folder / "dem_on_grid.tif"),
        output_urlpath=str(folder / "sarsen" / "plain" / "gamma0.tif"),
        correct_radiometry="gamma_nearest",
        interp_method="linear",
    )


def clearground(folder: Path) -> None:
    _backscatter(folder, "clearground", Speckle())


def unfiltered(folder: Path) -> None:
    _backscatter(folder, "unfiltered", Speckle(filter="none"))


def scene(folder: Path) -> Path:
    return folder / "store" / "sarsen" / "key" / "1" / f"{SCENE}.SAFE"


def dem(folder: Path) -> Path:
    return folder / "store" / "sarsen" / "key" / "1" / "dem.tif"


def _backscatter(folder: Path, case: str, speckle: Speckle) -> None:
    from containers.sarsen import backscatter
    from containers.sarsen.contract.backscatter import SarsenBackscatterParams

    os.environ["CLEARGROUND_STORE"] = str(folder / "store")
    product = RadarProduct(
        id=SCENE, platform="S1B", polarisations=("vv",), start=datetime(2021, 12, 23, 5, 11, 22, tzinfo=UTC),
        stop=datetime(2021, 12, 23, 5, 11, 47, tzinfo=UTC), datatake="039993", absolute_orbit=30148,
        relative_orbit=22, direction="descending", footprint="POLYGON EMPTY",
    )  # fmt: skip
    paths = [path for path in sorted(scene(folder).rglob("*")) if path.is_file()]
    files = {path.relative_to(scene(folder)).as_posix(): _stored(folder, path) for path in paths}
    params = SarsenBackscatterParams(
        slices=(product,),
        folders=(SafeFolder(id=SCENE, files=files),),
        polarisations=("vv",),
        grid=GRID,
        dem=_stored(folder, dem(folder)),
        speckle=speckle,
    )
    backscatter.run(params, folder / "sarsen" / case)


def _stored(folder: Path, path: Path) -> File:
    return File(
        href=f"store:{path.relative_to(folder / 'store')}", content_id=f"etag:{path.name}", size=path.stat().st_size
    )


def _write_measurement(path: Path) -> None:
    rng = np.random.default_rng(0)
    block = np.rint(250 * np.sqrt(rng.gamma(4.4, 1 / 4.4, (512, SAMPLES_PX)))).astype(np.uint16)
    profile = {"driver": "GTiff", "width": SAMPLES_PX, "height": LINES, "count": 1, "dtype": "uint16"}
    with rasterio.open(path, "w", **profile) as sink:
        for row in range(0, LINES, len(block)):
            rows = min(len(block), LINES - row)
            sink.write(np.roll(block, row * 7, axis=1)[:rows], 1, window=Window(0, row, SAMPLES_PX, rows))


def _write_heights(path: Path, values: np.ndarray, transform: object, epsg: int) -> None:
    profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "crs": f"EPSG:{epsg}", "transform": transform}
    with rasterio.open(path, "w", width=values.shape[1], height=values.shape[0], **profile) as sink:
        sink.write(values, 1)


CASES: dict[str, Case] = {
    "plain": plain,
    "clearground": clearground,
    "unfiltered": unfiltered,
}


if __name__ == "__main__":
    main("benchmarks.sarsen", CASES, prepare)
