"""Counts of four rasters of 4096² cells in 36 regions, by both engines.

Floor: reading the rasters, and nothing else.
"""

import os
from pathlib import Path

import geopandas
import numpy as np
from shapely import Polygon

from benchmarks.cases import Case, main
from containers.base.contract.files import File, sha256_of
from containers.base.contract.grid import Grid
from containers.base.raster import open_raster, row_windows, write_cog
from containers.grass.contract.zonal import ZonalLayer, ZonalParams
from containers.grass.zonal import run

GRID = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_100_000, width=4096, height=4096)
LAYERS, ROWS = 4, 6


def prepare(folder: Path) -> None:
    """Rare change with a corner without data, and regions with ragged edges."""
    folder = folder_of(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    for layer in range(LAYERS):
        values = (rng.random(GRID.shape) < 0.01).astype(np.uint8)
        values[:500, :900] = 255
        write_cog(folder / f"{layer}.tif", values, GRID, nodata=255)
    ids = [f"R{number:02d}" for number in range(ROWS**2)]
    regions = geopandas.GeoDataFrame({"nuts_id": ids, "region_name": ids}, geometry=ragged_regions(), crs=GRID.epsg)
    regions.to_file(folder / "regions.gpkg")


def ragged_regions() -> list[Polygon]:
    """Neighbours share their edges, which have a corner about every 200 m."""
    rng = np.random.default_rng(2)
    steps = ROWS * 68 + 1
    at = np.linspace(0, GRID.width * GRID.resolution_m, steps)
    wave = rng.normal(0, 100, (2, ROWS + 1, steps))
    edge = [round(index * (steps - 1) / ROWS) for index in range(ROWS + 1)]

    def corner(row: int, col: int, along: int, across: str) -> tuple[float, float]:
        x = at[edge[col]] + wave[0, col, along] if across == "x" else at[along]
        y = at[along] if across == "x" else at[edge[row]] + wave[1, row, along]
        return GRID.west_m + x, GRID.north_m - y

    def region(row: int, col: int) -> Polygon:
        columns, rows = range(edge[col] + 2, edge[col + 1] - 1), range(edge[row] + 2, edge[row + 1] - 1)
        top = [corner(row, col, along, "y") for along in columns]
        right = [corner(row, col + 1, along, "x") for along in rows]
        bottom = [corner(row + 1, col, along, "y") for along in reversed(columns)]
        left = [corner(row, col, along, "x") for along in reversed(rows)]
        return Polygon([*top, *right, *bottom, *left])

    return [region(row, col) for row in range(ROWS) for col in range(ROWS)]


def folder_of(folder: Path) -> Path:
    return folder / "store" / "zonal" / "key" / "1"


def read(folder: Path) -> None:
    for layer in range(LAYERS):
        with open_raster(folder_of(folder) / f"{layer}.tif") as source:
            for window in row_windows(GRID.shape):
                source.read(1, window=window)


def count(folder: Path, engine: str) -> None:
    os.environ["CLEARGROUND_STORE"] = str(folder / "store")

    def stored(name: str) -> File:
        path = folder_of(folder) / name
        return File(href=f"store:zonal/key/1/{name}", content_id=sha256_of(path), size=path.stat().st_size)

    layers = [
        ZonalLayer(indicator="new_green", period=str(2018 + number), raster=stored(f"{number}.tif"))
        for number in range(LAYERS)
    ]
    params = ZonalParams.model_validate({"layers": layers, "regions": stored("regions.gpkg"), "engine": engine})
    run(params, folder / "zonal" / engine)


def grass(folder: Path) -> None:
    count(folder, "grass")


def exactextract(folder: Path) -> None:
    count(folder, "exactextract")


CASES: dict[str, Case] = {"read": read, "grass": grass, "exactextract": exactextract}


if __name__ == "__main__":
    main("benchmarks.zonal", CASES, prepare)
