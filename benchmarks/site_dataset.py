"""From JP2 files of a full tile to the dataset of its survey sites: cut, spectra, join, report.

Floor of each: decoding the JP2 blocks that the sites touch with the same threads, and nothing else. Slices of a season
are of one product's size; so that encoding does not take longer than the benchmark, all read the same three files.
"""

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import geopandas
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin
from rasterio.windows import Window

from benchmarks.cases import Case, main
from containers.base.contract.files import File
from containers.base.contract.scene import Scene
from containers.base.contract.step import StepResult
from containers.base.sentinel2 import band
from containers.gdal.contract.cut import TEN_BANDS, CutParams, Slice
from containers.gdal.contract.sites import SiteDatasetParams, SiteSpectraParams

TILE_M, WEST_M, NORTH_M, EPSG, TILE, THREADS = 109_800, 699_960, 5_000_040, 32631, "31TGK", 2
JP2_TILE = {10: 1024, 20: 640}
SLICES = 4
SURVEYS = {641: 25, 33_860: 131}
"""Sites, to the pastures that they lie in."""


def prepare(folder: Path) -> None:
    """A textured, noisy band of each resolution, a scene classification, and the sites of both surveys."""
    (folder / "store" / "user" / "key" / "1").mkdir(parents=True, exist_ok=True)
    for name, cell_m, dtype in (("10m", 10, "uint16"), ("20m", 20, "uint16"), ("scl", 20, "uint8")):
        if not path_of(folder, f"{name}.jp2").is_file():
            _write_jp2(path_of(folder, f"{name}.jp2"), cell_m, dtype)
    for n_sites in SURVEYS:
        _write_sites(path_of(folder, f"{n_sites}.parquet"), n_sites)


def decode(folder: Path, n_sites: int) -> None:
    """The blocks of every slice that sites lie in, each by one thread."""

    def read(item: tuple[str, Window]) -> None:
        name, window = item
        with (
            rasterio.Env(GDAL_NUM_THREADS="1", GDAL_CACHEMAX=128),
            rasterio.open(path_of(folder, name), sharing=False) as source,
        ):
            source.read(1, window=window)

    sites = geopandas.read_parquet(path_of(folder, f"{n_sites}.parquet"))
    names = [(_file_of(name), band(name).resolution_m) for name in TEN_BANDS] + [("scl.jp2", 20)]
    blocks = [(name, window) for name, cell_m in names for window in _touched(sites, cell_m)]
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(SLICES):
            list(pool.map(read, blocks))


def clearground(folder: Path, n_sites: int) -> None:
    from containers.gdal import cut, site_dataset, site_spectra

    os.environ["CLEARGROUND_STORE"] = str(folder / "store")
    shutil.rmtree(folder / "store" / str(n_sites), ignore_errors=True)
    sites = _stored(f"user/key/1/{n_sites}.parquet")

    def out(step: str) -> Path:
        path = folder / "store" / str(n_sites) / step / "1"
        path.mkdir(parents=True)
        return path

    slices = []
    for number in range(SLICES):
        made = cut.run(CutParams(parts=(_scene(number),), stencils=sites), out(f"cut{number}"))
        slices.append(Slice.model_validate(_adopted(made, f"{n_sites}/cut{number}/1")))
    spectra = site_spectra.run(SiteSpectraParams(sites=sites, slices=tuple(slices)), out("spectra"))
    part = _stored(f"{n_sites}/spectra/1/{spectra.dataset.href}")
    site_dataset.run(SiteDatasetParams(parts=(part,)), out("dataset"))


def path_of(folder: Path, name: str) -> Path:
    return folder / "store" / "user" / "key" / "1" / name


def _file_of(name: str) -> str:
    return f"{band(name).resolution_m}m.jp2"


def _stored(place: str) -> File:
    return File(href=f"store:{place}", content_id=f"etag:{place}", size=1)


def _adopted(made: StepResult, folder: str) -> dict[str, object]:
    """A result with its files where the runner would have put them."""
    files = {name: _stored(f"{folder}/{value.href}") for name, value in made if isinstance(value, File)}
    return dict(made) | files


def _scene(number: int) -> Scene:
    when = datetime(2020, 5, 17, 10, 10, tzinfo=UTC) + timedelta(days=5 * number)
    return Scene(
        id=f"benchmark{number}", platform="S2A", level="L2A", tile=TILE, datetime=when, datatake=when, orbit=22,
        baseline="02.14", processed=when, footprint="POLYGON EMPTY",
        bands={name: _stored(f"user/key/1/{_file_of(name)}") for name in TEN_BANDS},
        offsets_dn=dict.fromkeys(TEN_BANDS, 0.0), scl=_stored("user/key/1/scl.jp2"),
    )  # fmt: skip


def _touched(sites: geopandas.GeoDataFrame, cell_m: int) -> Iterator[Window]:
    edge, size = JP2_TILE[cell_m], TILE_M // cell_m
    rows = ((NORTH_M - sites["y_m"]) // (cell_m * edge)).astype(int)
    cols = ((sites["x_m"] - WEST_M) // (cell_m * edge)).astype(int)
    for row, col in sorted(set(zip(rows, cols, strict=True))):
        top, left = row * edge, col * edge
        yield Window(left, top, min(edge, size - left), min(edge, size - top))


def _write_jp2(path: Path, cell_m: int, dtype: str) -> None:
    rng, size = np.random.default_rng(cell_m), TILE_M // cell_m
    knots = rng.normal(size=(61, 61)).astype(np.float32)
    cells = np.arange(size) * 61 // size
    texture = knots[np.ix_(cells, cells)]
    if dtype == "uint8":
        values: NDArray[np.generic] = np.where(texture > 1.2, 9, 4).astype(np.uint8)
    else:
        texture = 1800 + 250 * texture + 25 * rng.standard_normal(texture.shape, np.float32)
        values = np.clip(texture, 1, None).astype(np.uint16)
    profile = {"width": size, "height": size, "count": 1, "dtype": dtype, "crs": f"EPSG:{EPSG}"}
    options = {"QUALITY": "100", "REVERSIBLE": "YES", "BLOCKXSIZE": JP2_TILE[cell_m], "BLOCKYSIZE": JP2_TILE[cell_m]}
    place = from_origin(WEST_M, NORTH_M, cell_m, cell_m)
    with (
        rasterio.Env(GDAL_NUM_THREADS=THREADS),
        rasterio.open(path, "w", driver="JP2OpenJPEG", transform=place, **profile, **options) as sink,
    ):
        sink.write(values, 1)


def _write_sites(path: Path, n_sites: int) -> None:
    """Cells in pastures of 600 m: centres of different cells, as gdal.survey leaves them."""
    rng, n_pastures = np.random.default_rng(n_sites), SURVEYS[n_sites]
    corners = rng.integers(0, (TILE_M - 600) // 10, (n_pastures, 2))
    pasture = np.arange(n_sites) % n_pastures
    cells = np.concatenate([rng.permutation(3600)[: np.count_nonzero(pasture == each)] for each in range(n_pastures)])
    pasture = np.sort(pasture)
    x_m = WEST_M + 10 * (corners[pasture, 0] + cells % 60) + 5.0
    y_m = NORTH_M - 10 * (corners[pasture, 1] + cells // 60) - 5.0
    table = {
        "site_id": [f"P{each:03}_{number:05}" for number, each in enumerate(pasture)],
        "tile": TILE,
        "epsg": EPSG,
        "x_m": x_m,
        "y_m": y_m,
        "class_code": [f"C{each % 14}" for each in pasture],
        "group": [f"P{each:03}" for each in pasture],
        "massif": "",
        "polygon_id": [f"P{each:03}" for each in pasture],
    }
    points = geopandas.points_from_xy(x_m, y_m, crs=EPSG).to_crs(4326)
    geopandas.GeoDataFrame(table, geometry=points).to_parquet(path, index=False)


CASES: dict[str, Case] = {
    f"{name}_{n_sites}": partial(case, n_sites=n_sites)
    for n_sites in SURVEYS
    for name, case in (("decode", decode), ("clearground", clearground))
}


if __name__ == "__main__":
    main("benchmarks.site_dataset", CASES, prepare)
