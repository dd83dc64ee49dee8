"""Three periods of one true-size band into HDF5.

Floor: reading the rasters, and nothing else. Rivals: the prototype's way (float32 with NaN, gzip 4, window by window)
and the HDF5 library's own filters on one thread.
"""

import os
from pathlib import Path

import h5py
import numpy as np

from benchmarks.cases import Case, main
from containers.base.contract.files import File, sha256_of
from containers.base.contract.grid import Grid
from containers.base.raster import open_raster, row_windows, tile_windows, write_cog

PERIODS = ("2018", "2019", "2020")
NODATA = -32768
GRID = Grid(epsg=3035, resolution_m=20, west_m=4_556_800, north_m=3_261_440, width=6144, height=5888)


def layer(folder: Path, period: str) -> Path:
    return folder / "store" / "mosaic" / period / "1" / "red.tif"


def prepare(folder: Path) -> None:
    """Textured, noisy reflectance with a fifth of nodata."""
    for number, period in enumerate(PERIODS):
        path = layer(folder, period)
        if path.is_file():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(number)
        knots = rng.normal(size=(GRID.height // 46 + 1, GRID.width // 46 + 1))
        ground = np.kron(knots, np.ones((46, 46)))[: GRID.height, : GRID.width]
        values = (1500 + 600 * ground + rng.normal(0, 25, ground.shape)).astype(np.int16)
        values[: GRID.height // 5] = NODATA
        write_cog(path, values, GRID, nodata=NODATA)


def read(folder: Path) -> None:
    for period in PERIODS:
        with open_raster(layer(folder, period)) as source:
            for window in row_windows(GRID.shape):
                source.read(1, window=window)


def clearground(folder: Path) -> None:
    from containers.gdal.contract.cube import CubeParams
    from containers.gdal.contract.mosaic import PeriodLayers
    from containers.gdal.cube import run

    os.environ["CLEARGROUND_STORE"] = str(folder / "store")
    periods = []
    for period in PERIODS:
        path = layer(folder, period)
        href = f"store:mosaic/{period}/1/red.tif"
        file = File(href=href, content_id=sha256_of(path), size=path.stat().st_size)
        periods.append(PeriodLayers(period=period, layers={"red": file}))
    run(CubeParams(grid=GRID, periods=tuple(periods), bands=("red",)), folder / "cube" / "clearground")


def library(folder: Path) -> None:
    """The same content and layout, packed by the HDF5 library."""
    with h5py.File(folder / "cube" / "library" / "cube.h5", "w") as cube:
        for period in PERIODS:
            options = {"chunks": (256, 256), "compression": "gzip", "compression_opts": 4, "shuffle": True}
            dataset = cube.create_dataset(period, GRID.shape, "int16", fillvalue=NODATA, **options)
            with open_raster(layer(folder, period)) as source:
                for window in row_windows(GRID.shape):
                    dataset[window.row_off : window.row_off + window.height] = source.read(1, window=window)


def prototype(folder: Path) -> None:
    with h5py.File(folder / "cube" / "prototype" / "cube.h5", "w") as cube:
        for period in PERIODS:
            options = {"chunks": (256, 256), "compression": "gzip", "compression_opts": 4}
            dataset = cube.create_dataset(period, GRID.shape, "float32", **options)
            with open_raster(layer(folder, period)) as source:
                for window in tile_windows(GRID.shape, 256):
                    values = source.read(1, window=window).astype(np.float32)
                    values[values == NODATA] = np.nan
                    rows, cols = window.toslices()
                    dataset[rows, cols] = values


CASES: dict[str, Case] = {"read": read, "clearground": clearground, "library": library, "prototype": prototype}


if __name__ == "__main__":
    main("benchmarks.cube", CASES, prepare)
