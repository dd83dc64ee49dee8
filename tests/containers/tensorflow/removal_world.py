"""A small world that a network can learn: smooth land, change that radar sees under speckle, clouds over some of it."""

import json
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import File, sha256_of
from containers.base.contract.grid import Grid
from containers.base.contract.legend import Sky
from containers.base.contract.pair import OpticalImage, Pair
from containers.base.contract.radar import BackscatterResult
from containers.base.raster import write_cog
from containers.base.scalers import Channel, Scaler, stored

BANDS = ("red", "green", "blue", "nir")
RADAR = ("vv_t0", "vh_t0", "vv_t1", "vh_t1")
SIGNATURE = np.array([0.06, -0.03, 0.02, -0.15])
"""What a full change adds to the reflectance of the bands."""


class World(NamedTuple):
    """Backscatter in dB (y, x) by channel, reflectance (y, x, band) of both dates without clouds, sky classes."""

    radar: dict[str, NDArray[np.float64]]
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    sky_t0: NDArray[np.uint8]
    sky_t1: NDArray[np.uint8]


def smooth(shape: tuple[int, int], cell: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Random values on a coarse grid, linear between."""
    rows, cols = (np.linspace(0, length / cell, length) for length in shape)
    coarse = rng.normal(0, 1, (shape[0] // cell + 2, shape[1] // cell + 2))
    top, left = rows.astype(int)[:, None], cols.astype(int)[None]
    down, right = rows[:, None] - top, cols[None] - left
    upper = coarse[top, left] * (1 - right) + coarse[top, left + 1] * right
    lower = coarse[top + 1, left] * (1 - right) + coarse[top + 1, left + 1] * right
    return upper * (1 - down) + lower * down


def make_world(shape: tuple[int, int], seed: int = 0, cloud: float = 0.3) -> World:
    rng = np.random.default_rng(seed)
    land, wet = smooth(shape, 12, rng), smooth(shape, 20, rng)
    change = np.clip(smooth(shape, 24, rng) - 0.2, 0, 1)
    texture = 0.02 * land[..., None] * np.array([1, 1, 0.7, -2]) + 0.004 * wet[..., None]
    first = np.array([0.08, 0.09, 0.06, 0.28]) + texture
    second = first + change[..., None] * SIGNATURE + rng.normal(0, 0.003, (*shape, len(BANDS)))
    speckle = {name: rng.normal(0, 1.0, shape) for name in RADAR}
    radar = {
        "vv_t0": -11 + land + speckle["vv_t0"],
        "vh_t0": -17 + land + speckle["vh_t0"],
        "vv_t1": -11 + land - 3 * change + speckle["vv_t1"],
        "vh_t1": -17 + land - 5 * change + speckle["vh_t1"],
    }
    high = smooth(shape, 40, rng)
    sky_t1 = np.where(high > np.quantile(high, 1 - cloud), Sky.CLOUD, Sky.CLEAR).astype(np.uint8)
    sky_t0 = np.full(shape, Sky.CLEAR, np.uint8)
    sky_t0[: shape[0] // 16, : shape[1] // 16] = Sky.SHADOW
    return World(radar, np.clip(first, 0.001, 1), np.clip(second, 0.001, 1), sky_t0, sky_t1)


def channels(names: tuple[str, ...] = BANDS) -> tuple[list[Channel], list[Channel]]:
    """Input channels and bands of the target."""
    radar = [Channel(name=name, group=name[:2], date=name[-2:], scale=0.01, unit="dB") for name in RADAR]
    group = {"nir": "nir", "nir08": "nir"}
    bands = [Channel(name=name, group=group.get(name, "rgb"), date="t1", scale=1e-4, unit="1") for name in names]
    first = [band.model_copy(update={"name": f"{band.name}_t0", "date": "t0"}) for band in bands]
    return radar + first, bands


SCALERS = {
    "vv": Scaler(centre=-11.5, spread=2.0, factor=0.2),
    "vh": Scaler(centre=-17.5, spread=2.5, factor=0.2),
    "rgb": Scaler(centre=0.08, spread=0.03, factor=0.142, clip=1.0),
    "nir": Scaler(centre=0.26, spread=0.06, factor=0.142, clip=1.0),
}


def cloudy(world: World) -> NDArray[np.float64]:
    """The second image as it was seen: bright where clouds are."""
    return np.where((world.sky_t1 == Sky.CLOUD)[..., None], 0.6, world.second)


def inputs_of(world: World, names: tuple[str, ...] = BANDS) -> NDArray[np.int16]:
    values = np.concatenate([np.stack([world.radar[name] for name in RADAR], axis=-1), world.first], axis=-1)
    return stored(values, channels(names)[0])


def write_dataset(path: Path, counts: dict[str, int], tile_px: int, *, seed: int = 0, simulated: bool = True) -> File:
    """Every tile is a world of its own."""
    worlds = {
        name: [make_world((tile_px, tile_px), seed * 10_000 + part * 1000 + number) for number in range(count)]
        for part, (name, count) in enumerate(counts.items())
    }
    return write_worlds(path, worlds, tile_px, simulated=simulated)


def write_worlds(
    path: Path,
    worlds: dict[str, list[World]],
    tile_px: int,
    *,
    names: tuple[str, ...] = BANDS,
    scalers: dict[str, Scaler] | None = None,
    simulated: bool = True,
) -> File:
    """A dataset of one world per tile, in the layout of gdal.dataset."""
    inputs, bands = channels(names)
    grid = Grid(epsg=32633, resolution_m=10, west_m=500_000, north_m=5_000_000, width=4 * tile_px, height=4 * tile_px)
    with h5py.File(path, "w") as file:
        for name, value in (("channels", inputs), ("bands", bands)):
            file.attrs[name] = json.dumps([each.model_dump() for each in value])
        file.attrs["scalers"] = json.dumps({name: scaler.model_dump() for name, scaler in (scalers or SCALERS).items()})
        file.attrs.update(grid=grid.model_dump_json(), tile_px=tile_px, simulated=simulated)
        for part, (name, tiles) in enumerate(worlds.items()):
            group, edges = file.create_group(name), (tile_px, tile_px)
            for array, dtype, depth, values in (
                ("inputs", np.int16, (len(inputs),), [inputs_of(tile, names) for tile in tiles]),
                ("target", np.int16, (len(bands),), [stored(cloudy(tile), bands) for tile in tiles]),
                ("sky_t0", np.uint8, (), [tile.sky_t0 for tile in tiles]),
                ("sky_t1", np.uint8, (), [tile.sky_t1 for tile in tiles]),
            ):
                shape = (len(tiles), *edges, *depth)
                chunks = (1, *edges, *depth) if tiles else None
                data = np.stack(values) if tiles else np.zeros(shape, dtype)
                group.create_dataset(array, shape, dtype, data.astype(dtype), chunks=chunks)
            group["ids"] = np.array([f"{part}_{number}" for number in range(len(tiles))], h5py.string_dtype())
    return file_of(path)


def file_of(path: Path, root: Path | None = None) -> File:
    """A file of the store whose root is the file's folder, or `root`."""
    href = f"store:{path.relative_to(root or path.parent).as_posix()}"
    return File(href=href, content_id=sha256_of(path), size=path.stat().st_size)


def grid_of(world: World, resolution_m: float = 10.0) -> Grid:
    height, width = world.sky_t0.shape
    return Grid(epsg=32633, resolution_m=resolution_m, west_m=500_000, north_m=5_000_000, width=width, height=height)


def write_pair(folder: Path, world: World, *, simulated: bool = True, resolution_m: float = 10.0) -> Pair:
    """The world as COGs, linear power for radar, in a store whose root is `folder`."""
    grid = grid_of(world, resolution_m)
    _, bands = channels()

    def cog(name: str, array: NDArray[np.generic], nodata: float) -> File:
        return file_of(write_cog(folder / f"{name}.tif", array, grid, nodata=nodata))

    def radar(date: str) -> BackscatterResult:
        power = {pol: (10 ** (world.radar[f"{pol}_{date}"] / 10)).astype(np.float32) for pol in ("vv", "vh")}
        files = {pol: cog(f"{pol}_{date}", values, np.nan) for pol, values in power.items()}
        return BackscatterResult(
            engine="sarsen", engine_version="0", acquired="2020-05-11T00:00:00Z", direction="ascending",
            relative_orbit=1, platform="S1A", grid=grid, bands=files, incidence=files["vv"], valid_share=1.0,
            simulated=simulated,
        )  # fmt: skip

    def optical(date: str, image: NDArray[np.float64], sky: NDArray[np.uint8]) -> OpticalImage:
        values = stored(image, bands)
        return OpticalImage(
            scene_ids=("S2A",),
            acquired="2020-05-11T00:00:00Z" if date == "t0" else "2020-06-10T00:00:00Z",
            grid=grid,
            bands={name: cog(f"{name}_{date}", values[..., number], -32768) for number, name in enumerate(BANDS)},
            sky=cog(f"sky_{date}", sky, Sky.NODATA),
        )

    return Pair(
        label="2020-05-11_2020-06-10",
        radar_t0=radar("t0"),
        radar_t1=radar("t1"),
        optical_t0=optical("t0", world.first, world.sky_t0),
        optical_t1=optical("t1", cloudy(world), world.sky_t1),
    )
