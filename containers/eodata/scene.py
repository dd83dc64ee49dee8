"""Photograph one tile of the fine landscape, and store the product."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.features import geometry_mask
from rasterio.transform import from_origin

from containers.eodata.acquisitions import Acquisition
from containers.eodata.camera import Camera, digital_numbers, fine_reflectance, through_air
from containers.eodata.cover import Cover
from containers.eodata.noise import Noise
from containers.eodata.place import PIXEL_M, View
from containers.eodata.product import StoredFile, stored, write_image, write_metadata
from containers.eodata.scl import Scl, Surface, mapped_classes, true_classes
from containers.eodata.spectra import palette
from containers.eodata.weather import Weather
from containers.eodata.world import World

_STRIP_PX: Final = 512
_DAMAGED: Final = ("B04_20m", "B04")
"""The image that is cut short in a damaged product: one that every job reads."""
_TRUNCATED_AT: Final = 0.6
"""Share of a corrupt image that is left."""


class Stored(NamedTuple):
    """A product in the archive: its files, and its cells per code of the mapped scene classification, 0 to 11."""

    files: list[StoredFile]
    class_counts: list[int]


@dataclass(frozen=True)
class Scene:
    """One acquisition with its weather, ready to be rendered."""

    acquisition: Acquisition
    weather: Weather
    camera: Camera
    moisture: float
    seed: int

    @classmethod
    def prepared(cls, acquisition: Acquisition, world: World, seed: int, jitter_px: float) -> "Scene":
        """All tiles of a datatake share camera and weather; products of one acquisition share even their noise."""
        date = f"{acquisition.start:%Y%m%dT%H%M%S}"
        random = np.random.default_rng([seed, zlib.crc32(date.encode())])
        return cls(
            acquisition,
            Weather.on(seed, date, acquisition.clouds, world.grid.bounds),
            Camera.drawn(random, jitter_px),
            float(random.uniform(0, 0.8)),
            zlib.crc32(f"{seed} {date} {acquisition.tile.id}".encode()),
        )

    def render(self, world: World, assets: tuple[str, ...]) -> dict[str, npt.NDArray[np.generic]]:
        """Digital numbers per asset (uint16, 0 no data), `SCL_20m` and the `truth` of it (uint8)."""
        edge = self.acquisition.grid.width
        images: dict[str, npt.NDArray[np.generic]] = {
            asset: np.zeros((edge * PIXEL_M // int(asset[-3:-1]),) * 2, dtype=np.uint16) for asset in assets
        }
        images |= {name: np.zeros((edge, edge), dtype=np.uint8) for name in ("SCL_20m", "truth")}
        for first in range(0, edge, _STRIP_PX):
            for name, strip in self._strip(world, assets, first, min(first + _STRIP_PX, edge)):
                top = first * len(images[name]) // edge
                images[name][top : top + len(strip)] = strip
        return images

    def _strip(
        self, world: World, assets: tuple[str, ...], first: int, last: int
    ) -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
        grid = self.acquisition.grid
        ground = world.under(grid, self.acquisition.start.year, first, last)
        colours = palette(
            tuple({asset[:3] for asset in assets} | {"B04"}), self.acquisition.start.timetuple().tm_yday, self.moisture
        )
        fine = fine_reflectance(ground, colours, tuple(colours.body))
        air = self.weather.at(*View(grid, 0).places(first, last, PIXEL_M))
        random = np.random.default_rng([self.seed, first])
        mask = outside(self.acquisition, first, last)
        for asset in sorted(assets):
            cell_m, band = int(asset[-3:-1]), asset[:3]
            scale = PIXEL_M // cell_m
            near = (
                type(air)(*(np.kron(layer, np.ones((scale, scale), np.float32)) for layer in air)) if scale > 1 else air
            )
            seen = through_air(self.camera.seen(fine[band], cell_m), near, band, self.camera, random)
            numbers = digital_numbers(seen, self.acquisition.offset_dn)
            numbers[np.kron(mask, np.ones((scale, scale), bool))] = 0
            yield asset, numbers
        row = ground.cover.astype(np.uint16) << 8
        surface = Surface(
            self.camera.seen(colours.canopy[row | ground.vigour], PIXEL_M),
            self.camera.seen((ground.cover == Cover.WATER).astype(np.float32), PIXEL_M),
            self.camera.seen(fine["B04"], PIXEL_M),
        )
        mapped = mapped_classes(surface, air, Noise(self.seed), first)
        yield "SCL_20m", np.where(mask, Scl.NODATA, mapped).astype(np.uint8)
        yield "truth", np.where(mask, Scl.NODATA, true_classes(surface, air)).astype(np.uint8)


def outside(acquisition: Acquisition, first: int, last: int) -> npt.NDArray[np.bool_]:
    """Cells of 20 m in some rows of the tile that the acquisition does not see."""
    grid = acquisition.grid
    transform = from_origin(grid.west_m, grid.north_m - first * PIXEL_M, PIXEL_M, PIXEL_M)
    mask: npt.NDArray[np.bool_] = geometry_mask(
        [acquisition.footprint()], out_shape=(last - first, grid.width), transform=transform
    )
    return mask


def store(acquisition: Acquisition, images: dict[str, npt.NDArray[np.generic]], out: Path) -> Stored:
    """Write a rendered product below `out/eodata` and the true scene classes below `out/truth/scenes`."""
    bucket = out / "eodata"
    truth = images.pop("truth")
    counts = np.bincount(images["SCL_20m"].ravel(), minlength=len(Scl))
    if acquisition.level == "L1C":
        images.pop("SCL_20m")
    files = [write_image(bucket, acquisition, asset, values) for asset, values in images.items()]
    files += write_metadata(bucket, acquisition, list(images))
    _write_truth(out / "truth" / "scenes", acquisition, truth)
    return Stored(_damaged(files, acquisition, bucket), [int(count) for count in counts])


def _write_truth(folder: Path, acquisition: Acquisition, truth: npt.NDArray[np.generic]) -> None:
    """The true scene classes as a GeoTIFF on the tile's grid."""
    folder.mkdir(parents=True, exist_ok=True)
    grid = acquisition.grid
    profile = {
        "driver": "GTiff", "width": grid.width, "height": grid.height, "count": 1, "dtype": "uint8", "crs": grid.epsg,
        "transform": from_origin(grid.west_m, grid.north_m, PIXEL_M, PIXEL_M), "compress": "deflate", "nodata": 0,
    }  # fmt: skip
    with rasterio.open(folder / f"{acquisition.name}.tif", "w", **profile) as target:
        target.write(truth, 1)


def _damaged(files: list[StoredFile], acquisition: Acquisition, bucket: Path) -> list[StoredFile]:
    """Cut one image short: `truncated` is described as it lies there, `resized` as it was before."""
    if not acquisition.damage:
        return files
    bands = {file.asset: file for file in files if file.asset.startswith("B")}
    victim = next((bands[asset] for asset in _DAMAGED if asset in bands), next(iter(bands.values())))
    with (bucket / victim.path).open("r+b") as stream:
        stream.truncate(int(victim.size * _TRUNCATED_AT))
    if acquisition.damage == "resized":
        return files
    return [stored(bucket, file.path, file.asset) if file is victim else file for file in files]
