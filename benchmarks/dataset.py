"""A pair of 20 × 20 tiles into one HDF5 file with fitted scalers.

Floor: the same windows read, and as many bytes written as they are. Rival: the prototype's way, one float64 array per
tile and side in a file of its own, then all of them in memory to fit the scalers.
"""

import os
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.windows import Window

from benchmarks.cases import Case, main
from containers.base.contract.files import File, sha256_of
from containers.base.contract.grid import Grid
from containers.base.contract.pair import OpticalImage, Pair
from containers.base.contract.radar import BackscatterResult
from containers.base.decibel import to_decibel
from containers.base.raster import open_raster, write_cog
from containers.gdal.contract.dataset import DatasetParams, TilesParams

TILE_PX, TILES = 256, 20
GRID = Grid(
    epsg=32633, resolution_m=10, west_m=500_000, north_m=5_500_000, width=TILE_PX * TILES, height=TILE_PX * TILES
)
BANDS = ("red", "green", "blue", "nir", "nir08", "swir16", "swir22")
DATES = {"t0": datetime(2020, 5, 11, tzinfo=UTC), "t1": datetime(2020, 6, 10, tzinfo=UTC)}
LABEL = "benchmark"


def layer(folder: Path, name: str) -> Path:
    return folder / "store" / "pair" / name / "1" / f"{name}.tif"


def prepare(folder: Path) -> None:
    """Textured, noisy images; a quarter under cloud at t1."""
    for number, date in enumerate(DATES):
        for band in (*BANDS, "vv", "vh", "sky"):
            path = layer(folder, f"{band}_{date}")
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(path, band, np.random.default_rng([number, len(band)]), cloudy=date == "t1")
    _cut(folder)


def _write(path: Path, band: str, rng: np.random.Generator, *, cloudy: bool) -> None:
    if band == "sky":
        sky = np.ones(GRID.shape, np.uint8)
        if cloudy:
            sky = np.kron(rng.choice([1, 1, 1, 2], (TILES * 4, TILES * 4)), np.ones((64, 64))).astype(np.uint8)
        write_cog(path, sky, GRID, nodata=0)
        return
    knots = rng.normal(size=(TILES * 8, TILES * 8))
    ground = np.kron(knots, np.ones((32, 32), np.float32)).astype(np.float32) + rng.normal(0, 0.3, GRID.shape)
    if band in ("vv", "vh"):
        write_cog(path, (10 ** (-1.1 + 0.1 * ground)).astype(np.float32), GRID, nodata=np.nan)
    else:
        write_cog(path, (1500 + 300 * ground).astype(np.int16), GRID, nodata=-32768)


def pair(folder: Path) -> Pair:
    os.environ["CLEARGROUND_STORE"] = str(folder / "store")

    def file(name: str) -> File:
        path = layer(folder, name)
        href = f"store:{path.relative_to(folder / 'store')}"
        return File(href=href, content_id=f"size:{path.stat().st_size}", size=path.stat().st_size)

    def radar(date: str) -> BackscatterResult:
        return BackscatterResult(
            engine="sarsen", engine_version="", acquired=DATES[date], direction="ascending", relative_orbit=1,
            platform="S1A", grid=GRID, bands={"vv": file(f"vv_{date}"), "vh": file(f"vh_{date}")},
            incidence=file(f"vv_{date}"), valid_share=1, simulated=True,
        )  # fmt: skip

    def optical(date: str) -> OpticalImage:
        bands = {band: file(f"{band}_{date}") for band in BANDS}
        sky = file(f"sky_{date}")
        return OpticalImage(scene_ids=(date,), acquired=DATES[date], grid=GRID, bands=bands, sky=sky)

    return Pair(
        label=LABEL,
        radar_t0=radar("t0"),
        radar_t1=radar("t1"),
        optical_t0=optical("t0"),
        optical_t1=optical("t1"),
    )


def _table(folder: Path) -> Path:
    return folder / "store" / "tiles" / "table" / "1"


def _cut(folder: Path) -> None:
    from containers.gdal.tiles import run

    if not (_table(folder) / "tiles.json").is_file():
        _table(folder).mkdir(parents=True, exist_ok=True)
        run(TilesParams(pairs=(pair(folder),), grid=GRID, size_px=TILE_PX), _table(folder))


def _stored() -> dict[str, list[str]]:
    """What a tile is made of, in its order."""
    return {
        "inputs": [f"{name}_{date}" for date in DATES for name in ("vv", "vh")] + [f"{band}_t0" for band in BANDS],
        "target": [f"{band}_t1" for band in BANDS],
        "sky": ["sky_t0", "sky_t1"],
    }


def _windows() -> list[Window]:
    places = range(0, TILE_PX * TILES, TILE_PX)
    return [Window(col, row, TILE_PX, TILE_PX) for row in places for col in places]


def read_and_write(folder: Path) -> None:
    """Rasters stay open; radar is written as the int16 that it becomes."""
    names = [name for layers in _stored().values() for name in layers]
    with (folder / "dataset" / "read_and_write" / "tiles.bin").open("wb") as sink:
        for row in range(0, GRID.height, TILE_PX):
            rows = {}
            for name in names:
                with open_raster(layer(folder, name)) as source:
                    rows[name] = source.read(1, window=Window(0, row, GRID.width, TILE_PX))
            for values in rows.values():
                sink.write((values.astype(np.int16) if values.dtype == np.float32 else values).tobytes())


def clearground(folder: Path) -> None:
    from containers.gdal.dataset import run

    path = _table(folder) / "tiles.json"
    tiles = File(href="store:tiles/table/1/tiles.json", content_id=sha256_of(path), size=path.stat().st_size)
    params = DatasetParams(pairs=(pair(folder),), tiles=tiles, grid=GRID, tile_px=TILE_PX)
    run(params, folder / "dataset" / "clearground")


def prototype(folder: Path) -> None:
    """Every tile as float64 in a file, then all files in memory, scaled by group."""
    out, stored = folder / "dataset" / "prototype", _stored()
    sources: dict[str, Any] = {}
    with ExitStack() as files:
        for name in (*stored["inputs"], *stored["target"]):
            sources[name] = files.enter_context(open_raster(layer(folder, name)))
        for number, window in enumerate(_windows()):
            for side in ("inputs", "target"):
                layers = [sources[name].read(1, window=window) for name in stored[side]]
                scaled = [each / 1e4 if each.dtype == np.int16 else to_decibel(each) / 100 for each in layers]
                np.save(out / f"{side}_{number:04d}.npy", np.stack(scaled, axis=-1).astype(np.float64))
    for side in ("inputs", "target"):
        whole = np.stack([np.load(out / f"{side}_{number:04d}.npy") for number in range(len(_windows()))])
        for channel in range(whole.shape[-1]):
            values = whole[..., channel]
            whole[..., channel] = (values - values.mean()) / values.std()


CASES: dict[str, Case] = {"read_and_write": read_and_write, "clearground": clearground, "prototype": prototype}


if __name__ == "__main__":
    main("benchmarks.dataset", CASES, prepare)
