"""A true-size L1C acquisition from its 13 JP2s to its mask: read once, compared with 20 other dates by both methods.

Floor: decoding the same files with the same threads, and nothing else.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window

from benchmarks.cases import Case, main
from containers.base.contract.files import File
from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.scene import Scene
from containers.base.raster import write_cog
from containers.base.sentinel2 import BANDS, band
from containers.gdal.contract.mask import COMPONENTS, MaskParams
from containers.gdal.contract.mask_forest import MaskModel, SceneSplit, TrainingDomain
from containers.gdal.contract.observe import Image, ObserveParams
from containers.gdal.picture import covering

TILE_M, WEST_M, NORTH_M, THREADS = 109_800, 399_960, 5_800_020, 2
JP2_TILE = {10: 1024, 20: 640, 60: 192}
DATES = 20
NAMES = tuple(band.name for band in BANDS)
GRID = Grid.covering(Bounds(4_500_000, 3_100_000, 4_800_000, 3_300_000), epsg=3035, resolution_m=20, block_px=256)
TILE = Grid(epsg=32633, resolution_m=60, west_m=WEST_M, north_m=NORTH_M, width=TILE_M // 60, height=TILE_M // 60)


def prepare(folder: Path) -> None:
    """Textured, noisy bands with bright places and a corner without data; the same ground on other dates; a model."""
    (folder / "store" / "mask" / "key" / "1").mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(NAMES):
        if not path_of(folder, f"{name}.jp2").is_file():
            _write_jp2(path_of(folder, f"{name}.jp2"), ground(number, TILE_M // band(name).resolution_m), name)
    picture = covering(TILE, 240)
    for date in range(DATES):
        if not path_of(folder, f"{date}.tif").is_file():
            rng = np.random.default_rng(date)
            bands = [ground(number, picture.width) + rng.normal(0, 25, picture.shape) for number in range(len(NAMES))]
            write_cog(path_of(folder, f"{date}.tif"), np.int16(bands), picture, nodata=-32768, bands=NAMES)
    path_of(folder, "model.json").write_text(_model().model_dump_json())


def ground(number: int, size: int) -> np.ndarray:
    """Digital numbers of one band, float."""
    knots = np.random.default_rng(number % 4).normal(size=(61, 61))
    cells = np.arange(size) * 60 // size
    texture = knots[np.ix_(cells, cells)]
    return np.float32(1800 + 250 * texture + 20 * number + 4500 * (texture > 1.6))


def decode(folder: Path) -> None:
    """Rows of JP2 tiles, each by one thread."""

    def read(item: tuple[str, int, int]) -> None:
        name, row, rows = item
        with (
            rasterio.Env(GDAL_NUM_THREADS="1", GDAL_CACHEMAX=128),
            rasterio.open(path_of(folder, f"{name}.jp2"), sharing=False) as source,
        ):
            source.read(1, window=Window(0, row, source.width, min(rows, source.height - row)))

    blocks = [(name, band(name).resolution_m) for name in NAMES]
    with ThreadPoolExecutor(THREADS) as pool:
        work = [(n, row, JP2_TILE[m]) for n, m in blocks for row in range(0, TILE_M // m, JP2_TILE[m])]
        list(pool.map(read, work))


def clearground(folder: Path) -> None:
    from containers.gdal import mask, observe

    os.environ["CLEARGROUND_STORE"] = str(folder / "store")
    out = folder / "store" / "mask" / "clearground" / "1"
    out.mkdir(parents=True, exist_ok=True)
    params = ObserveParams(parts=(_scene(),), index_bands=("red", "nir"), mask_bands=NAMES, grid=GRID)
    seen = observe.run(params, out)
    features = Image(file=_stored(seen.features.file.href, "clearground"), grid=seen.features.grid)
    others = tuple(Image(file=_stored(f"{date}.tif"), grid=covering(TILE, 240)) for date in range(DATES))
    mask.run(
        MaskParams(
            observation=seen.model_copy(update={"features": features}),
            backgrounds={"nearest": others, "least_cloudy": others[::-1]},
            model=_stored("model.json"),
        ),
        folder / "mask" / "clearground",
    )


def path_of(folder: Path, name: str) -> Path:
    return folder / "store" / "mask" / "key" / "1" / name


def _stored(name: str, key: str = "key") -> File:
    return File(href=f"store:mask/{key}/1/{name}", content_id=f"etag:{name}", size=1)


def _scene() -> Scene:
    when = datetime(2020, 5, 17, 10, 10, tzinfo=UTC)
    return Scene(
        id="benchmark", platform="S2A", level="L1C", tile="33UUU", datetime=when, datatake=when, orbit=22,
        baseline="02.09", processed=when, footprint="POLYGON EMPTY",
        bands={name: _stored(f"{name}.jp2") for name in NAMES}, offsets_dn=dict.fromkeys(NAMES, 0.0),
    )  # fmt: skip


def _model() -> MaskModel:
    cells = 2 ** len(COMPONENTS)
    return MaskModel(
        features=COMPONENTS,
        probabilities=tuple(number.bit_count() / len(COMPONENTS) for number in range(cells)),
        pixels=(100,) * cells,
        trees=1,
        cutoff=0.29,
        split=SceneSplit(seed=0, train=("a",), test=("b",)),
        metrics={},
        training_domain=TrainingDomain(
            simulated=False,
            level="L1C",
            mask_resolution_m=60,
            baselines=("02.09",),
            tiles=("33UUU",),
            surfaces=(),
            first_date="2020-01-01",
            last_date="2020-12-31",
            scenes=2,
        ),
        versions={},
    )


def _write_jp2(path: Path, values: np.ndarray, name: str) -> None:
    cell_m = band(name).resolution_m
    numbers = values + np.random.default_rng(len(name)).normal(0, 25, values.shape).astype(np.float32)
    numbers = np.clip(numbers, 1, None).astype(np.uint16)
    numbers[: 7_000 // cell_m, : 15_000 // cell_m] = 0
    profile = {"width": len(values), "height": len(values), "count": 1, "dtype": "uint16", "crs": "EPSG:32633"}
    options = {"QUALITY": "100", "REVERSIBLE": "YES", "BLOCKXSIZE": JP2_TILE[cell_m], "BLOCKYSIZE": JP2_TILE[cell_m]}
    place = from_origin(WEST_M, NORTH_M, cell_m, cell_m)
    with rasterio.open(path, "w", driver="JP2OpenJPEG", transform=place, **profile, **options) as sink:
        sink.write(numbers, 1)


CASES: dict[str, Case] = {"decode": decode, "clearground": clearground}


if __name__ == "__main__":
    main("benchmarks.mask", CASES, prepare)
