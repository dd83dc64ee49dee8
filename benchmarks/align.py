"""Three true-size bands and their scene classification from JP2 to a snapped grid.

Floor: decoding the same files with the same threads, and nothing else. Rivals: the prototype's way (rasterio, band
after band, default transform, LZW, neither SCL nor nodata) and odc-stac with Dask threads.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.warp import Resampling, calculate_default_transform, reproject
from rasterio.windows import Window

from benchmarks.cases import Case, main
from containers.base.contract.files import File
from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.scene import Scene

SIZE, TILE, THREADS = 5490, 640, 2
BANDS = {"red": "B04", "swir16": "B11", "swir22": "B12"}
FILES = (*BANDS.values(), "SCL")
TRANSFORM = from_origin(399_960, 5_800_020, 20, 20)
GRID = Grid.covering(Bounds(4_500_000, 3_100_000, 4_800_000, 3_300_000), epsg=3035, resolution_m=20, block_px=256)


def prepare(folder: Path) -> None:
    """Textured, noisy bands of about 26 MB each, with a corner without data."""
    rng = np.random.default_rng(1)
    knots = rng.normal(size=(SIZE // 45 + 2, SIZE // 45 + 2)) * 2
    ground = np.kron(knots, np.ones((45, 45)))[:SIZE, :SIZE]
    for number, band in enumerate(FILES):
        path = source(folder, band)
        if path.is_file():
            continue
        if band == "SCL":
            values = np.clip(np.rint(5 + ground), 1, 11).astype(np.uint8)
        else:
            noise = rng.normal(0, 25, ground.shape)
            values = np.clip(2200 + 300 * number + 500 * ground + noise, 1, None).astype(np.uint16)
        values[:700, :1500] = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        profile = {"width": SIZE, "height": SIZE, "count": 1, "dtype": values.dtype, "crs": "EPSG:32633"}
        options = {"QUALITY": "100", "REVERSIBLE": "YES", "BLOCKXSIZE": TILE, "BLOCKYSIZE": TILE}
        with rasterio.open(path, "w", driver="JP2OpenJPEG", transform=TRANSFORM, **profile, **options) as sink:
            sink.write(values, 1)


def source(folder: Path, band: str) -> Path:
    return folder / "store" / "archive" / "key" / "1" / f"{band}.jp2"


def out_of(folder: Path, case: str) -> Path:
    return folder / "align" / case


def decode(folder: Path) -> None:
    """Rows of JP2 tiles, each by one thread: on two cores faster than GDAL's own threads."""

    def read(item: tuple[str, int]) -> None:
        band, row = item
        window = Window(0, row, SIZE, min(TILE, SIZE - row))
        with rasterio.Env(GDAL_NUM_THREADS="1"), rasterio.open(source(folder, band), sharing=False) as dataset:
            dataset.read(1, window=window)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(read, [(band, row) for band in FILES for row in range(0, SIZE, TILE)]))


def gdal_decode(folder: Path) -> None:
    """Whole bands with GDAL's own threads, which lose the errors of damaged files."""
    for band in FILES:
        with rasterio.Env(GDAL_NUM_THREADS=THREADS), rasterio.open(source(folder, band)) as dataset:
            dataset.read(1)


def clearground(folder: Path) -> None:
    from containers.gdal.align import run
    from containers.gdal.contract.align import AlignParams

    os.environ["CLEARGROUND_STORE"] = str(folder / "store")

    def stored(band: str) -> File:
        return File(href=f"store:archive/key/1/{band}.jp2", content_id=f"etag:{band}", size=1)

    when = datetime(2020, 5, 17, tzinfo=UTC)
    scene = Scene(
        id="benchmark",
        platform="S2A",
        level="L2A",
        tile="33UUU",
        datetime=when,
        datatake=when,
        orbit=22,
        baseline="02.14",
        processed=when,
        footprint="POLYGON EMPTY",
        bands={name: stored(band) for name, band in BANDS.items()},
        offsets_dn=dict.fromkeys(BANDS, 0.0),
        scl=stored("SCL"),
    )
    run(AlignParams(parts=(scene,), bands=tuple(BANDS), grid=GRID), out_of(folder, "clearground"))


def prototype(folder: Path) -> None:
    for band in BANDS.values():
        with rasterio.open(source(folder, band)) as dataset:
            transform, width, height = calculate_default_transform(
                dataset.crs, "EPSG:3035", dataset.width, dataset.height, *dataset.bounds
            )
            place = {"crs": "EPSG:3035", "transform": transform, "width": width, "height": height}
            profile = dataset.profile | place | {"driver": "GTiff", "compress": "lzw", "tiled": False}
            with rasterio.open(out_of(folder, "prototype") / f"{band}_EPSG3035.tif", "w", **profile) as sink:
                reproject(
                    rasterio.band(dataset, 1),
                    rasterio.band(sink, 1),
                    dst_crs="EPSG:3035",
                    dst_transform=transform,
                    resampling=Resampling.nearest,
                )


def odc_stac(folder: Path) -> None:
    import odc.stac
    import pystac
    from odc.geo.geobox import GeoBox

    item = pystac.Item("benchmark", None, None, datetime(2020, 5, 17, tzinfo=UTC), {"proj:epsg": 32633})
    item.stac_extensions = ["https://stac-extensions.github.io/projection/v1.1.0/schema.json"]
    fields = {"proj:shape": [SIZE, SIZE], "proj:transform": list(TRANSFORM)[:6]}
    for band in FILES:
        item.add_asset(
            band, pystac.Asset(str(source(folder, band)), "image/jp2", band, roles=["data"], extra_fields=fields)
        )
    with rasterio.open(source(folder, "SCL")) as dataset:
        outline = rasterio.warp.transform_bounds(dataset.crs, "EPSG:4326", *dataset.bounds)
        bounds = rasterio.warp.transform_bounds(dataset.crs, "EPSG:3035", *dataset.bounds, densify_pts=21)
    item.bbox = list(outline)
    west, south, east, north = outline
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    item.geometry = {"type": "Polygon", "coordinates": [ring]}
    target = GRID.clipped_to(Bounds(*bounds), 256)
    geobox = GeoBox.from_bbox(tuple(target.bounds), crs="EPSG:3035", resolution=20)
    loaded = odc.stac.load([item], FILES, geobox=geobox, chunks={"x": 2048, "y": 2048}, nodata=0)
    import dask

    with dask.config.set(scheduler="threads", num_workers=THREADS):
        computed = loaded.compute()
    for band in FILES:
        computed[band].isel(time=0).odc.write_cog(out_of(folder, "odc_stac") / f"{band}.tif", overwrite=True)


CASES: dict[str, Case] = {
    "decode": decode,
    "gdal_decode": gdal_decode,
    "clearground": clearground,
    "prototype": prototype,
    "odc_stac": odc_stac,
}


if __name__ == "__main__":
    main("benchmarks.align", CASES, prepare)
