"""Pastures of a full tile cut out of ten bands and the scene classification, JP2 to GeoTIFF.

Floor: decoding exactly the JP2 blocks that the pastures touch, with the same threads, and nothing else. Rival: the
earlier system's way, `gdal.Warp` with the pastures as cutline for each layer, to 10 m, LZW (in GDAL's own program,
which the image has).
"""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from rasterio.transform import from_origin
from rasterio.windows import Window

from benchmarks.cases import Case, main
from containers.base.contract.files import File
from containers.base.contract.scene import Scene
from containers.base.sentinel2 import band as band_of
from containers.gdal.contract.cut import TEN_BANDS, CutParams

EDGE_PX, BLOCK_PX, THREADS = 10_980, 1024, 2
WEST_M, NORTH_M, EPSG = 300_000, 5_000_040, 32632
PASTURES, SITES = 40, 641
SCL = "scl"
LAYERS = (*TEN_BANDS, SCL)
NEAR_BLOCKS = (3, 7)
"""Pastures lie in some neighbouring blocks of the tile, as massifs do."""


def cell_m(layer: str) -> int:
    return 20 if layer == SCL else max(10, band_of(layer).resolution_m)


def prepare(folder: Path) -> None:
    """Textured, noisy bands; pastures of 10 to 200 ha and survey sites in a quarter of the tile."""
    rng = np.random.default_rng(1)
    store_of(folder).mkdir(parents=True, exist_ok=True)
    for number, layer in enumerate(LAYERS):
        path, size = source(folder, layer), EDGE_PX * 10 // cell_m(layer)
        if path.is_file():
            continue
        knots = rng.normal(size=(size // 60 + 1, size // 60 + 1))
        ground = np.kron(knots, np.ones((60, 60)))[:size, :size].astype(np.float32)
        noise = rng.normal(0, 25, ground.shape).astype(np.float32)
        values = np.clip(2200 + 200 * number + 500 * ground + noise, 1, None).astype(np.uint16)
        if layer == SCL:
            values = np.clip(np.rint(5 + 2 * ground), 2, 11).astype(np.uint8)
        profile = {"width": size, "height": size, "count": 1, "dtype": values.dtype, "crs": f"EPSG:{EPSG}"}
        options = {"QUALITY": "100", "REVERSIBLE": "YES", "BLOCKXSIZE": BLOCK_PX, "BLOCKYSIZE": BLOCK_PX}
        transform = from_origin(WEST_M, NORTH_M, cell_m(layer), cell_m(layer))
        with rasterio.open(path, "w", driver="JP2OpenJPEG", transform=transform, **profile, **options) as sink:
            sink.write(values, 1)
    stencils(folder).to_parquet(store_of(folder) / "stencils.parquet")
    stencils(folder).query("geometry.geom_type == 'Polygon'").to_file(store_of(folder) / "cutline.gpkg")


def stencils(folder: Path) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(2)
    low, high = (edge * BLOCK_PX * 10 for edge in NEAR_BLOCKS)
    centres = rng.uniform(low, high, (PASTURES + SITES, 2))
    points = [shapely.Point(WEST_M + x, NORTH_M - y) for x, y in centres]
    pastures = [point.buffer(radius) for point, radius in zip(points, rng.uniform(180, 800, PASTURES), strict=False)]
    return gpd.GeoDataFrame(geometry=[*pastures, *points[PASTURES:]], crs=EPSG)


def store_of(folder: Path) -> Path:
    return folder / "store" / "cut" / "key" / "1"


def source(folder: Path, layer: str) -> Path:
    return store_of(folder) / f"{layer}.jp2"


def touched_blocks(folder: Path, layer: str) -> list[Window]:
    """Found by geometry: the blocks of a file that a stencil meets."""
    size, block_m = EDGE_PX * 10 // cell_m(layer), BLOCK_PX * cell_m(layer)
    tree = shapely.STRtree(stencils(folder).geometry)
    found = []
    for row in range(0, size, BLOCK_PX):
        for col in range(0, size, BLOCK_PX):
            west, north = WEST_M + col * cell_m(layer), NORTH_M - row * cell_m(layer)
            if tree.query(shapely.box(west, north - block_m, west + block_m, north), "intersects").size:
                found.append(Window(col, row, min(BLOCK_PX, size - col), min(BLOCK_PX, size - row)))
    return found


def decode(folder: Path) -> None:
    def read(item: tuple[str, Window]) -> None:
        layer, window = item
        with rasterio.Env(GDAL_NUM_THREADS="1"), rasterio.open(source(folder, layer), sharing=False) as dataset:
            dataset.read(1, window=window)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(read, [(layer, window) for layer in LAYERS for window in touched_blocks(folder, layer)]))


def clearground(folder: Path) -> None:
    from containers.gdal.cut import run

    os.environ["CLEARGROUND_STORE"] = str(folder / "store")

    def stored(name: str) -> File:
        return File(href=f"store:cut/key/1/{name}", content_id=f"etag:{name}", size=1)

    when = datetime(2020, 7, 17, tzinfo=UTC)
    scene = Scene(
        id="benchmark", platform="S2A", level="L2A", tile="32TLQ", datetime=when, datatake=when, orbit=108,
        baseline="02.14", processed=when, footprint="POLYGON EMPTY",
        bands={name: stored(f"{name}.jp2") for name in TEN_BANDS}, offsets_dn=dict.fromkeys(TEN_BANDS, 0.0),
        scl=stored(f"{SCL}.jp2"),
    )  # fmt: skip
    params = CutParams(parts=(scene,), stencils=stored("stencils.parquet"))
    run(params, folder / "cut" / "clearground")


def prototype(folder: Path) -> None:
    for layer in LAYERS:
        target = folder / "cut" / "prototype" / f"{layer}.tif"
        target.unlink(missing_ok=True)
        command = ["gdalwarp", "-q", "-cutline", str(store_of(folder) / "cutline.gpkg"), "-crop_to_cutline"]
        options = ["-tr", "10", "10", "-tap", "-r", "near", "-dstnodata", "0" if layer == SCL else "-1000"]
        creation = ["-ot", "Byte" if layer == SCL else "Int16", "-co", "COMPRESS=LZW", "-co", "PREDICTOR=2"]
        subprocess.run([*command, *options, *creation, str(source(folder, layer)), str(target)], check=True)


CASES: dict[str, Case] = {"decode": decode, "clearground": clearground, "prototype": prototype}


if __name__ == "__main__":
    main("benchmarks.cut", CASES, prepare)
